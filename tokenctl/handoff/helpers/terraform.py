"""terraform and OpenTofu: the protocol of their credentials helpers. A host comes as a word, in its ASCII form."""

from tokenctl.handoff.helpers.plain_json import members, quoted
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr
from tokenctl.model.origins import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_NONE = Answer(b"{}\n")
_KEEPS_NOTHING = Answer(
    status=1,
    error="tokenctl keeps no tokens of terraform's, and no profile is bound to this host",
    hint="see 'tokenctl help helpers'",
)


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: all of it for `store`, also where it is refused, as the protocol wants it."""
    return "all" if "store" in words[:1] else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question: a verb and a host, which can have a port."""
    if len(words) != 2 or words[0] not in ("get", "store", "forget"):
        return not_understood(f"terraform calls get, store and forget with a host, not {' '.join(words)!r:.60}")
    verb, host = words
    try:
        address = address_of(host)
        stored = members(content.decode()) if verb == "store" else {"token": ""}
    except ValueError:
        return not_understood("this is no host, or no JSON object")
    if address != f"//{host.lower()}" or set(stored) != {"token"}:
        return not_understood("terraform must name a host without a path, and can store nothing but a token")
    if verb == "get":
        return Question("token", address, absent=_NONE)
    # What tokenctl gives needs no keeping; another token must not be lost without a word. `forget` has nothing to do.
    return Question("binding", address, absent=_KEEPS_NOTHING) if verb == "store" else Question("nothing")


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token alone: terraform puts `Bearer` before it."""
    return Answer(f'{{"token":{quoted(given[0].token)}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr, which terraform shows or logs."""
    return on_stderr(error)
