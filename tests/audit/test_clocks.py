"""A clock that was set wrong, a machine that went back to a snapshot, and what only looks like them."""

from typing import Any

import pytest

from tests.support.events import DAY, HOUR, MINUTE, event, found
from tokenctl.audit.clocks import BOOTS, jumped
from tokenctl.model.anomalous import CLOCK_SHIFT
from tokenctl.model.event import Event


def at(boot: float, wall: float = 0.0, kind: str = "renewal", **members: Any) -> Event:
    """An event `boot` seconds after the boot, when the wall clock is `wall` seconds ahead of the true time.

    The server tells the true time.
    """
    usual = {"boot_id": "b", "uptime": boot, "server_clock": -wall if kind == "renewal" else None}
    return event(kind, boot + wall, **(usual | members))


def untold(boot: float, wall: float = 0.0, **members: Any) -> Event:
    """The same with a server that tells no time."""
    return at(boot, wall, server_clock=None, **members)


def jumps(*events: Event) -> int:
    """How many jumps the events show."""
    return len(found(jumped, events))


# -- the clock is wrong afterwards ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "words"), [(2 * HOUR, ("ahead by 2 h", "2 h ahead")), (-DAY, ("back by 1 d", "1 d behind"))]
)
def test_a_clock_that_was_set_wrong_is_named(wall: float, words: tuple[str, ...]) -> None:
    """The finding says between which times, which way, and how far."""
    (anomaly,) = found(jumped, [at(0), at(900), at(1800, wall), at(2700, wall)])
    assert (anomaly.name, anomaly.profile, anomaly.evidence) == ("clock-jumped", "t", (2, 3))
    assert all(each in anomaly.sentence for each in words)
    assert "tokenctl audit acknowledge clock-jumped -p t" in anomaly.remedy


def test_a_small_step_is_no_jump() -> None:
    """Time servers move a clock by less than two minutes."""
    assert jumps(at(0), at(900, CLOCK_SHIFT - 1)) == 0
    assert jumps(at(0), at(900, CLOCK_SHIFT + 1)) == 1


def test_events_that_know_no_server_in_between_hide_nothing() -> None:
    """A login and a wait for the lock are events too, and the first of them can be the first of the boot."""
    between = at(60, DAY, "lock-wait"), at(61, DAY, "told")
    assert jumps(at(0), *between, at(900, DAY)) == 1
    assert jumps(at(0, 0, "login"), *between, at(900, DAY)) == 1


def test_other_profiles_belong_to_the_same_clock() -> None:
    """The machine has one clock, whoever asks."""
    assert jumps(at(0), at(900, DAY, profile="u")) == 1


# -- the clock is right afterwards ---------------------------------------------------------------------


def test_a_virtual_machine_that_slept_is_no_jump() -> None:
    """Its clock since boot stood still, and its wall clock was put right after the sleep."""
    night = 9 * HOUR
    asleep = event("renewal", 900 + night, boot_id="b", uptime=900.0, server_clock=0.0)
    assert jumps(at(0), asleep) == 0


@pytest.mark.parametrize("wall", [DAY, -DAY, 200.0, -200.0])
def test_a_clock_that_is_put_right_is_no_jump(wall: float) -> None:
    """It was wrong when the machine started, whether an event knew that or not."""
    assert jumps(at(0, wall), at(900)) == 0
    assert jumps(at(0, wall, "login"), at(1, wall, "login"), at(900)) == 0
    assert jumps(untold(0, wall), at(900)) == 0


def test_a_clock_that_goes_back_between_two_right_times_is_a_jump() -> None:
    """The clock since boot went ahead: no machine that sleeps does that."""
    later = event("renewal", 900, boot_id="b", uptime=900.0 + HOUR, server_clock=0.0)
    assert jumps(at(0), later) == 1


def test_a_server_whose_own_clock_is_wrong_proves_nothing() -> None:
    """It was as far away before the sleep as after it. A clock that is set wrong moves away from it."""
    wrong: dict[str, Any] = {"server_clock": 600.0}
    asleep = event("renewal", 900 + HOUR, boot_id="b", uptime=900.0, **wrong)
    assert jumps(at(0, **wrong), asleep) == 0
    assert jumps(at(0, **wrong), at(900, HOUR, server_clock=600.0 - HOUR)) == 1


def test_a_clock_that_is_wrong_all_the_time_does_not_jump() -> None:
    """The machine is an hour behind, and nobody sets it."""
    assert jumps(*(at(n * 900, -HOUR) for n in range(9))) == 0


