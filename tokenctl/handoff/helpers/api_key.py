"""api-key: to be written."""

from tokenctl.handoff.helpers.question import Answer, Question, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: "Mapping[str, str]") -> Question:
    """Read the question."""
    return refusal("this helper is not written yet")


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the token."""
    return Answer()


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return Answer(b"", error.exit_status, error.message, error.next_step)
