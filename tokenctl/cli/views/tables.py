"""The tables of `show --all` and `profile`, at a terminal: no column is lost, and none is wider than the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tokenctl.adapters.terminal import clean
from tokenctl.cli.views.document import span
from tokenctl.cli.views.panels import COLOURS
from tokenctl.cli.views.profiles import value

GAP = 2
"""Columns between two columns of a table."""
NARROWEST = 8
"""Columns to which a text is shortened at most."""
STATES = {
    "fresh": "fresh",
    "stale": "renews soon",
    "expired": "expired",
    "login_required": "sign in again",
    "signing_out": "signing out",
    "logged_out": "signed out",
}
"""What a table says of a state, in few words."""


def sessions(shown: Sequence[dict[str, Any]]) -> Table:
    """Draw every profile's document as one table."""
    rows = [
        (
            found["profile"],
            f"● {STATES[found['state']]}",
            clean(found["account"] or "-"),
            _left(found["access_token"]),
            _server(found["issuer"]),
            found["store"]["kind"],
        )
        for found in shown
    ]
    drawn, widths = _table(("profile", "state", "account", "life left", "issuer", "kept in"), rows, (0, 2, 4))
    for found, row in zip(shown, rows, strict=True):
        cells = _cells(row, widths)
        cells[0].stylize("bold")
        cells[1].stylize(COLOURS[found["state"]], 0, 1)
        drawn.add_row(*cells)
    return drawn


def profiles(shown: Sequence[dict[str, Any]]) -> Table:
    """Draw the profiles of the config file; a star marks the default one."""
    rows = [
        ("*" if found["default"] else "", found["profile"], _server(found["issuer"]), found["flow"]) for found in shown
    ]
    drawn, widths = _table(("", "profile", "issuer", "flow"), rows, (1, 2))
    for row in rows:
        cells = _cells(row, widths)
        cells[1].stylize("bold")
        drawn.add_row(*cells)
    return drawn


def settings(found: dict[str, Any]) -> Table:
    """Draw the settings of one profile."""
    drawn = Table.grid(padding=(0, GAP, 0, 0))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    drawn.add_row("profile", Text(f"{found['profile']}{' (default)' if found['default'] else ''}", style="bold"))
    for name, setting in found["settings"].items():
        drawn.add_row(name, Text(value(setting)))
    return drawn


def shortened(text: str, width: int) -> str:
    """Shorten a text in its middle to a number of columns: both ends of an address tell what it is."""
    if cell_len(text) <= width:
        return text
    head, tail = text[: width - 1], text
    while cell_len(head) > width // 2:
        head = head[:-1]
    while cell_len(head) + 1 + cell_len(tail) > width:
        tail = tail[1:]
    return f"{head}\N{HORIZONTAL ELLIPSIS}{tail}"


def fitted(widths: Sequence[int], flexible: Sequence[int], total: int) -> list[int]:
    """Make the widest of the `flexible` columns narrower until all fit into `total`, or none can be narrower."""
    found = list(widths)
    while sum(found) > total:
        widest = max(flexible, key=lambda each: found[each])
        if found[widest] <= NARROWEST:
            break
        found[widest] -= 1
    return found


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], flexible: Sequence[int]) -> tuple[Table, Sequence[int]]:
    """Make the table without its rows, and the width of each column."""
    natural = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    widths = fitted(natural, flexible, Console().width - GAP * (len(heads) - 1))
    drawn = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    for head in heads:
        drawn.add_column(head, overflow="fold")
    return drawn, widths


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[Text]:
    return [Text(shortened(text, width)) for text, width in zip(row, widths, strict=True)]


def _server(issuer: str | None) -> str:
    return clean((issuer or "-").removeprefix("https://"))


def _left(token: dict[str, Any] | None) -> str:
    if token is None:
        return "-"
    return "until refused" if token["expires_in"] is None else span(token["expires_in"])
