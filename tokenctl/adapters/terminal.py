"""Messages to a person on stderr, and questions to that person.

The rules:
- Every message goes to stderr, as `tokenctl: ...`. Only the answer of a command goes to stdout.
- A message starts with a small letter and has no full stop at the end. A failure is `tokenctl: error: ...`; the
  next step is `tokenctl: hint: ...`.
- A URL has a line of its own and is never wrapped.
- Text from a server, a claim or a config file is cleaned before it is written.
- No question is asked when stdin is not a terminal, or when `CI` is set.
- Colour is for a terminal only, and never with `NO_COLOR`.
"""

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, TextIO

from tokenctl.errors import TokenctlError, UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from queue import SimpleQueue

    from tokenctl.adapters.keyboard import Keyboard
    from tokenctl.model.event import Event

# C0 and C1 controls, bidirectional overrides, zero-width characters, line and paragraph separators. Compiled at the first
# message, because a fresh `token` writes none.
_HARMFUL = "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"


_UNSHOWN, _REDRAWN = 1.0, 0.1
"""Seconds before a bar is shown, and until it is drawn again."""
_BAR = 30
"""Columns of a bar."""


def clean(text: str) -> str:
    """Replace every character that could move, hide or forge text on a terminal."""
    return text if text.isprintable() else re.sub(_HARMFUL, "\N{REPLACEMENT CHARACTER}", text)


