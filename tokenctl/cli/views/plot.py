"""A plot of renewals over time, as lines of text; rich is not needed for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenctl.audit.over_time import OverTime
from tokenctl.cli.views.times import local
from tokenctl.model.spans import span

HEIGHT = 4
"""Lines of a plot, without its axis."""
MARGIN = 8
"""Columns for the highest number, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a plot is drawn with: `levels` from empty to full, and the axis."""

    levels: str
    line: str
    mark: str
    corner: str


BLOCKS = Signs(levels=" ▁▂▃▄▅▆▇█", line="─", mark="┤", corner="└")
PLAIN = Signs(levels=" .:#", line="-", mark="|", corner="+")


def plots(renewals: OverTime, signs: Signs, width: int) -> dict[str, list[str]]:
    """Draw a plot for each profile that was renewed, `width` columns wide at most; all have the same time axis."""
    counts = renewals.in_columns(max(1, width - MARGIN))
    margin = max((len(str(max(each))) for each in counts.values()), default=0) + 2
    wide = max(1, (width - margin) // max(1, renewals.steps))
    axis = f"{' ' * margin}{_times(renewals, width - margin, wide)}"
    return {name: [*_rows(counts[name], signs, margin, wide), axis] for name in sorted(counts)}


def _rows(counts: Sequence[int], signs: Signs, margin: int, wide: int) -> list[str]:
    """Draw the bars, each `wide` columns, and the line below them."""
    highest, full = max(counts), len(signs.levels) - 1
    heights = [-(-each * HEIGHT * full // highest) for each in counts]  # rounded up: one renewal is seen
    rows = []
    for below in range((HEIGHT - 1) * full, -1, -full):
        label = f"{highest} {signs.mark}" if below == (HEIGHT - 1) * full else signs.mark
        bars = "".join(signs.levels[min(full, max(0, each - below))] * wide for each in heights)
        rows.append(f"{label:>{margin}}{bars}".rstrip())
    return [*rows, f"{f'0 {signs.corner}':>{margin}}{signs.line * wide * len(counts)}"]


def _times(renewals: OverTime, width: int, wide: int) -> str:
    """Write the labels of the axis: its two ends, and how long a bar is."""
    begin = local(renewals.begins_at)
    end = local(renewals.begins_at + renewals.steps * renewals.step)
    bar = f"one bar is {span(renewals.step)}"
    between = renewals.steps * wide - len(begin) - len(end)
    return f"{begin}{bar:^{between}}{end}" if between >= len(bar) + 4 else f"{begin} to {end}, {bar}"[:width]
