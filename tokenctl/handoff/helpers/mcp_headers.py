"""mcp-headers: the header for an MCP server, as Claude Code's `headersHelper` has it: a JSON object of strings.

Claude Code tells the URL of the server in a variable, and connects without the header when there is no answer. So there
is no silent "not found": the reason is on stderr.
"""

from tokenctl.handoff.helpers.plain_json import quoted
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr, unbound
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

VARIABLE = "CLAUDE_CODE_MCP_SERVER_URL"
_INTERVAL = 300
"""Seconds. Claude Code asks when it connects, and again when a server refused the header: a question within this time
after an answer counts as the second one."""

_UNKNOWN = Answer(
    status=2, error=f"{VARIABLE} is not set, so the MCP server is not known", hint="name the profile with -p"
)


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: nothing."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read the question: the profile must be bound to the server's origin, or be named where no server is known."""
    if words:
        return not_understood(f"mcp-headers takes no word {words[0]!a:.40}; a profile is named with -p")
    url = environ.get(VARIABLE, "")
    try:
        origin = origin_of(url) if url else ""
    except ValueError:
        return not_understood(f"{VARIABLE} is not an http or https URL without a user name")
    absent = unbound(origin) if origin else _UNKNOWN
    return Question("token", origin, absent=absent, needs_name=True, again=f"mcp|{url}", interval=_INTERVAL)


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the header."""
    return Answer(f'{{"Authorization": {quoted(given[0].header)}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
