"""A plot of renewals over time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.audit.over_time import OverTime
from tokenctl.cli.views.plot import BLOCKS, HEIGHT, PLAIN, Signs, plots


def counted(*times: float, profile: str = "t") -> OverTime:
    """Renewals at these times."""
    renewals = OverTime()
    for at in times:
        renewals.add(profile, at)
    return renewals


@given(
    st.lists(st.integers(0, 10_000_000), min_size=1, max_size=50),
    st.integers(60, 200),
    st.sampled_from([BLOCKS, PLAIN]),
)
def test_it_fits_the_width_and_every_renewal_is_seen(times: list[int], width: int, signs: Signs) -> None:
    """Whatever the times: no line is wider, and each step with a renewal has a bar."""
    renewals = counted(*map(float, times))
    (lines,) = plots(renewals, signs, width).values()
    assert len(lines) == HEIGHT + 2 and max(map(len, lines)) <= width
    first = lines[HEIGHT - 1]
    bars = {column for column, sign in enumerate(first) if sign in signs.levels[1:]}
    (counts,) = renewals.in_columns(width).values()
    assert len(bars) % sum(1 for each in counts if each) == 0 and bars


@pytest.mark.parametrize("signs", [BLOCKS, PLAIN])
def test_the_highest_bar_fills_the_plot(signs: Signs) -> None:
    """Its number stands beside it; a bar of a fourth of it fills a line."""
    times = [*([0.0] * 8), *([60.0] * 2), 120.0]
    (lines,) = plots(counted(*times), signs, 20).values()
    full = signs.levels[-1]
    assert lines[0].startswith(f"8 {signs.mark}{full}") and lines[HEIGHT].startswith(f"0 {signs.corner}")
    assert [line[3] for line in lines[:HEIGHT]] == [full] * HEIGHT
    assert [line[8:9] for line in lines[:HEIGHT]] == ["", "", "", full]


def test_the_axis_has_its_ends_and_the_length_of_a_bar() -> None:
    """Where the plot is too narrow for that, it stands in one line from the left."""
    (wide,) = plots(counted(*(float(hour * 3600) for hour in range(48))), BLOCKS, 70).values()
    assert wide[-1].count("one bar is 1 h") == 1 and wide[-1].rstrip().endswith(":00")
    (narrow,) = plots(counted(0.0), BLOCKS, 70).values()
    assert "one bar is 1 m" in narrow[-1]


def test_without_a_renewal_there_is_no_plot() -> None:
    """And nothing fails."""
    assert plots(counted(), BLOCKS, 80) == {}
