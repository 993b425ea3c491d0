"""api-key: the token alone, for programs that run a command to get a key.

They are Claude Code (`apiKeyHelper`), Codex (`auth.command`), nono (`credential_capture`), mutt, msmtp (`passwordeval`) and
others. They know no end of a key: they keep it for a time of their own, and ask again after that time, or earlier when a
server refused the key.
"""

from tokenctl.handoff.helpers.options import split
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_KEPT = "300"
"""Seconds for which Claude Code and Codex keep a key, if they are not told otherwise."""
_SPARE = 60
"""Seconds that the token lives longer than the client keeps it."""
_VARIABLE = "CLAUDE_CODE_API_KEY_HELPER_TTL_MS"
"""What tells Claude Code for how many milliseconds to keep a key."""


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: nothing. nono writes its request there."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read the question. `--ttl` has the seconds for which the client keeps the token; 0 for one that keeps none.

    A client that keeps none asks as often as it likes, so that nothing follows from an early question.
    """
    try:
        others, options = split(words, ("--ttl",))
    except ValueError as error:
        return not_understood(str(error))
    if others:
        return not_understood(f"api-key takes no word {others[0]!a:.40}; a profile is named with -p")
    ttl = options.get("--ttl") or _usual(environ)
    if not _is_number(ttl):
        return not_understood(f"--ttl is a number of seconds, not {ttl!a:.40}")
    kept = int(ttl)
    return Question("token", min_ttl=kept + _SPARE, again="api-key", interval=kept) if kept else Question("token")


def _usual(environ: "Mapping[str, str]") -> str:
    """Return the seconds for which the client keeps a key, as far as it tells."""
    told = environ.get(_VARIABLE, "")
    return str(int(told) // 1000) if _is_number(told) else _KEPT


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token and a newline."""
    return Answer(f"{given[0].token}\n".encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
