"""A deadline for a call that has none of its own and cannot be told to stop.

Keyring backends wait for ever on a stuck bus, and a name server or a dripping answer can hold a
request past every timeout of the HTTP library. The call runs in a daemon thread; past the deadline
the thread is left behind, and ends with the process.
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
        except BaseException as error:  # carried over to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise DeadlinePassed
    return results[0]
