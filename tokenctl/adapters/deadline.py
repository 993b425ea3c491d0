"""A deadline for a call that has no timeout and cannot be cancelled.

A keyring backend waits for ever for a D-Bus service that hangs. A slow name server, or an answer that arrives
byte by byte, can take longer than every timeout of the HTTP library. So the call runs in a daemon thread. After
the deadline nobody waits for the thread any more; it ends with the process.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class DeadlinePassed(Exception):
    """The call did not end in time."""


def within(seconds: float, call: Callable[[], Result]) -> Result:
    """Run the call and return what it returns or raise what it raises; DeadlinePassed after `seconds`."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise DeadlinePassed
    return results[0]
