"""How long a keyring call may take, and who is told that it is waited for."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from tokenctl.adapters.deadline import DeadlinePassed, within
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import StoreTimedOut

UNATTENDED = 3.0
"""Seconds a keyring call may take when nobody could type a password."""
ATTENDED = 60.0
"""Seconds a keyring call may take when a person may have to unlock it."""
SILENT = 2.0
"""Seconds until a person is told that the keyring is waited for."""

Result = TypeVar("Result")


class Patience:
    """The bound of one keyring call in `seconds` (None: no bound), and the terminal of the person who is told, if any.

    No dataclass: each one costs a fresh `token` a third of a millisecond.
    """

    __slots__ = ("seconds", "terminal")

    def __init__(self, *, seconds: float | None = UNATTENDED, terminal: Terminal | None = None) -> None:
        self.seconds = seconds
        self.terminal = terminal

    def within(self, call: Callable[[], Result]) -> Result:
        """Make the call, and return what it returns or raise what it raises. Raises StoreTimedOut."""
        if self.seconds is None:
            return call()
        told = nullcontext() if self.terminal is None else self.terminal.delayed_message(SILENT, _notice(self.seconds))
        try:
            with told:
                return within(self.seconds, call)
        except DeadlinePassed:
            raise timed_out(self.seconds) from None


BRIEF = Patience()
"""The bound where nobody is there."""


def patience_at(terminal: Terminal) -> Patience:
    """Choose by whether a person is at the terminal who may type a password, and reads what it says."""
    if not terminal.attended:
        return BRIEF
    return Patience(seconds=ATTENDED, terminal=terminal if terminal.watched else None)


def timed_out(seconds: float | None = None) -> StoreTimedOut:
    """Make the error for a keyring that did not answer in time; None: in a time of its library's own."""
    return StoreTimedOut(
        f"the keyring did not answer {'in time' if seconds is None else f'within {seconds:.0f} s'}",
        hint="it may be waiting for its password in another window, or be stuck: unlock or restart it, then try again",
    )


def _notice(seconds: float) -> str:
    return f"waiting for the keyring to answer (up to {seconds:.0f} s; is there a password prompt?)"
