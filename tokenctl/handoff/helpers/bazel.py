"""Bazel, and tools like it: the `get` command of EngFlow's specification of credential helpers.

A failure is an exit status that is not 0, with the reason on stderr; so is the answer for a URI that is not bound. An
answer without headers would mean that the URI needs no token.
"""

from tokenctl.handoff.helpers.plain_json import members, quoted
from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr, timestamp, unbound
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: all of it, for `get`."""
    return "all" if list(words) == ["get"] else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question: a JSON object with `uri`, and perhaps more. Bazel asks again for the same URI after a refusal."""
    if list(words) != ["get"]:
        return not_understood('usage: tokenctl helper bazel get, with a JSON object on stdin: {"uri": "https://..."}')
    try:
        uri = members(content.decode())["uri"]
        address = origin_of(uri)
    except (AttributeError, KeyError, TypeError, ValueError):
        return not_understood("what is on stdin is no JSON object with an http or https 'uri' that can get a token")
    return Question("token", address, absent=unbound(address), again=f"bazel|{uri}")


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the header, and its end where it is known."""
    until = timestamp(given[0].expires_at, now)
    end = "" if until is None else f',"expires":"{until}"'
    return Answer(f'{{"headers":{{"Authorization":[{quoted(given[0].header)}]}}{end}}}\n'.encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
