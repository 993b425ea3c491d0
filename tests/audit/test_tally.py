"""What is counted of one profile."""

from tokenctl.audit.tally import PROGRAMS, Tally
from tokenctl.model.event import Event


def test_logins_renewals_and_refusals_are_counted() -> None:
    """A sign-in has two events, and is counted once; a dead refresh token is a refusal."""
    events = [
        Event(event="login", result="started", profile="t", at=1.0),
        Event(event="login", profile="t", at=2.0, asked_by="bash"),
        Event(event="renewal", profile="t", at=3.0, asked_by="gh"),
        Event(event="renewal", result="recovered", profile="t", at=4.0, asked_by="git"),
        Event(event="refusal", result="failed", profile="t", at=5.0, asked_by="gh"),
        Event(event="dead", result="failed", profile="t", at=6.0),
        Event(event="acknowledged", profile="t", at=7.0, asked_by="zsh"),
    ]
    tally = Tally(events[0])
    for event in events:
        tally.add(event)
    assert (tally.profile, tally.logins, tally.renewals, tally.refusals) == ("t", 1, 2, 2)
    assert (tally.last_renewal_at, tally.first_event_at, tally.last_event_at) == (4.0, 1.0, 7.0)
    assert tally.programs == ("gh", "git", "bash")


def test_the_programs_that_asked_last_are_named() -> None:
    """The last one first, and no more than a person reads."""
    events = [Event(event="renewal", profile="t", asked_by=f"p{number}") for number in (*range(20), 17)]
    tally = Tally(events[0])
    for event in events:
        tally.add(event)
    assert len(tally.programs) == PROGRAMS and tally.programs[:3] == ("p17", "p19", "p18")
