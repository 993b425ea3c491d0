"""The report of `audit` at a terminal: anomalies on top, then the last events or a plot, then totals."""

from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tokenctl.adapters.terminal import clean
from tokenctl.audit.anomaly import Anomaly
from tokenctl.audit.recent import Recent, Row
from tokenctl.audit.report import Report
from tokenctl.audit.tally import Tally
from tokenctl.cli.views.audit_lines import what
from tokenctl.cli.views.plot import BLOCKS, plots
from tokenctl.cli.views.tables import GAP
from tokenctl.cli.views.times import days, local

WIDEST = 100
"""Columns of a panel: longer lines are hard to read."""
PANELS = 10
"""How many anomalies are shown: the newest ones."""
COLOURS = {
    "dead": "red",
    "changed-outside": "red",
    "refusal": "yellow",
    "unanswered": "yellow",
    "keyring-failed": "yellow",
    "lock-wait": "yellow",
    "login": "green",
}
"""The colours of events that a person looks for."""


def report(found: Report, *, plot: bool) -> RenderableType:
    """Draw the report."""
    parts: list[RenderableType] = []
    hidden = len(found.anomalies) - PANELS
    if hidden > 0:
        parts.append(Text(f"{hidden} older anomalies are not shown here: tokenctl audit --json", style="dim"))
    parts += [_panel(each) for each in found.anomalies[-PANELS:]]
    if not found.anomalies:
        parts.append(Text.assemble(("● ", "green"), "no anomaly"))
    parts += [Text(), _plots(found) if plot else _events(found.recent)]
    parts += [Text(), _totals(found.tallies)]
    return Group(*parts)


def _panel(anomaly: Anomaly) -> Panel:
    """Draw one anomaly."""
    return Panel(
        Group(Text(clean(anomaly.sentence)), Text(), Text(clean(anomaly.remedy))),
        title=Text(clean(f"{anomaly.profile}: {anomaly.name}"), style="bold"),
        title_align="left",
        border_style="red",
        padding=(0, 1),
        width=min(WIDEST, Console().width),
    )


def _events(recent: Recent) -> RenderableType:
    drawn = _table("when", "profile", "what", "asked by")
    for row in recent.rows:
        drawn.add_row(
            local(row.event.at),
            Text(clean(row.event.profile), style="bold"),
            Text(_what(row), style=COLOURS.get(row.event.event, "")),
            Text(_who(row)),
        )
    if not recent.earlier:
        return drawn
    more = f"and {recent.earlier} earlier events: tokenctl audit | less"
    return Group(drawn, Text(more, style="dim"))


def _what(row: Row) -> str:
    if row.count == 1:
        return what(row.event)
    return f"renewed {row.count} times since {local(row.began_at)}"


def _who(row: Row) -> str:
    """Name the program that asked last, and tell how many others did."""
    if len(row.programs) < 2:
        return clean("".join(row.programs) or "-")
    return f"{clean(row.programs[0])} and {len(row.programs) - 1} more"


def _plots(found: Report) -> RenderableType:
    drawn: list[RenderableType] = []
    for name, rows in plots(found.renewals, BLOCKS, Console().width).items():
        drawn += [Text(clean(name), style="bold"), *(Text(row, no_wrap=True) for row in rows)]
    return Group(*drawn) if drawn else Text("no renewal", style="dim")


def _totals(tallies: tuple[Tally, ...]) -> Table:
    drawn = _table("profile", "logins", "renewals", "refusals", "last renewal", "events", "used by")
    for each in tallies:
        drawn.add_row(
            Text(clean(each.profile), style="bold"),
            *(f"{number}" for number in (each.logins, each.renewals, each.refusals)),
            "-" if each.last_renewal_at is None else local(each.last_renewal_at),
            days(each.first_event_at, each.last_event_at),
            Text(clean(", ".join(each.programs) or "-")),
        )
    return drawn


def _table(*heads: str) -> Table:
    """Begin a table without lines: a text that is too long goes on in the next line."""
    drawn = Table(box=None, padding=(0, GAP, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        justify: Literal["left", "right"] = "right" if head in ("logins", "renewals", "refusals") else "left"
        drawn.add_column(head, overflow="fold", justify=justify, no_wrap=head in ("when", "profile"))
    return drawn
