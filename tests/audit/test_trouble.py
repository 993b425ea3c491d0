"""A keyring that fails again and again, and a lock that is held for too long."""

from typing import Any

import pytest

from tests.support.events import DAY, HOUR, MINUTE, event, found, login, renewal
from tokenctl.audit.trouble import keyring_failing, lock_waits
from tokenctl.model.event import Event


def failed(at: float, operation: str = "read", **members: Any) -> Event:
    """The keyring did not answer, or did not take a session."""
    return event("keyring-failed", at, operation=operation, error="StoreTimedOut", result="failed", **members)


def waited(at: float, seconds: Any = 60, **members: Any) -> Event:
    """A command gave up waiting for the lock."""
    return event("lock-wait", at, waited=seconds, **({"holder": 4711} | members))


def failing(*events: Event) -> int:
    """How many keyrings fail when the log is read."""
    return len(found(keyring_failing, events))


def waits(*events: Event) -> int:
    """How many times the lock was a trouble."""
    return len(found(lock_waits, events))


# -- the keyring ---------------------------------------------------------------------------------------


def test_three_failures_in_a_row_are_named() -> None:
    """The finding says since when, how often, and what failed last. It comes with the third one."""
    row = [failed(HOUR), failed(2 * HOUR), failed(3 * HOUR), failed(4 * HOUR, "write")]
    (anomaly,) = found(keyring_failing, [login(), *row])
    assert (anomaly.name, anomaly.profile, anomaly.evidence) == ("keyring-failing", "t", (2, 5))
    assert (anomaly.began_at, anomaly.at) == (row[0].at, row[2].at)
    assert "4 times" in anomaly.sentence and "write" in anomaly.sentence and "StoreTimedOut" in anomaly.sentence
    assert "tokenctl doctor -p t" in anomaly.remedy


def test_two_failures_are_none() -> None:
    """A keyring that starts, and one that is updated."""
    assert failing(failed(1), failed(2)) == 0


def test_a_renewal_whose_copy_fails_goes_on_with_the_row() -> None:
    """The session is renewed and safe, and the keyring has it not."""
    row = [each for n in range(3) for each in (renewal(n * HOUR), event("change", n * HOUR), failed(n * HOUR, "write"))]
    assert failing(*row) == 1


@pytest.mark.parametrize("operation", ["read", "write"])
def test_a_renewal_that_no_failure_follows_ends_the_row(operation: str) -> None:
    """Its copy reached the keyring, as the next renewal, the next failed read, or the end of the log shows."""
    row = [failed(n, operation) for n in range(3)]
    assert failing(*row, renewal(HOUR)) == 0
    assert failing(*row, renewal(HOUR), renewal(2 * HOUR), failed(2 * HOUR, "write")) == 0
    assert failing(*row, renewal(HOUR), failed(2 * HOUR, "read")) == 0
    assert failing(*row, renewal(HOUR), failed(HOUR, "write")) == 1


@pytest.mark.parametrize("kind", ["login", "migration", "revocation"])
def test_another_work_with_the_keyring_ends_the_row(kind: str) -> None:
    """It wrote an entry, or removed one. One that failed ends nothing."""
    row = [failed(n) for n in range(3)]
    assert failing(*row, event(kind, HOUR)) == 0
    assert failing(*row, event(kind, HOUR, result="started"), event(kind, HOUR, result="failed")) == 1
    assert failing(*row, event(kind, HOUR), failed(2 * HOUR), failed(2 * HOUR)) == 0
    assert failing(*row, event("revocation", HOUR, result="local")) == 0


def test_a_row_is_of_one_profile() -> None:
    """Each one has a store of its own."""
    assert failing(failed(1), failed(2), failed(3, profile="u"), renewal(4, profile="u")) == 0
    assert failing(failed(1), failed(2), failed(3), renewal(4, profile="u")) == 1


# -- the lock ------------------------------------------------------------------------------------------


def test_three_waits_in_a_day_are_named() -> None:
    """The finding says who held the lock."""
    (anomaly,) = found(lock_waits, [login(), waited(HOUR), waited(2 * HOUR, holder=None), waited(3 * HOUR, holder=12)])
    assert (anomaly.name, anomaly.profile, anomaly.evidence) == ("lock-waits", "t", (2, 3, 4))
    assert "4711" in anomaly.sentence and "12" in anomaly.sentence
    assert "tokenctl audit acknowledge lock-waits -p t" in anomaly.remedy


def test_two_waits_and_three_in_two_days_are_none() -> None:
    """A person may debug a process."""
    assert waits(waited(HOUR), waited(2 * HOUR)) == 0
    assert waits(waited(0), waited(HOUR), waited(DAY)) == 0
    assert waits(waited(0), waited(HOUR), waited(DAY), waited(DAY + HOUR / 2)) == 1


def test_waits_at_the_same_time_are_counted_too() -> None:
    """Three commands that give up together wait for a process that is stopped."""
    assert waits(*(waited(n) for n in range(3))) == 1


def test_it_is_named_once_a_day() -> None:
    """A process that is stopped for days is no news each hour."""
    assert waits(*(waited(n * HOUR) for n in range(24))) == 1
    assert waits(*(waited(n * HOUR) for n in range(72))) == 3


def test_a_clock_that_is_set_back_hides_nothing_later() -> None:
    """The waits of the wrong time are no reason to be silent."""
    wrong = [waited(400 * DAY + n * HOUR) for n in range(3)]
    assert waits(*wrong, *(waited(n * HOUR) for n in range(3))) == 2


def test_waits_are_of_one_profile() -> None:
    """Each one has a lock of its own."""
    assert waits(waited(0), waited(HOUR), waited(2 * HOUR, profile="u")) == 0


@pytest.mark.parametrize("absurd", ["60", None, [], True, -1, 10**400, float("nan")])
def test_absurd_members_raise_nothing(absurd: Any) -> None:
    """A member of a wrong type counts as absent."""
    assert waits(*(waited(n * MINUTE, absurd, holder=absurd) for n in range(3))) == 1
