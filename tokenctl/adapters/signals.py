"""The signals that ask this process to end: postponed for a block, raised in it, or relayed to another process."""

import contextlib
import os
import signal
import threading
import types
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tokenctl.errors import UsageError

if TYPE_CHECKING:
    import subprocess


class _Ended(BaseException):
    """A signal asked the process to end."""


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Postpone SIGINT, SIGTERM and SIGHUP until the block ends. Only the main thread can do this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [number for number in _known("SIGINT", "SIGTERM", "SIGHUP") if _handler(number) is not signal.SIG_IGN]
    with _noted(numbers):
        yield


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block, so that it cleans up; then the process ends as the signal wants.

    Without this they end Python at once. A signal that is ignored stays ignored (as under `nohup`), and one that has
    a handler keeps it. A second signal has no effect. Only for the main thread.
    """
    numbers = [number for number in _known("SIGTERM", "SIGHUP") if _handler(number) is signal.SIG_DFL]
    with contextlib.suppress(_Ended), _noted(numbers, error=_Ended):
        yield


class Relay:
    """The signals that wait for a process, until it is started; from then on it gets each one at once.

    A process that has ended gets none: the system may have given its id to another process.
    """

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._sending = threading.RLock()  # the handler can interrupt the thread that holds it
        self._terminal = any(os.isatty(each) for each in (0, 1, 2))

    def start(self, process: "subprocess.Popen[bytes]") -> None:
        """Send the waiting signals to a process, and all later ones."""
        self._process = process
        while self.waiting:
            self._hand_on(self.waiting.pop(0))

    def send(self, number: int) -> None:
        """Send the process a signal, unless it has ended. Raises OSError when it runs as another user, as under sudo."""
        with self._sending:
            if self._process is None or self._ended:
                return
            if os.name == "posix":
                os.kill(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def wait(self, process: "subprocess.Popen[bytes]") -> int:
        """Wait for the end of the process that was started, and return its status as `Popen.wait` does."""
        if hasattr(os, "waitid"):
            # Until it is read, the status of an ended process keeps its id from being given to another one.
            with contextlib.suppress(ChildProcessError):
                os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        else:
            process.wait()
        with self._sending:
            self._ended = True
        return process.wait()

    def note(self, number: int, _: types.FrameType | None) -> None:
        """Handle a signal."""
        if self._process is None:
            self.waiting.append(number)
        # The terminal sends these to the process too, and a second one would make some programs abort.
        elif not (self._terminal and number in _known("SIGINT", "SIGQUIT")):
            self._hand_on(number)

    def _hand_on(self, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):  # another user's process; Windows has few signals
            self.send(number)


@contextlib.contextmanager
def relayed() -> Iterator[Relay]:
    """Relay signals during the block to the process that it starts.

    If it starts none, this process is sent the first signal again when the block is over. A signal that is ignored
    stays ignored. Only for the main thread.
    """
    relay = Relay()
    names = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM")
    before = {}
    try:
        for number in _known(*names):
            if _handler(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, relay.note)
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in relay.waiting[:1]:
            signal.raise_signal(number)


def number_of(name: str) -> int:
    """Return the number of a signal that a program can handle: HUP, SIGHUP or 1. Raises UsageError."""
    if os.name != "posix":
        raise UsageError("this system has no signals that a program can be sent", hint="leave it out")
    numbers = {each.name.removeprefix("SIG"): each.value for each in signal.Signals}
    found = int(name) if name.isascii() and name.isdecimal() else numbers.get(name.upper().removeprefix("SIG"))
    if found not in signal.valid_signals() or found in (signal.SIGKILL, signal.SIGSTOP):
        raise UsageError(
            f"there is no signal {name!r:.30} that a program can handle", hint="such as HUP, USR1, USR2 or INT"
        )
    return found


def _known(*names: str) -> list[int]:
    """List the signals of these names that the platform has."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _handler(number: int) -> object:
    return signal.getsignal(number)


@contextlib.contextmanager
def _noted(numbers: Iterable[int], error: type[BaseException] | None = None) -> Iterator[None]:
    """Note these signals during the block, and send this process the first one again when the block is over.

    The first one raises `error` in the block, if there is one.
    """
    received: list[int] = []

    def note(number: int, _: types.FrameType | None) -> None:
        received.append(number)
        if error is not None and len(received) == 1:
            raise error

    before = {}
    try:
        for number in numbers:
            before[number] = signal.signal(number, note)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in received[:1]:
            signal.raise_signal(number)
