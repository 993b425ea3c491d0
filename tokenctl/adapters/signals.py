"""Postpone the signals that ask this process to end."""

import contextlib
import signal
import threading
import types
from collections.abc import Iterator


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Postpone SIGINT, SIGTERM and SIGHUP until the block ends. Only the main thread can do this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def note(number: int, _: types.FrameType | None) -> None:
        received.append(number)

    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in received[:1]:
            signal.raise_signal(number)
