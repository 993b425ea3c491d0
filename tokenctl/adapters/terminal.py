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
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from tokenctl.errors import TokenctlError, UsageError

if TYPE_CHECKING:
    from queue import SimpleQueue

# C0 and C1 controls, bidirectional overrides, zero-width characters, line and paragraph separators.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """Replace every character that could move, hide or forge text on a terminal."""
    return _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text)


class Terminal:
    """Writes messages to stderr, and asks the person at the terminal."""

    def __init__(
        self, environ: Mapping[str, str] = os.environ, *, verbose: bool = False, err: TextIO | None = None
    ) -> None:
        self._environ = environ
        self._err = err
        self._progress = False
        self._written: set[str] = set()
        self._reader: threading.Thread | None = None
        self.verbose = verbose
        self.quiet = False

    @property
    def err(self) -> TextIO | None:
        """The stream for messages, read at each use because stderr can be replaced; None when stderr is closed."""
        return self._err or sys.stderr

    @property
    def attended(self) -> bool:
        """Tell whether a person can be asked: stdin is a terminal, and `CI` is not set."""
        return not self._environ.get("CI") and _is_terminal(sys.stdin)

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
            with contextlib.suppress(OSError):  # a line that wraps could not be erased
                columns = os.get_terminal_size(self.err.fileno()).columns or 80  # 0: the terminal does not tell
                text = text[: max(1, columns - 1)]
            self._write(f"\r\x1b[2K{clean(text)}")
            self._progress = True

    def end_progress(self) -> None:
        """Erase the progress line."""
        if self._progress:
            self._progress = False
            self._write("\r\x1b[2K")

    @contextlib.contextmanager
    def progressing(self) -> Iterator[None]:
        """Show progress lines in the block. The last one is erased; when the block fails, it stays, and ends its line.

        Who writes the error need not know of it then.
        """
        try:
            yield
        except BaseException:
            if self._progress:
                self._progress = False
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

    def ask_secret(self, question: str) -> str:
        """Ask for a secret without showing it; no answer (Ctrl-D) is an empty one.

        Raises UsageError when nobody can be asked.
        """
        if not self.attended:
            raise UsageError(f"{question}: nobody can be asked here")
        self.end_progress()
        try:
            return _hidden_line(f"tokenctl: {clean(question)}: ")
        except EOFError:
            return ""
        except UnicodeDecodeError:
            raise UsageError(f"{question}: what was typed is not text in the terminal's encoding") from None

    def ask(self, question: str, default: str = "", check: Callable[[str], object] = str) -> str:
        """Ask for a line; an empty answer means `default`. When `check` raises, write its message and ask again.

        Raises UsageError when nobody can be asked.
        """
        if not self.attended:
            raise UsageError(f"{question}: nobody can be asked here")
        self.end_progress()
        while True:
            self._write(f"tokenctl: {clean(question)}{f' [{default}]' if default else ''}: ")
            line = sys.stdin.readline()
            if not line:
                raise UsageError(f"{question}: no answer")
            answer = line.strip() or default
            if not answer:
                self.warning("this cannot be empty")
                continue
            try:
                check(answer)
            except TokenctlError as error:
                self.warning(error.message)
            else:
                return answer

    def confirm(self, question: str) -> bool:
        """Ask a question; only `y` or `yes` is a yes. Raises UsageError when nobody can be asked."""
        if not self.attended:
            raise UsageError(f"{question} nobody can be asked here")
        self.end_progress()
        while not self._typed.empty():  # a line from before the question does not answer it
            self._typed.get()
        self._write(f"tokenctl: {clean(question)} [y/N]: ")
        return self._read_line().strip().lower() in ("y", "yes")

    def _read_line(self) -> str:
        """Wait for a line. While the thread of `lines` reads stdin, take the line from that thread."""
        from queue import Empty

        while self._reader is not None and self._reader.is_alive():
            with contextlib.suppress(Empty):
                return self._typed.get(timeout=0.2)
        try:
            return sys.stdin.readline()
        except OSError:  # a background process cannot read from the terminal
            return ""

    @cached_property
    def _typed(self) -> "SimpleQueue[str]":
        """The lines that the person has typed, and nobody has read."""
        from queue import SimpleQueue

        return SimpleQueue()

    def lines(self) -> "SimpleQueue[str]":
        """Collect the lines that the person types from now on.

        A thread reads the descriptor itself. If it waited in `sys.stdin`, the interpreter could not end cleanly.
        """
        if hasattr(signal, "SIGTTIN"):  # a read in a background process would stop the process
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        descriptor = sys.stdin.fileno()

        def read() -> None:
            pending = b""
            with contextlib.suppress(OSError):
                while part := os.read(descriptor, 65536):
                    *whole, pending = (pending + part).split(b"\n")
                    for line in whole:
                        self._typed.put(line.decode(errors="replace"))

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()
        return self._typed

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


def _hidden_line(question: str) -> str:
    if sys.platform == "win32":
        from getpass import getpass

        return getpass(question)
    from tokenctl.adapters.terminal_mode import read_hidden

    return read_hidden(question)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False
