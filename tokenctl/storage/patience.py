"""How long a keyring call can take, and the message to a person who waits for it."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from tokenctl.adapters.deadline import DeadlinePassed, within
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import StoreTimedOut

UNATTENDED_SECONDS = 3.0
"""Seconds for a keyring call when nobody can type a password."""
ATTENDED_SECONDS = 60.0
"""Seconds for a keyring call when a person can unlock the keyring."""
MESSAGE_AFTER = 2.0
"""Seconds until a person gets a message that the keyring has not answered yet."""

Result = TypeVar("Result")


class Patience:
    """The deadline of one keyring call in `seconds` (None: no deadline), and the terminal for the message, if any.

    `attended` tells whether a person can answer a keyring that asks. The seconds are counted as
    `adapters.deadline.patiently` counts them.
    No dataclass: each one costs a fresh `token` a third of a millisecond.
    """

    __slots__ = ("attended", "seconds", "terminal")

    def __init__(
        self, *, seconds: float | None = UNATTENDED_SECONDS, terminal: Terminal | None = None, attended: bool = False
    ) -> None:
        self.seconds = seconds
        self.terminal = terminal
        self.attended = attended

    @property
    def limit(self) -> float:
        """The deadline in seconds; endless when there is none."""
        return math.inf if self.seconds is None else self.seconds

    def told(self) -> AbstractContextManager[None]:
        """Tell the person at the terminal, during a block that waits for the keyring, what is waited for."""
        if self.terminal is None or self.seconds is None:
            return nullcontext()
        return self.terminal.delayed_message(MESSAGE_AFTER, _waiting(self.seconds))

    def within(self, call: Callable[[], Result]) -> Result:
        """Make the call and return its result. Raises the call's own error, or StoreTimedOut."""
        if self.seconds is None:
            return call()
        try:
            with self.told():
                return within(self.seconds, call)
        except DeadlinePassed:
            raise timed_out(self.seconds) from None


UNATTENDED = Patience()
"""The deadline when nobody is at the terminal."""


def patience_for(terminal: Terminal) -> Patience:
    """Choose the deadline: long if a person at the terminal can type a password."""
    if not terminal.attended:
        return UNATTENDED
    return Patience(seconds=ATTENDED_SECONDS, terminal=terminal if terminal.watched else None, attended=True)


def looking(terminal: Terminal) -> Patience:
    """Choose the deadline of who only looks: nobody is asked for a password, and a person sees what takes long."""
    return Patience(terminal=terminal if terminal.watched else None)


def timed_out(seconds: float | None = None) -> StoreTimedOut:
    """Make the error for a keyring that did not answer in `seconds`; None: in the D-Bus library's own time."""
    return StoreTimedOut(
        f"the keyring did not answer {'in time' if seconds is None else f'within {seconds:.0f} s'}",
        hint="it may be waiting for its password in another window, or be stuck: unlock or restart it, then try again",
    )


def _waiting(seconds: float) -> str:
    return f"waiting for the keyring to answer (up to {seconds:.0f} s; is there a password prompt?)"