class Terminal:
    """Writes messages to stderr, and asks the person at the terminal."""

    def __init__(
        self, environ: Mapping[str, str] = os.environ, *, verbose: bool = False, err: TextIO | None = None
    ) -> None:
        self._environ = environ
        self._err = err
        self._progress = ""  # the line that is shown, and is to be erased
        self._written: set[str] = set()
        self.verbose = verbose
        self.quiet = False
        self.unattended = False
        """Whether nobody may be asked, although stdin can be a terminal: it is not this command's."""

    @property
    def err(self) -> TextIO | None:
        """The stream for messages, read at each use because stderr can be replaced; None when stderr is closed."""
        return self._err or sys.stderr

    @property
    def attended(self) -> bool:
        """Tell whether a person can be asked: stdin is a terminal and this command's, and `CI` is not set."""
        return not self.unattended and not self._environ.get("CI") and _is_terminal(sys.stdin)

    @property
    def watched(self) -> bool:
        """Tell whether messages go to a terminal."""
        return _is_terminal(self.err)

    @property
    def colour(self) -> bool:
        """Tell whether messages are coloured."""
        return self.watched and not self._environ.get("NO_COLOR") and self._environ.get("TERM") != "dumb"

    def message(self, text: str) -> None:
        """Write what happened; not with -q."""
        if not self.quiet:
            self.instruction(text)

    def instruction(self, text: str) -> None:
        """Write what the person must do or know to go on, also with -q."""
        self._line(f"tokenctl: {clean(text)}")

    def detail(self, text: str) -> None:
        """Write what happened, with -v only."""
        if self.verbose:
            self.message(text)

    def event(self, event: "Event") -> None:
        """Write an event of the event log as a sentence, with -v only."""
        if self.verbose:
            from tokenctl.model.event import sentence

            self.detail(sentence(event))

    def warning(self, text: str) -> None:
        """Write what can go wrong; not with -q."""
        if not self.quiet:
            self._line(f"tokenctl: {self._coloured('warning:', 33)} {clean(text)}")

    def error(self, text: str, hint: str | None = None) -> None:
        """Write what went wrong, and what to do next."""
        self._line(f"tokenctl: {self._coloured('error:', 31)} {clean(text)}")
        if hint:
            self._hint(hint)

    def hint(self, text: str) -> None:
        """Write what to do next, after a warning or a success; not with -q."""
        if not self.quiet:
            self._hint(text)

    def _hint(self, text: str) -> None:
        self._line(f"tokenctl: {self._coloured('hint:', 36)} {clean(text)}")

    def plain_line(self, text: str) -> None:
        """Write a line without `tokenctl:`, such as a URL to copy."""
        self._line(clean(text))

    def progress(self, text: str) -> None:
        """Show a progress line, which the next message replaces. Shows nothing when stderr is not a terminal."""
        if self.err is not None and self.watched:
            columns = len(text) + 1
            with contextlib.suppress(OSError):  # a line that wraps could not be erased
                columns = os.get_terminal_size(self.err.fileno()).columns or 80  # 0: the terminal does not tell
            self._write(f"\r\x1b[2K{clean(text[: max(1, columns - 1)])}")
            self._progress = text

    def end_progress(self) -> None:
        """Erase the progress line."""
        if self._progress:
            self._progress = ""
            self._write("\r\x1b[2K")

    def counted(self, names: Sequence[str], what: str) -> Iterator[str]:
        """Go through the names, and show how far that is once it takes more than a second; not with -q.

        `what` is the word for them. For a block of `progressing`.
        """
        pace = _Pace()
        for done, name in enumerate(names):
            if not self.quiet and pace.is_due():
                self.progress(f"tokenctl: {done} of {len(names)} {what} {_bar(done, len(names))}")
            yield name

    def measured(self, lines: Iterable[bytes], size: int, what: str) -> Iterator[bytes]:
        """Go through lines of `size` bytes in all, and show how far that is once it takes more than a second; not with -q.

        `what` says what is done. For a block of `progressing`.
        """
        pace, done = _Pace(), 0
        for line in lines:
            done += len(line)
            if not self.quiet and pace.is_due():
                self.progress(f"tokenctl: {what} {_bar(min(done, size), size)}")
            yield line

    @contextlib.contextmanager
    def progressing(self) -> Iterator[None]:
        """Show progress lines in the block. The last one is erased; when the block fails, it stays, and ends its line.

        Who writes the error need not know of it then.
        """
        try:
            yield
        except BaseException:
            if self._progress:
                self._progress = ""
                self._write("\n")
            raise
        self.end_progress()

    @contextlib.contextmanager
    def delayed_progress(self, text: str) -> Iterator[None]:
        """Show a progress line if the block takes more than a second."""
        timer = threading.Timer(1.0, self.progress, [text])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if self._progress == text:  # not the line of a loop around this block
                self.end_progress()

    @contextlib.contextmanager
    def delayed_message(self, seconds: float, text: str) -> Iterator[None]:
        """Write a message if the block takes more than `seconds`; the same text is written once."""
        timer = threading.Timer(seconds, self._message_once, [text])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _message_once(self, text: str) -> None:
        if text not in self._written:
            self._written.add(text)
            self.message(text)

    def ask_secret(self, question: str) -> str | None:
        """Ask for a secret without showing it; None when there is no answer (Ctrl-D). What is pasted is taken whole.

        Raises UsageError when nobody can be asked.
        """
        self._check_attended(question)
        try:
            answer = self._keyboard.hidden(f"tokenctl: {clean(question)}: ")
        except EOFError:
            return None
        except UnicodeDecodeError:
            raise UsageError(f"{question}: what was typed is not text in the terminal's encoding") from None
        return answer.strip("\r\n")

    def ask(self, question: str, default: str = "", read: Callable[[str], str] = str) -> str:
        """Ask for a line; an empty answer means `default`. What is pasted is taken whole, without quotation marks.

        `read` makes the answer of what was typed. When it raises, write its message and ask again. Raises UsageError
        when nobody can be asked.
        """
        self._check_attended(question)
        from tokenctl.adapters.line_editor import unquoted

        while True:
            try:
                line = self._typed(f"{question}{f' [{default}]' if default else ''}: ")
            except EOFError:
                raise UsageError(f"{question}: no answer") from None
            answer = unquoted(line) or default
            if not answer:
                self.warning("this cannot be empty")
                continue
            try:
                return read(answer)
            except TokenctlError as error:
                self.warning(error.message)
                if error.hint:
                    self.hint(error.hint)

    def confirm(self, question: str) -> bool:
        """Ask a question; only `y` or `yes` is a yes. Raises UsageError when nobody can be asked."""
        self._check_attended(question)
        try:
            return self._typed(f"{question} [y/N]: ").strip().lower() in ("y", "yes")
        except EOFError:
            return False

    def lines(self) -> "AbstractContextManager[SimpleQueue[str]]":
        """Collect the lines that the person types or pastes in a block, whatever their length."""
        return self._keyboard.lines()

    def _check_attended(self, question: str) -> None:
        if not self.attended:
            raise UsageError(f"{question}: nobody can be asked here")
        self.end_progress()

    def _typed(self, question: str) -> str:
        return self._keyboard.line(partial(self._write, f"tokenctl: {clean(question)}"))

    @cached_property
    def _keyboard(self) -> "Keyboard":
        if sys.platform == "win32":
            from tokenctl.adapters.windows_keyboard import Keyboard
        else:
            from tokenctl.adapters.keyboard import Keyboard
        return Keyboard(marks=self.watched and self._environ.get("TERM", "dumb") != "dumb")

    def _coloured(self, text: str, colour: int) -> str:
        return f"\x1b[1;{colour}m{text}\x1b[0m" if self.colour else text

    def _line(self, text: str) -> None:
        self.end_progress()
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        # When stderr is closed, the command itself must not fail.
        if self.err is None:
            return
        with contextlib.suppress(OSError, ValueError):
            encoding = getattr(self.err, "encoding", None) or "utf-8"
            self.err.write(text.encode(encoding, "replace").decode(encoding))
            self.err.flush()


class _Pace:
    """Tells when a progress line is to be drawn: after a second for the first time, and then some times a second."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _UNSHOWN

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _REDRAWN
        return True


def _bar(done: int, whole: int) -> str:
    length = done * _BAR // max(1, whole)
    return f"[{'#' * length}{'.' * (_BAR - length)}]"


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False
