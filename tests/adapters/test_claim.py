"""The claim: one of two threads decides whether a request is sent."""

import threading

import pytest

from tokenctl.adapters.claim import Claim, GivenUp


class Noted(Claim):
    """A claim that writes down what happens, and that may forbid the request."""

    def __init__(self, *, allowed: bool = True) -> None:
        super().__init__()
        self.notes: list[str] = []
        self._allowed = allowed

    def note(self) -> None:
        """Write it down."""
        self.notes.append("noted")

    def take_back(self) -> None:
        """Write it down."""
        self.notes.append("taken back")

    def allowed(self) -> bool:
        """As the test wants it."""
        return self._allowed


def test_the_first_of_two_threads_decides() -> None:
    """Whoever gives up knows whether it was sent, however close the two are."""
    for _ in range(400):
        claim, start = Noted(), threading.Barrier(2)
        sent: list[bool] = []

        def send(claim: Noted = claim, start: threading.Barrier = start, sent: list[bool] = sent) -> None:
            start.wait()
            try:
                claim.take()
            except GivenUp:
                return
            sent.append(True)

        thread = threading.Thread(target=send)
        thread.start()
        start.wait()
        unsent = claim.give_up()
        thread.join()
        assert unsent is not bool(sent) and claim.sent is bool(sent)
        assert claim.notes == (["noted"] if sent else [])


def test_a_request_that_was_given_up_leaves_no_note() -> None:
    """Its thread may come to the first byte much later."""
    claim = Noted()
    assert claim.give_up() and claim.give_up()
    with pytest.raises(GivenUp):
        claim.take()
    assert claim.notes == [] and not claim.sent


def test_a_request_that_is_not_allowed_takes_its_note_back() -> None:
    """And whoever waits for it learns that it was not sent."""
    claim = Noted(allowed=False)
    with pytest.raises(GivenUp):
        claim.take()
    assert claim.notes == ["noted", "taken back"] and claim.give_up() and not claim.sent


def test_a_request_that_was_sent_cannot_be_given_up() -> None:
    """Its answer has to be waited for, or counted as lost."""
    claim = Noted()
    claim.take()
    assert not claim.give_up() and claim.sent
