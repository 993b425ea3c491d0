"""Reads whole lines from a terminal of POSIX, of any length, shown or hidden.

While a line is typed, the terminal's own line editing is off: see `line_editor`. The keys that end or stop a process work
as ever, and the terminal is left as it was found, whatever ends the prompt. Bytes are read one by one, so that what comes
after the line stays in the terminal for the next question, or for the shell.
"""

import contextlib
import fcntl
import os
import select
import signal
import sys
import termios
import threading
import types
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue

from tokenctl.adapters.line_editor import PASTE_OFF, PASTE_ON, Keys, LineEditor
from tokenctl.adapters.terminal_mode import in_foreground, left_as_found, set_mode
from tokenctl.errors import UsageError

CUT = 4095
"""A terminal with its own line editing keeps so many characters of a line (Linux), and drops the rest."""


class Keyboard:
    """The keyboard of a person. `marks` tells that the terminal can mark what is pasted."""

    def __init__(self, *, marks: bool) -> None:
        self._undo = PASTE_OFF if marks else b""
        self._after_return = False

    def hidden(self, question: str) -> str:
        """Ask at the terminal that is stdin, and return the line, which is not shown; stderr can be another file.

        Raises EOFError when there is no line, UnicodeDecodeError, and UsageError when a part of it was lost.
        """
        with _terminal() as terminal:
            return self._ask(terminal, partial(_write, terminal, question.encode()), None).decode(sys.stdin.encoding)

    def line(self, ask: Callable[[], None]) -> str:
        """Return the line that is typed at stdin. `ask` writes the question. Raises EOFError and UsageError."""
        with _terminal() as terminal:
            return self._ask(terminal, ask, terminal).decode(errors="replace")

    def _ask(self, terminal: int, ask: Callable[[], None], out: int | None) -> bytes:
        editor = LineEditor(_keys(terminal))

        def again(number: int, _: types.FrameType | None) -> None:
            editor.clear()
            self._enter(terminal)
            with contextlib.suppress(RuntimeError):  # the stop came while something was written
                ask()

        before = termios.tcgetattr(terminal)
        with left_as_found(terminal, self._undo), _handled("SIGCONT", again):
            self._enter(terminal)
            lost = _waiting(terminal) >= CUT
            try:
                ask()
                while not editor.ended:
                    self._press(terminal, editor, out)
            finally:
                _write(terminal, b"\n")  # the one that was typed is not shown
            set_mode(terminal, before, termios.TCSADRAIN)
        if lost:
            raise UsageError("what was pasted before the question is too long for this terminal, and was cut")
        if editor.closed:
            raise EOFError
        return bytes(editor.text)

    @contextlib.contextmanager
    def lines(self) -> Iterator["SimpleQueue[str]"]:
        """Collect the lines that the person types at stdin in the block, while the block does something else.

        In the background nothing is read.
        """
        found: SimpleQueue[str] = SimpleQueue()
        with _terminal() as terminal:
            if not in_foreground(terminal):
                yield found
                return

            def again(number: int, _: types.FrameType | None) -> None:
                if in_foreground(terminal):
                    self._enter(terminal)

            before = termios.tcgetattr(terminal)
            ends, wake = os.pipe()
            with (
                left_as_found(terminal, self._undo),
                _handled("SIGCONT", again),
                _handled("SIGTTIN", signal.SIG_IGN),  # a read in the background fails then, and does not stop
            ):
                self._enter(terminal)
                reader = threading.Thread(target=self._collect, args=(terminal, ends, found), daemon=True)
                reader.start()
                try:
                    yield found
                finally:
                    os.close(wake)
                    reader.join()
                    os.close(ends)
                    if in_foreground(terminal):
                        set_mode(terminal, before, termios.TCSADRAIN)

    def _collect(self, terminal: int, ends: int, found: "SimpleQueue[str]") -> None:
        editor = LineEditor(_keys(terminal))
        while ends not in (ready := select.select([terminal, ends], [], [])[0]):
            if terminal in ready:
                self._press(terminal, editor, terminal)
            if editor.closed and select.select([ends], [], [], 1.0)[0]:  # Ctrl-D, or nobody is there any more
                return
            if editor.ended:
                if not editor.closed:
                    found.put(editor.text.decode(errors="replace"))
                    _write(terminal, b"\n")
                editor.clear()

    def _press(self, terminal: int, editor: LineEditor, out: int | None) -> None:
        """Read one byte, and show it with `out`. The end of the terminal ends the line."""
        try:
            key = os.read(terminal, 1)
        except OSError:  # the terminal is gone, or this process is in the background
            key = b""
        if not key:
            editor.ended = editor.closed = True
            return
        first, self._after_return = self._after_return, False
        if first and key == b"\n":  # the second half of the line end before
            return
        shown = editor.press(key[0])
        self._after_return = editor.ended and editor.after_return
        if out is not None and shown:
            _write(out, shown)

    def _enter(self, terminal: int) -> None:
        """Switch off the terminal's line editing and its echo. What was typed before is kept."""
        mode = termios.tcgetattr(terminal)
        mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)  # Windows line ends are one line end
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        set_mode(terminal, mode, termios.TCSADRAIN)
        if self._undo:
            _write(terminal, PASTE_ON)


def _keys(terminal: int) -> Keys:
    usual, chosen = Keys(), termios.tcgetattr(terminal)[6]
    set_to = {
        "erase": usual.erase + chosen[termios.VERASE],
        "erase_word": chosen[termios.VWERASE],
        "erase_line": chosen[termios.VKILL],
        "end_of_file": chosen[termios.VEOF],
    }
    keys = {name: key.strip(b"\0\xff") for name, key in set_to.items()}
    # Ctrl-D from before the question has become a zero: the terminal's own editing had read it.
    return Keys(**{**keys, "end_of_file": keys["end_of_file"] + b"\0"})


def _waiting(terminal: int) -> int:
    """Count the characters that wait in the terminal."""
    return int.from_bytes(fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)), sys.byteorder)


def _write(descriptor: int, text: bytes) -> None:
    with contextlib.suppress(OSError):
        while text:
            text = text[os.write(descriptor, text) :]


@contextlib.contextmanager
def _handled(name: str, handler: Callable[[int, types.FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    """Handle a signal in the block. After a stop, SIGCONT says that the shell may have changed the terminal's mode."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(getattr(signal, name), handler)
    try:
        yield
    finally:
        signal.signal(getattr(signal, name), before)


@contextlib.contextmanager
def _terminal() -> Iterator[int]:
    """Open the terminal that is stdin again: stdin itself can be for reading only."""
    try:
        descriptor = os.open(os.ttyname(sys.stdin.fileno()), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        descriptor = os.dup(sys.stdin.fileno())
    try:
        yield descriptor
    finally:
        os.close(descriptor)
