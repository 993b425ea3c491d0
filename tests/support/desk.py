"""A terminal that is this process's stdin, with a person at it."""

import contextlib
import io
import os
import pty
import sys
import termios
import threading
from collections.abc import Iterator

import pytest

from tests.killing.scene import wait_until


class Desk:
    """The terminal; what it shows is read all the time. What is typed before a question waits for it."""

    def __init__(self, controller: int, terminal: int) -> None:
        self._controller = controller
        self.terminal = terminal
        self.shown = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def leave(self) -> None:
        """Stop reading, once nobody has the terminal open: the next one can get its descriptor."""
        self._reader.join(10)
        os.close(self._controller)

    def type(self, keys: bytes) -> None:
        """Press the keys once a question has come up."""
        threading.Thread(target=self._type, args=(keys,), daemon=True).start()

    def type_now(self, keys: bytes) -> None:
        """Press the keys."""
        os.write(self._controller, keys)

    def answer(self, *answers: str) -> None:
        """Type the answers to the next questions."""
        self.type_now("".join(f"{each}\n" for each in answers).encode())

    @property
    def mode(self) -> list[object]:
        """What the terminal does with what is typed."""
        return termios.tcgetattr(self.terminal)

    @property
    def edits(self) -> bool:
        """Tell whether the terminal's own line editing is on."""
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ICANON)

    def _type(self, keys: bytes) -> None:
        wait_until(lambda: not self.edits)
        while keys:
            keys = keys[os.write(self._controller, keys) :]

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while part := os.read(self._controller, 65536):
                self.shown += part


@contextlib.contextmanager
def at_desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Make a terminal this process's stdin."""
    controller, terminal = pty.openpty()
    with open(terminal, "r+b", buffering=0) as raw, io.TextIOWrapper(raw) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        desk = Desk(controller, terminal)
        yield desk
    desk.leave()
