"""Reads lines from the console of Windows, whose own line editing has no short limit."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from getpass import getpass
from queue import Empty, SimpleQueue


class Keyboard:
    """The keyboard of a person; the same members as on POSIX. A console marks no paste."""

    def __init__(self, *, marks: bool) -> None:
        self._typed: SimpleQueue[str] = SimpleQueue()
        self._reader: threading.Thread | None = None

    def hidden(self, question: str) -> str:
        """Ask, and return the line, which is not shown. Raises EOFError."""
        return getpass(question)

    def line(self, ask: Callable[[], None]) -> str:
        """Return the line that is typed. `ask` writes the question. Raises EOFError.

        While the thread of `lines` reads stdin, take the line from that thread: nobody can end its read.
        """
        while not self._typed.empty():  # a line from before the question does not answer it
            self._typed.get()
        ask()
        while self._reader is not None and self._reader.is_alive():
            with contextlib.suppress(Empty):
                return self._typed.get(timeout=0.2)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.removesuffix("\n")

    @contextlib.contextmanager
    def lines(self) -> Iterator["SimpleQueue[str]"]:
        """Collect the lines that the person types from now on."""
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, args=(sys.stdin.fileno(),), daemon=True)
            self._reader.start()
        yield self._typed

    def _read(self, descriptor: int) -> None:
        # The descriptor itself: if the thread waited in `sys.stdin`, the interpreter could not end cleanly.
        pending = b""
        with contextlib.suppress(OSError):
            while part := os.read(descriptor, 65536):
                *whole, pending = (pending + part).split(b"\n")
                for line in whole:
                    self._typed.put(line.decode(errors="replace").removesuffix("\r"))