def test_a_machine_that_wakes_at_a_server_whose_clock_is_wrong_can_be_put_right() -> None:
    """Some programs ask before; afterwards the server is as far ahead as it was before the sleep."""
    awake = [at(0, server_clock=1000), at(60, server_clock=1000 + DAY), at(70, server_clock=1000 + DAY)]
    assert jumps(*awake, at(80, DAY, server_clock=1000)) == 0
    assert jumps(*awake, at(80, DAY, server_clock=-5000)) == 1


def test_a_machine_that_slept_twice_can_ask_before_it_is_put_right_again() -> None:
    """Its clock was put right after the first sleep, without an event, and is behind after the second one."""
    assert jumps(at(0), at(60, 3 * DAY, server_clock=2 * DAY), at(90, 5 * DAY, server_clock=0)) == 0


# -- a server that tells no time -----------------------------------------------------------------------


def test_where_no_server_tells_its_time_a_step_back_counts() -> None:
    """A step ahead is what sleep looks like."""
    assert jumps(untold(HOUR), untold(2 * HOUR, -HOUR)) == 1
    assert jumps(untold(HOUR), untold(2 * HOUR, HOUR)) == 0


def test_where_no_server_tells_its_time_a_clock_can_be_put_right() -> None:
    """Soon after the boot by any time, as where another system left local time; later by what a clock drifts."""
    assert jumps(untold(MINUTE, 2 * HOUR), untold(HOUR)) == 0
    assert jumps(untold(HOUR, 3 * MINUTE), untold(2 * HOUR)) == 0


def test_a_clock_that_drifted_for_weeks_can_be_put_right() -> None:
    """Both clocks of an offline machine gain seconds a day, and a time server puts the wall clock right."""
    assert jumps(at(0), at(14 * DAY, -2.3 * MINUTE, server_clock=0)) == 0
    assert jumps(at(0), at(DAY, -2.3 * MINUTE, server_clock=0)) == 1


def test_a_step_back_waits_for_an_answer() -> None:
    """The next answer can tell that the clock was put right."""
    assert jumps(at(0, HOUR, "login"), at(60, 0, "login"), at(900)) == 0
    assert jumps(at(0, HOUR, "login"), at(60, 0, "renewal", result="recovered", server_clock=None), at(900)) == 0


def test_a_server_that_tells_no_time_leaves_it_to_one_that_does() -> None:
    """The other profile's server says that the clock was put right."""
    assert jumps(at(0, HOUR), untold(60, profile="u"), at(900)) == 0


@pytest.mark.parametrize("server_clock", ["0", [], True, 10**400, float("inf")])
def test_a_time_of_a_wrong_type_is_none(server_clock: Any) -> None:
    """It counts as absent."""
    assert jumps(at(0), at(900, HOUR, server_clock=server_clock)) == 0


# -- boots ---------------------------------------------------------------------------------------------


def test_a_machine_that_went_back_to_a_snapshot_is_named() -> None:
    """Its clock since boot went back within one boot, and the log did not."""
    (anomaly,) = found(jumped, [at(HOUR), at(HOUR + 900), at(MINUTE, 2 * HOUR)])
    assert anomaly.evidence == (2, 3) and "snapshot" in anomaly.sentence
    assert jumps(at(HOUR), at(MINUTE), at(MINUTE + 900), at(MINUTE + 1800)) == 1


def test_events_that_were_written_in_another_order_are_no_snapshot() -> None:
    """A process waits for the log's lock for some seconds."""
    assert jumps(at(HOUR), at(HOUR - 5), at(HOUR + 1)) == 0


def test_two_boots_are_not_compared() -> None:
    """The clock was set while the machine was off, and two machines can share a state directory."""
    assert jumps(at(HOUR), at(60, DAY, boot_id="c"), at(HOUR + 900), at(960, DAY, boot_id="c")) == 0
    boots = [at(60 + n, boot_id=f"c{n}") for n in range(BOOTS + 5)]
    assert jumps(at(0), *boots, at(900, DAY)) == 0
    assert jumps(at(0), *boots[: BOOTS - 1], at(900, DAY)) == 1


@pytest.mark.parametrize("missing", [{"boot_id": None}, {"uptime": None}])
def test_a_machine_without_both_clocks_shows_nothing(missing: dict[str, Any]) -> None:
    """Other systems than Linux do not tell both."""
    assert jumps(at(0, **missing), at(900, DAY, **missing)) == 0
    assert jumps(at(HOUR), at(HOUR + 900, **missing), at(HOUR + 1800)) == 0
