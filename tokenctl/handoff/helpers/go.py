"""go: a command of GOAUTH (`go help goauth`), for module proxies and modules behind https.

Go calls it once without a URL, before its first request. It calls it again with the URL as the last word after each
answer of the class 4xx, with that answer on stdin: also after 404, which only says that a module is not there. So the
token is renewed after 401 alone. Go shows the reason of a failure only with `-x`.
"""

from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr
from tokenctl.model.origins import origin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads

_AGAIN = "go"


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: with a URL, the answer that its server gave."""
    return "all" if words else "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question: everything, or a token for a URL of an https server."""
    if not words:
        return Question("every token", again=_AGAIN)
    if len(words) > 1 or words[0][:8].lower() != "https://":
        return not_understood("go asks with one URL, which is https, or with none")
    try:
        address = origin_of(words[0])
    except ValueError:
        return not_understood("this is no URL whose server could get a token")
    if _status(content) == b"401":
        return Question("another token", address, form=_prefix(words[0]), again=_AGAIN)
    return Question("token", address, form=_prefix(words[0]))


def _status(content: bytes) -> bytes:
    """Return the status of the answer whose first line is `HTTP/1.1 401 Unauthorized`; empty where there is none."""
    return content.partition(b"\n")[0].partition(b" ")[2][:3]


def _prefix(url: str) -> str:
    """Return the URL's beginning as it is written: Go compares texts, so that a port 443 has to stay in it."""
    ends = [at for at in (url.find(mark, 8) for mark in "/?#") if at > 0]
    return url[: min(ends, default=len(url))]


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with a block for each origin: where the header goes to, the header; an empty line ends both."""
    blocks = (f"{question.form or each.origin}\n\nAuthorization: {each.header}\n\n" for each in given)
    return Answer("".join(blocks).encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
