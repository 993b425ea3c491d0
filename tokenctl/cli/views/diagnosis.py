"""The findings of the doctor at a terminal, with rich: what is in order first, what is wrong last, next to the prompt."""

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tokenctl.adapters.terminal import clean
from tokenctl.cli.views.examination import verdict
from tokenctl.doctor.examination import Examination
from tokenctl.doctor.finding import Finding, Status

WIDEST = 100
"""Columns: longer lines are hard to read."""
_GROUPS: dict[Status, tuple[str, str, str]] = {
    "ok": ("✓", "green", "in order"),
    "could not check": ("?", "blue", "could not be checked"),
    "warning": ("!", "yellow", "warnings"),
    "failed": ("✗", "red", "failed"),
}
"""Status -> its mark, its colour, and the heading of its findings."""


def drawn(found: Examination) -> RenderableType:
    """Draw an examination."""
    parts = list(_parts(found))
    colour = "red" if found.exit_status else "yellow" if _of(found, "warning") else "green"
    return Group(*parts, Text(verdict(found), style=f"bold {colour}"))


def width() -> int:
    """Return the columns for it."""
    return min(WIDEST, Console().width)


def _parts(found: Examination) -> Iterator[RenderableType]:
    names = max((len(each.check) for each in found.findings), default=0)
    for status, (mark, colour, heading) in _GROUPS.items():
        findings = _of(found, status)
        if findings:
            yield Text(heading, style=f"bold {colour}")
            yield _table(findings, mark, colour, names)
            yield Text()


def _of(found: Examination, status: Status) -> Sequence[Finding]:
    return [each for each in found.findings if each.status == status]


def _table(findings: Sequence[Finding], mark: str, colour: str, names: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=colour, no_wrap=True)
    table.add_column(style="bold", no_wrap=True, min_width=names)
    table.add_column(overflow="fold")
    before = None
    for each in findings:
        name = each.check if each.check != before else ""
        before = each.check
        table.add_row(mark, name, Text(clean(each.sentence)))
        if each.remedy:
            table.add_row("", "", Text(f"→ {clean(each.remedy)}", style="cyan"))
    return table
