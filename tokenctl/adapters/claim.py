"""The claim: one atomic decision whether a request is sent, between the thread that sends it and the one that waits.

A thread that waits for a request can give up while the other thread still connects. A look at the clock just before
the first byte is not enough: the waiting thread can give up between the look and the write. With a claim the first of
the two decides, and both know the decision.
"""

import threading


class GivenUp(Exception):
    """The request was given up before its first byte was sent."""


class Claim:
    """The decision for one request. A subclass can note something before the decision, and allow or forbid it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: bool | None = None

    @property
    def sent(self) -> bool:
        """Tell whether the request was sent, or may have been."""
        return self._sent is True

    def take(self) -> None:
        """Decide for sending. Called just before the first byte. Raises GivenUp, and then no byte may be sent."""
        with self._lock:  # while the note is written, nobody can give up: a note without a decision would stay
            if self._sent is None:
                self.note()
                self._sent = self.allowed()
                if not self._sent:
                    self.take_back()
        if not self._sent:
            raise GivenUp

    def give_up(self) -> bool:
        """Decide against sending, unless the request is sent already. Tells whether it is surely not sent."""
        with self._lock:
            if self._sent is None:
                self._sent = False
        return not self._sent

    def note(self) -> None:
        """Write down that the request is about to be sent. What this raises stops the request."""

    def take_back(self) -> None:
        """Take the note back, because the request is not sent."""

    def allowed(self) -> bool:
        """Tell whether the request may still be sent."""
        return True
