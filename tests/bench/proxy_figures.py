"""What the loads of `proxy.py` say: shares, added latencies, and the tables that show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.figures import table
from tests.bench.load import Load

DIRECT, PLAIN, OURS = "direct", "plain pass-through", "tokenctl proxy"
"""The ways to the server."""
SHARE, ADDED, GROWTH = 0.5, 2.0, 16.0
"""The goals: this share of the plain one's requests per second, and at most so many ms and so many MiB more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a load took, and milliseconds of CPU time of the proxy for each request."""

    load: Load
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a large body took: MiB a second, and MiB of the proxy's memory before it and at the peak."""

    speed: float
    before: float
    peak: float


Rounds = Sequence[Mapping[tuple[str, int], Measured]]
"""The loads of each round, by way and number of clients."""


def share(rounds: Rounds, way: str, clients: int) -> float:
    """Compare requests per second with the plain pass-through's: the median of the ratios of each round."""
    return median(each[way, clients].load.per_second / each[PLAIN, clients].load.per_second for each in rounds)


def added(rounds: Rounds, way: str, clients: int) -> tuple[float, float]:
    """Tell how much later an answer comes than directly: milliseconds at the median and at the 99th percentile."""
    pairs = [(each[way, clients].load, each[DIRECT, clients].load) for each in rounds]
    return median(a.middle - b.middle for a, b in pairs), median(a.p99 - b.p99 for a, b in pairs)


def small_table(rounds: Rounds) -> str:
    """Draw what small requests took."""
    head = (
        "clients",
        "way",
        "requests/s",
        "x plain",
        "CPU ms a request",
        "median ms",
        "p99 ms",
        "added ms",
        "added p99",
    )
    rows: list[Sequence[str]] = [head]
    for way, clients in sorted(rounds[0], key=lambda case: (case[1], (DIRECT, PLAIN, OURS).index(case[0]))):
        found = [each[way, clients] for each in rounds]
        figures = (
            f"{median(each.load.per_second for each in found):.0f}",
            f"{share(rounds, way, clients):.2f}",
            f"{median(each.cpu for each in found):.2f}",
            f"{median(each.load.middle for each in found):.2f}",
            f"{median(each.load.p99 for each in found):.2f}",
            *(f"{each:.2f}" for each in added(rounds, way, clients)),
        )
        rows.append((str(clients), way, *figures))
    return table(rows)


def large_table(moved: Mapping[tuple[str, str], Moved]) -> str:
    """Draw what a large body took in each direction."""
    rows: list[Sequence[str]] = [("body", "way", "MiB/s", "MiB before", "MiB at the peak", "more")]
    for (direction, way), one in moved.items():
        figures = (one.speed, one.before, one.peak, one.peak - one.before)
        rows.append((direction, way, *(f"{each:.0f}" for each in figures)))
    return table(rows)


def goals_table(rounds: Rounds, moved: Mapping[tuple[str, str], Moved]) -> str:
    """Draw which goals are met."""
    rows: list[Sequence[str]] = [("goal", "measured", "limit", "met")]

    def judge(goal: str, measured: float, limit: float, *, met: bool) -> None:
        rows.append((goal, f"{measured:.2f}", f"{limit:.2f}", "yes" if met else "no"))

    for clients in sorted({clients for _, clients in rounds[0]}):
        ratio = share(rounds, OURS, clients)
        judge(f"share of the plain one's requests/s, {clients} clients", ratio, SHARE, met=ratio >= SHARE)
    middle = added(rounds, OURS, min(clients for _, clients in rounds[0]))[0]
    judge("ms added at the median, one client", middle, ADDED, met=middle < ADDED)
    for (direction, way), one in moved.items():
        if way == OURS:
            growth = one.peak - one.before
            judge(f"MiB more for a large body {direction}", growth, GROWTH, met=growth <= GROWTH)
    return table(rows)
