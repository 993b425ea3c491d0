"""The panel that `show` draws at a terminal, with rich; the tables are in `tables`."""

import os
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from tokenctl.adapters.terminal import clean
from tokenctl.cli.views.document import lines, store_name
from tokenctl.model.session import MACHINE_FLOWS
from tokenctl.model.spans import span

COLOURS = {
    "fresh": "green",
    "stale": "yellow",
    "expired": "yellow",
    "login_required": "red",
    "signing_out": "red",
    "logged_out": "red",
}
MEANING = {
    "fresh": "fresh",
    "stale": "about to be renewed",
    "expired": "expired; renews itself at the next use",
    "login_required": "sign in again",
    "signing_out": "signing out; run revoke again",
    "logged_out": "not signed in",
}


PLAIN_CODE = Theme({"markdown.code": "bold cyan"})
"""Code without the black background that rich gives it: on a light terminal that would be boxes."""


def draw(drawn: RenderableType, width: int | None = None) -> None:
    """Draw on stdout, `width` columns wide; None means as wide as the terminal. What is wider is not cut."""
    no_color = bool(os.environ.get("NO_COLOR")) or None
    Console(no_color=no_color, highlight=False, width=width, theme=PLAIN_CODE).print(drawn, crop=False)


def panel(found: dict[str, Any], now: int) -> RenderableType:
    """Draw one profile's document."""
    colour = COLOURS[found["state"]]
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(
        Text(clean(found["account"] or found["subject"] or found["client_id"] or ""), style="bold"), _state(found)
    )
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, value in _rows(found, now):
        rows.add_row(name, value)
    parts: list[RenderableType] = [head, Text(), rows]
    for name in ("claims", "verified", "introspection"):
        if name in found:
            parts += [Text(), Text(name, style="bold"), _nested(found[name])]
    return Panel(
        Group(*parts),
        title=Text(found["profile"], style="bold"),
        title_align="left",
        border_style=colour,
        padding=(1, 2),
        width=min(84, Console().width),
    )


def _state(found: dict[str, Any]) -> Text:
    return Text.assemble(("● ", COLOURS[found["state"]]), MEANING[found["state"]])


def _rows(found: dict[str, Any], now: int) -> list[tuple[str, RenderableType]]:
    rows: list[tuple[str, RenderableType]] = [
        ("issuer", Text(clean(found["issuer"] or "-"))),
        ("client", Text(clean(f"{found['client_id']}, by {found['flow']}"))),
        ("scope", Text(clean(found["scope"] or "-"))),
    ]
    token = found["access_token"]
    if token is not None:
        rows.append(("life", _lifetime(token)))
        rows.append(("token", Text(f"{token['format']} {token['fingerprint']}, {_until(token['expires_at'], now)}")))
        times = f"{_ago(token['obtained_at'], now)}, generation {found['generation']}"
        rows.append(
            (
                "renewed",
                Text(times if found["last_refresh_at"] else f"not yet; signed in {_ago(token['obtained_at'], now)}"),
            )
        )
        rows.append(("session", Text(_session(found, now))))
    kept = found["store"]
    rows.append(
        (
            "kept in",
            Text(
                f"{store_name(kept['kind'], kept['backend'])}"
                + (f"\n{kept['backend']}" if kept["kind"] == "keyring" else "")
            ),
        )
    )
    return rows


def _until(expires_at: int | None, now: int) -> str:
    return "its end is not known" if expires_at is None else f"until {_time(expires_at, now)}"


def _lifetime(token: dict[str, Any]) -> RenderableType:
    if token["expires_at"] is None:
        return Text("until it is refused")
    whole, left = max(1, token["expires_at"] - token["obtained_at"]), token["expires_in"]
    colour = "green" if left * 4 > whole else "yellow" if left else "red"
    line = Table.grid(padding=(0, 2))
    line.add_row(
        ProgressBar(total=whole, completed=min(left, whole), width=26, complete_style=colour, finished_style=colour),
        Text(f"{span(left)} of {span(whole)} left" if left else "used up"),
    )
    return line


def _session(found: dict[str, Any], now: int) -> str:
    refresh = found["refresh_token"]
    if not refresh["present"]:
        return (
            "signs in again automatically"
            if found["flow"] in MACHINE_FLOWS
            else "no refresh token: ends with the access token"
        )
    if refresh["state"] != "good" and found["flow"] not in MACHINE_FLOWS:
        ended = {
            "dead": "the server ended it: sign in again",
            "in_doubt": "the server did not answer its renewal: the next command asks again",
        }
        return ended[refresh["state"]]
    ends = f" until {_time(refresh['expires_at'], now)}" if refresh["expires_at"] else ""
    return f"renews itself{ends} (refresh token {refresh['fingerprint'].removeprefix('sha256:')})"


def _time(epoch_seconds: int, now: int) -> str:
    then = datetime.fromtimestamp(epoch_seconds).astimezone()
    return f"{then:%H:%M:%S}" if abs(epoch_seconds - now) < 43200 else f"{then:%Y-%m-%d %H:%M}"


def _ago(epoch_seconds: int, now: int) -> str:
    return f"{span(max(0, now - epoch_seconds))} ago"


def _nested(found: Any) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines(found if isinstance(found, dict) else {"": found}):
        name, _, value = line.partition(": ")
        grid.add_row(Text(name), Text(value))
    return grid
