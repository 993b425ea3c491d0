"""The questions of one client, in their order: most clients ask one, and cargo asks a line each.

What was read of stdin stays here, so that the ordinary way goes on where the fast way could not answer.
"""

import os
import sys

from tokenctl import fast_path
from tokenctl.handoff.helpers.question import LONGEST, Question, not_understood

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

    from tokenctl.handoff.helpers import Helper


class Conversation:
    """A client that called the helper with `words`; `profile` is the name of `-p` on the command line, or None."""

    def __init__(self, helper: "Helper", profile: str | None, words: "Sequence[str]") -> None:
        self.helper = helper
        self._profile = profile
        self._words = list(words)
        self._reads = helper.reads(self._words)
        self._ended = False
        self.question: Question | None = None
        """The question that has no answer yet."""

    @property
    def profile(self) -> str | None:
        """The name of the profile that must answer: as the question says it, or the command line; None where neither does."""
        return (self.question.profile if self.question is not None else "") or self._profile

    @property
    def greeting(self) -> bytes:
        """What the client gets before it asks anything; empty for most protocols."""
        return getattr(self.helper, "GREETING", b"") if self._reads == "lines" else b""

    def next(self, environ: "Mapping[str, str]") -> Question | None:
        """Read the next question; None when the client has no more. Its answer is due."""
        fast_path.forget()
        try:
            content = None if self._ended else self._content()
        except (OSError, ValueError):  # a stdin that cannot be read is one without a question
            content = b"" if self._reads != "lines" else None
        too_long = content is not None and len(content) > LONGEST
        if too_long:  # the protocol says what it says where nothing can be understood
            content = b""
        self._ended = self._ended or too_long or self._reads != "lines"
        self.question = None if content is None else self._named(self._read(content, environ), environ)
        return self.question

    def _read(self, content: bytes, environ: "Mapping[str, str]") -> Question:
        try:
            return self.helper.read(self._words, content, environ)
        except Exception as defect:  # its text can have a secret; its type cannot
            return not_understood(f"unexpected {type(defect).__name__} when the question was read", 1)

    def _named(self, question: Question, environ: "Mapping[str, str]") -> Question:
        """Return the question, or its `absent` where it has no address, and no profile is named though one has to be."""
        if question.needs_name and not (question.address or self.profile or environ.get("TOKENCTL_PROFILE")):
            return Question("nothing", answer=question.absent)
        return question

    def _content(self) -> bytes | None:
        source = _stdin() if self._reads != "nothing" else None
        if source is None:
            return b"" if self._reads != "lines" else None
        if self._reads == "lines":
            return source.readline(LONGEST + 1) or None
        if self._reads == "all":
            return source.read(LONGEST + 1)
        lines, size = [b"-"], 0
        while lines[-1] not in (b"", b"\n") and size <= LONGEST:
            lines.append(source.readline(LONGEST + 1))
            size += len(lines[-1])
        return b"".join(lines[1:])


def _stdin() -> "BinaryIO | None":
    """Return stdin as bytes; None when it is closed."""
    return None if sys.stdin is None else getattr(sys.stdin, "buffer", None)


def written(content: bytes) -> bool:
    """Write to stdout without a buffer, and tell whether all of it was written: a closed pipe takes nothing."""
    try:
        while content:
            content = content[os.write(1, content) :]
    except OSError:
        return False
    return True
