"""Renewals over time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tokenctl.audit.over_time import MOST, STEPS, OverTime

moments = st.lists(st.floats(0, 2**33), min_size=1, max_size=60)


@given(moments, st.integers(1, 100))
def test_every_renewal_is_in_its_column(times: list[float], most: int) -> None:
    """Whatever the order of the times, none is lost, and there are no more columns than asked for."""
    renewals = OverTime()
    for at in times:
        renewals.add("t", at)
        assert renewals.steps <= MOST
    (columns,) = renewals.in_columns(most).values()
    expected = [0] * len(columns)
    for at in times:
        expected[int((at - renewals.begins_at) // renewals.step)] += 1
    assert columns == expected and 1 <= len(columns) <= most


def test_the_steps_are_those_of_a_calendar() -> None:
    """Each is a whole part of the next one, so that counts can be joined."""
    assert all(longer % shorter == 0 for shorter, longer in pairwise(STEPS))
    renewals = OverTime()
    for hour in range(24 * 30):
        renewals.add("t", hour * 3600.0)
    assert renewals.in_columns(70) == {"t": [12] * 60} and renewals.step == 43200


def test_profiles_have_the_same_columns() -> None:
    """So that two plots, one below the other, can be compared."""
    renewals = OverTime()
    renewals.add("a", 0.0)
    renewals.add("b", 7200.0)
    assert renewals.in_columns(3) == {"a": [1, 0, 0], "b": [0, 0, 1]}


def test_without_a_renewal_there_is_no_column() -> None:
    """And nothing fails."""
    assert OverTime().in_columns(80) == {} and OverTime().steps == 0
