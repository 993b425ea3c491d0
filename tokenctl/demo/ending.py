"""How the demo ends when it is asked to: as after Ctrl-C, with nothing left behind."""

import contextlib
import signal
import types
from collections.abc import Iterator


class _Ended(BaseException):
    """A signal that asks the process to end came."""


@contextlib.contextmanager
def tidily() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the block, so that it tidies up, and then end as the signal wants.

    By themselves they end Python at once. One that is ignored, under nohup say, stays ignored; a second one is not
    heard.
    """
    came: list[int] = []

    def end(number: int, _: types.FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:
            raise _Ended

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in heard:
        signal.signal(number, end)
    try:
        yield
    except _Ended:
        pass
    finally:
        for number in heard:
            signal.signal(number, signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])
