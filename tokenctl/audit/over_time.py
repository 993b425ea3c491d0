"""Renewals over time: how many each profile had in each step of time, in constant memory."""

from collections import Counter, defaultdict
from collections.abc import Iterable

MOST = 2000
"""How many steps are kept. With one more, each step becomes longer."""
STEPS = (60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400)
"""The lengths of a step in seconds; then each is twice the one before. Each has the one before as a whole part."""


class OverTime:
    """Counts renewals by profile and step; the steps are those of UTC."""

    def __init__(self) -> None:
        self.step = STEPS[0]
        """Seconds."""
        self.counts: dict[str, Counter[int]] = defaultdict(Counter)
        """Profile -> number of a step since 1970 -> renewals."""
        self._first: int | None = None
        self._last = 0

    def add(self, profile: str, at: float) -> None:
        """Count a renewal; `at` is epoch seconds."""
        number = int(at // self.step)
        self.counts[profile][number] += 1
        self._first = number if self._first is None else min(self._first, number)
        self._last = max(self._last, number)
        while self.steps > MOST:
            self._lengthen()

    @property
    def steps(self) -> int:
        """How many steps there are from the first renewal to the last one."""
        return 0 if self._first is None else self._last - self._first + 1

    @property
    def begins_at(self) -> int:
        """When the first step begins, in epoch seconds."""
        return (self._first or 0) * self.step

    def in_columns(self, most: int) -> dict[str, list[int]]:
        """Lengthen the steps until there are at most so many; return the renewals of each, by profile."""
        while self.steps > most:
            self._lengthen()
        first = self._first or 0
        return {name: [counts[first + at] for at in range(self.steps)] for name, counts in self.counts.items()}

    def _lengthen(self) -> None:
        longer = next((each for each in STEPS if each > self.step), self.step * 2)
        parts = longer // self.step
        for name, counts in self.counts.items():
            self.counts[name] = _joined(counts.items(), parts)
        self._first, self._last, self.step = (self._first or 0) // parts, self._last // parts, longer


def _joined(counts: Iterable[tuple[int, int]], parts: int) -> Counter[int]:
    joined: Counter[int] = Counter()
    for number, count in counts:
        joined[number // parts] += count
    return joined
