"""The tables of `show --all` and `profile`, at a terminal: no column is lost, and none is wider than the terminal.

Those that can have a thousand rows are made of rich's segments: its tables take 30 times as long.
"""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from tokenctl.adapters.terminal import clean
from tokenctl.cli.views.panels import COLOURS
from tokenctl.cli.views.profiles import value
from tokenctl.model.spans import span

_BOLD = Style(bold=True)
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


def sessions(shown: Sequence[dict[str, Any]]) -> Segments:
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
    widths, drawn = _begun(("profile", "state", "account", "life left", "issuer", "kept in"), rows, (0, 2, 4))
    for found, row in zip(shown, rows, strict=True):
        name, state, *others = _cells(row, widths)
        drawn += [Segment(name, _BOLD), Segment(state[:1], Style.parse(COLOURS[found["state"]]))]
        drawn.append(Segment(f"{state[1:]}{''.join(others)}\n"))
    return Segments(drawn)


def profiles(shown: Sequence[dict[str, Any]]) -> Segments:
    """Draw the profiles of the config file; a star marks the default one."""
    rows = [
        ("*" if found["default"] else "", found["profile"], _server(found["issuer"]), found["flow"]) for found in shown
    ]
    widths, drawn = _begun(("", "profile", "issuer", "flow"), rows, (1, 2))
    for row in rows:
        star, name, *others = _cells(row, widths)
        drawn += [Segment(star), Segment(name, _BOLD), Segment(f"{''.join(others)}\n")]
    return Segments(drawn)


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


def _begun(
    heads: Sequence[str], rows: Sequence[Sequence[str]], flexible: Sequence[int]
) -> tuple[Sequence[int], list[Segment]]:
    """Return the width of each column, and the first line of the table."""
    natural = [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]
    widths = fitted(natural, flexible, Console().width - GAP * (len(heads) - 1))
    return widths, [Segment("".join(_cells(heads, widths)), Style.parse("dim")), Segment.line()]


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Shorten the texts to the widths, and pad all but the last one; a line that is too long all the same goes on."""
    *firsts, last = (shortened(text, width) for text, width in zip(row, widths, strict=True))
    return [
        *(f"{text}{' ' * (width + GAP - cell_len(text))}" for text, width in zip(firsts, widths, strict=False)),
        last,
    ]


def _server(issuer: str | None) -> str:
    return clean((issuer or "-").removeprefix("https://"))


def _left(token: dict[str, Any] | None) -> str:
    if token is None:
        return "-"
    return "until refused" if token["expires_in"] is None else span(token["expires_in"])
