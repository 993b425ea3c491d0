"""The signals that ask this process to end: postponed for a block, or raised in it so that it cleans up."""

import contextlib
import signal
import threading
import types
from collections.abc import Iterable, Iterator


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
