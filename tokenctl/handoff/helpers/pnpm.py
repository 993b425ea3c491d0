"""pnpm: a token helper, which pnpm runs once for an install. Its output is the value of the header `Authorization`.

pnpm up to 10 sends the output as it is, so the scheme must be there; later versions add `Bearer` only where none is. pnpm
tells neither the registry nor a refusal, and shows no word of a helper that fails: then the registry answers 401.
"""

from tokenctl.handoff.helpers.question import Answer, Question, not_understood, on_stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenctl.errors import TokenctlError
    from tokenctl.handoff.helpers.question import Given, Reads


def reads(words: "Sequence[str]") -> "Reads":
    """Tell what is read of stdin: nothing."""
    return "nothing"


def read(words: "Sequence[str]", content: bytes, environ: object) -> Question:
    """Read the question, which has no words: which profile is meant, `-p` says."""
    return not_understood("'tokenctl helper pnpm' takes no words but -p PROFILE") if words else Question("token")


def found(question: Question, given: "Sequence[Given]", now: int) -> Answer:
    """Answer with the header's value."""
    return Answer(f"{given[0].header}\n".encode())


def failed(question: Question, error: "TokenctlError") -> Answer:
    """Answer with the reason on stderr."""
    return on_stderr(error)
