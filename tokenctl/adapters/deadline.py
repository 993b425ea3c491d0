"""A deadline for a call that has no timeout and cannot be cancelled.

A keyring backend waits for ever for a D-Bus service that hangs. A slow name server, or an answer that arrives
byte by byte, can take longer than every timeout of the HTTP library. So the call runs in a daemon thread. After
the deadline nobody waits for the thread any more; it ends with the process.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class DeadlinePassed(Exception):
    """The call did not end in time."""


class Call(Generic[Result]):
    """A call that runs in a thread of its own, and that can be waited for more than once."""

    def __init__(self, call: Callable[[], Result]) -> None:
        """Start the call. Raises RuntimeError when this process can have no more threads."""
        self._call = call
        self._results: list[Result] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as error:  # raised again in the thread that waits
            self._errors.append(error)

    def ended_within(self, seconds: float) -> bool:
        """Wait for the call, and tell whether it has ended."""
        self._thread.join(max(0.0, seconds))
        return bool(self._results or self._errors)

    def ended_patiently(self, seconds: float) -> bool:
        """Wait for the call as `patiently` waits, and tell whether it has ended."""
        return patiently(self.ended_within, seconds)

    def result(self) -> Result:
        """Return what the call returned, or raise what it raised. Raises DeadlinePassed when it has not ended."""
        if self._errors:
            raise self._errors[0]
        if not self._results:
            raise DeadlinePassed
        return self._results[0]


TICK = 0.05
"""Seconds of one wait. A deadline is counted in these."""


def patiently(ready: Callable[[float], bool], seconds: float) -> bool:
    """Wait until `ready` tells True, for `seconds` at most; tell whether it did.

    `ready` waits for the seconds that it is given, and tells whether what is waited for has come. A machine that is
    busy, stopped or asleep returns late from such a wait, and the one that is waited for had no time to answer either.
    So a wait counts as long as it should have been, not as long as it was; and what has come meanwhile counts.
    """
    left = seconds
    while left > 0:
        if ready(min(TICK, left)):
            return True
        left -= TICK
    return ready(0.0)


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Run the call and return what it returns or raise what it raises; DeadlinePassed after `seconds`.

    The seconds are counted as `patiently` counts them.
    """
    running = Call(call)
    running.ended_patiently(seconds)
    return running.result()
