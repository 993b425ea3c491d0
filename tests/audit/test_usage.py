"""A session that is renewed too often, and one that nobody uses."""

from typing import Any

import pytest

from tests.support.events import DAY, HOUR, MINUTE, START, dead, event, found, login, renewal
from tokenctl.audit.members import when
from tokenctl.audit.usage import UNUSED, idle, too_many
from tokenctl.model.anomalous import most_renewals
from tokenctl.model.event import Event

MOST = most_renewals(900)


def burst(count: int, begins: float = 0.0, every: float = 1.0, **members: Any) -> list[Event]:
    """Some renewals one after another."""
    return [renewal(begins + n * every, **members) for n in range(count)]


def bursts(*events: Event) -> int:
    """How many bursts the events show."""
    return len(found(too_many, events))


def unused(*events: Event, ends: float) -> int:
    """How many sessions are idle when the log is read."""
    return len(found(idle, events, ends))


# -- too many ------------------------------------------------------------------------------------------


def test_a_burst_is_named_with_the_program_that_asked_most() -> None:
    """The finding says how often, in which time, and who."""
    others = burst(5, asked_by="bash")
    (anomaly,) = found(too_many, [*others, *burst(MOST, 60.0, asked_by="make")])
    assert (anomaly.name, anomaly.profile) == ("too-many-renewals", "t")
    assert anomaly.evidence == (1, MOST + 1)
    assert f"{MOST + 1} times" in anomaly.sentence and f"make asked for {MOST - 4}" in anomaly.sentence
    assert "15 m " in anomaly.sentence and "tokenctl audit acknowledge too-many-renewals -p t" in anomaly.remedy


@pytest.mark.parametrize("lifetime", [1, 60, 300, 900, 3600, 36_000])
def test_as_many_as_the_lifetime_explains_are_ordinary(lifetime: int) -> None:
    """Whoever wants half of the life left renews after the other half; all day long."""
    every = max(1.0, lifetime / 2)
    assert bursts(*burst(int(3 * HOUR / every), every=every, lifetime=lifetime)) == 0


@pytest.mark.parametrize("lifetime", [60, 900, 36_000, None])
def test_one_more_is_a_burst(lifetime: int | None) -> None:
    """Where the lifetime is not known, ten renewals an hour need no explanation."""
    most = most_renewals(lifetime)
    assert bursts(*burst(most, lifetime=lifetime)) == 0
    assert bursts(*burst(most + 1, lifetime=lifetime)) == 1


def test_a_burst_is_named_once() -> None:
    """It is over when an hour has passed in which no renewal was one too many."""
    first = burst(10 * MOST, every=60.0)
    again = burst(MOST + 1, begins=first[-1].at - START + HOUR)
    assert bursts(*first) == 1
    assert bursts(*first, *again) == 2


def test_renewals_in_different_hours_do_not_count_together() -> None:
    """A person who tries something out, in the morning and at noon."""
    assert bursts(*burst(MOST), *burst(MOST, begins=HOUR + MOST)) == 0


def test_each_target_counts_on_its_own() -> None:
    """A narrower token is renewed on its own."""
    each = [renewal(n * 30.0 + k, target=f"k{k}") for n in range(MOST) for k in range(3)]
    assert bursts(*each) == 0
    assert bursts(*burst(MOST + 1, target="k")) == 1


def test_a_session_that_a_narrower_token_ends_is_renewed_early() -> None:
    """Some servers end the session's access token then, so each narrower token costs one renewal of the session."""
    pairs = [renewal(n * 30.0 + k, target=target) for n in range(MOST) for k, target in enumerate(("k", None))]
    assert bursts(*pairs) == 0
    assert bursts(*pairs, *burst(MOST + 1, begins=MOST * 30.0)) == 1


def test_each_profile_counts_on_its_own() -> None:
    """Two sessions are renewed twice as often."""
    assert bursts(*burst(MOST), *burst(MOST, profile="u")) == 0


def test_a_longer_lifetime_does_not_condemn_the_renewals_before() -> None:
    """The server's setting was changed at noon."""
    assert bursts(*burst(most_renewals(60), every=30.0, lifetime=60), renewal(HOUR - 1, lifetime=36_000)) == 0


def test_a_renewal_that_was_cut_off_counts_once() -> None:
    """Its event is written by the next run, and can be written twice. It knows no lifetime."""

    def recovered(generation: int) -> Event:
        members = {"session": "s", "generation": generation, "fingerprint": "f1", "result": "recovered"}
        return event("renewal", float(generation), **members)

    again = [recovered(2) for _ in range(MOST + 1)]
    assert bursts(login(), *again) == 0
    assert bursts(login(), *(recovered(n) for n in range(2, MOST + 2))) == 0
    assert bursts(login(), *(recovered(n) for n in range(2, MOST + 3))) == 1
    assert bursts(login(), renewal(1, target="k", lifetime=1), *(recovered(n) for n in range(2, MOST + 4))) == 1
    assert (
        bursts(login(), renewal(1, session="before", generation=99), *(recovered(n) for n in range(2, MOST + 2))) == 1
    )
    assert bursts(login(), renewal(1, generation=3), *(recovered(n) for n in (2, 3) * MOST)) == 0


