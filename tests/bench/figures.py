"""What the runs of `speed.py` say: medians, spreads, ratios, and the tables that show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

BARE = "python -c pass"
"""The case that each other one is compared with: the interpreter alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of a command cost: milliseconds of wall and of CPU time, and MiB of memory at its peak."""

    wall: float
    cpu: float
    peak: float


Runs = Mapping[str, Mapping[int, Run]]
"""The runs of each case, by the number of the round: runs of one round were made side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A case may take at most `limit` times as long as another one."""

    case: str
    peer: str
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A case in the table. The quartiles are of the wall time; the ratios are to the bare interpreter."""

    wall: float
    lower: float
    upper: float
    cpu: float
    peak: float
    ratio: float
    ratio_cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a target; the wall time decides, since it is what a person waits for."""

    case: str
    peer: str
    limit: float
    ratio: float
    ratio_cpu: float
    met: bool


def ratios(runs: Runs, case: str, peer: str) -> tuple[float, float]:
    """Return the ratio of two cases, in wall and in CPU time: the median of the ratios of each round.

    The speed of a machine changes while the rounds go on, so the ratio of the two medians would say less.
    """
    pairs = [(runs[case][each], runs[peer][each]) for each in runs[case] if each in runs[peer]]
    return median(a.wall / b.wall for a, b in pairs), median(a.cpu / b.cpu for a, b in pairs)


def line(runs: Runs, case: str) -> Line:
    """Sum up one case."""
    found = list(runs[case].values())
    walls = [each.wall for each in found]
    lower, _, upper = quantiles(walls, method="inclusive") if len(walls) > 1 else walls * 3
    ratio, ratio_cpu = ratios(runs, case, BARE)
    return Line(
        wall=median(walls),
        lower=lower,
        upper=upper,
        cpu=median(each.cpu for each in found),
        peak=median(each.peak for each in found),
        ratio=ratio,
        ratio_cpu=ratio_cpu,
    )


def verdicts(runs: Runs, targets: Iterable[Target]) -> list[Verdict]:
    """Judge the targets whose two cases were measured."""
    found = []
    for each in targets:
        if each.case in runs and each.peer in runs:
            ratio, ratio_cpu = ratios(runs, each.case, each.peer)
            found.append(Verdict(**asdict(each), ratio=ratio, ratio_cpu=ratio_cpu, met=ratio <= each.limit))
    return found


def tables(lines: Mapping[str, Line], absent: Mapping[str, str], judged: Iterable[Verdict]) -> str:
    """Draw the cases, what could not be measured and why, and the targets, as tables of Markdown."""
    cases = [("case", "wall ms", "quartiles", "CPU ms", "MiB", "x bare", "x bare, CPU")]
    for name, one in lines.items():
        spread = f"{one.lower:.1f}-{one.upper:.1f}"
        ratio = (f"{one.ratio:.2f}", f"{one.ratio_cpu:.2f}")
        cases.append((f"`{name}`", f"{one.wall:.1f}", spread, f"{one.cpu:.1f}", f"{one.peak:.1f}", *ratio))
    cases += [(f"`{name}`", reason, "", "", "", "", "") for name, reason in absent.items()]
    goals = [("target", "compared with", "wall", "CPU", "at most", "met")]
    for each in judged:
        ratio = (f"{each.ratio:.2f}", f"{each.ratio_cpu:.2f}")
        goals.append((f"`{each.case}`", f"`{each.peer}`", *ratio, f"{each.limit:.2f}", "yes" if each.met else "no"))
    return "\n\n".join(table(rows) for rows in (cases, goals) if len(rows) > 1)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Draw a table of Markdown; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    head, *rest = [f"| {' | '.join(row)} |" for row in padded]
    return "\n".join([head, f"|{'|'.join('-' * (width + 2) for width in widths)}|", *rest])