def test_a_clock_that_is_set_back_doubles_nothing() -> None:
    """The renewals of the hour that comes twice are not counted together."""
    once = burst(110, every=30.0, lifetime=60)
    assert bursts(*once, *burst(110, begins=10.0, every=30.0, lifetime=60)) == 0


@pytest.mark.parametrize("lifetime", ["900", [], True, -5, 0, 10**400, 1e300, float("nan")])
def test_an_absurd_lifetime_raises_nothing(lifetime: Any) -> None:
    """A member of a wrong type counts as absent."""
    assert bursts(*burst(3, lifetime=lifetime, target={"a": 1})) == 0


# -- idle ----------------------------------------------------------------------------------------------


def test_a_session_that_nobody_used_for_a_month_is_named() -> None:
    """The finding says when it was used last. It comes with the 30 days, and not with the audit."""
    (anomaly,) = found(idle, [login(), renewal(DAY), event("told", 2 * DAY, anomaly="x")], 99 * DAY)
    assert (anomaly.name, anomaly.profile, anomaly.evidence) == ("idle-session", "t", (2,))
    assert (anomaly.began_at, anomaly.at) == (START + DAY, START + DAY + 900 + UNUSED)
    assert when(START + DAY) in anomaly.sentence and "tokenctl revoke -p t" in anomaly.remedy


def test_thirty_days_count_from_the_end_of_the_access_token() -> None:
    """A token that lives for a week can be used for a week without an event."""
    life: dict[str, Any] = {"lifetime": int(7 * DAY)}
    assert unused(login(**life), ends=37 * DAY) == 0
    assert unused(login(**life), ends=37 * DAY + 1) == 1
    assert unused(login(lifetime=None), ends=99 * DAY) == 0


def test_a_use_ends_it() -> None:
    """Also one that failed, and one of a kind that this version does not know."""
    for used in (
        renewal(40 * DAY),
        event("unanswered", 40 * DAY),
        event("keyring-failed", 40 * DAY),
        event("new", 40 * DAY),
    ):
        assert unused(login(), used, ends=41 * DAY) == 0
    for said in ("told", "acknowledged"):
        assert unused(login(), event(said, 40 * DAY), ends=41 * DAY) == 1


def test_a_session_that_is_over_is_not_idle() -> None:
    """Signed out, refused for good, or ended with its refresh token."""
    for result in ("ok", "local"):
        assert unused(login(), event("revocation", HOUR, result=result), ends=40 * DAY) == 0
    assert unused(login(), dead(HOUR), ends=40 * DAY) == 0
    assert unused(login(refresh_expires_at=START + 40 * DAY), ends=40 * DAY) == 0
    assert unused(login(refresh_expires_at=START + 40 * DAY), ends=39 * DAY) == 1
    assert unused(login(), event("revocation", HOUR, result="failed"), ends=40 * DAY) == 1


def test_a_new_login_begins_anew() -> None:
    """After a sign-out and after a refusal."""
    for over in (event("revocation", HOUR), dead(HOUR)):
        assert unused(login(), over, login(2 * HOUR, "f2"), ends=40 * DAY) == 1
        assert unused(login(), over, login(2 * HOUR, "f2", result="failed"), ends=40 * DAY) == 0


def test_a_session_without_a_refresh_token_is_not_alive() -> None:
    """A machine signs in again with its secret."""
    assert unused(login(renewable=False), ends=40 * DAY) == 0
    assert unused(login(renewable=False), renewal(1, old_fingerprint=None), ends=40 * DAY) == 0
    assert unused(login(renewable="yes"), ends=40 * DAY) == 0


def test_a_log_that_begins_later_knows_the_session_by_its_renewals() -> None:
    """The login was rotated away."""
    assert unused(renewal(0), ends=40 * DAY) == 1
    assert unused(renewal(0, old_fingerprint=None), ends=40 * DAY) == 0
    assert unused(event("migration", 0), ends=40 * DAY) == 0


def test_a_narrower_token_does_not_say_when_the_sessions_own_ends() -> None:
    """It has a lifetime of its own."""
    assert unused(login(), renewal(MINUTE, target="k", lifetime=int(90 * DAY)), ends=40 * DAY) == 1


def test_each_profile_is_used_on_its_own() -> None:
    """One is used every day, and the other is not."""
    daily = [renewal(n * DAY, profile="u") for n in range(40)]
    assert [each.profile for each in found(idle, [login(), *daily], 40 * DAY)] == ["t"]
