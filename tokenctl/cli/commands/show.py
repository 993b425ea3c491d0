"""`tokenctl show`: who, where, how long still; never the token itself. With audit, the only room that knows rich."""

import os
import sys
from datetime import datetime
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tokenctl.adapters.terminal import clean
from tokenctl.broker import record
from tokenctl.cli.options import as_json, each_profile, every, with_runtime
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.flows import MACHINE, inspection
from tokenctl.runtime import Runtime, logged_out

COLOURS = {"fresh": "green", "stale": "yellow", "expired": "yellow", "login_required": "red", "logged_out": "red"}
MEANING = {
    "fresh": "fresh",
    "stale": "about to be renewed",
    "expired": "expired; renews itself at the next use",
    "login_required": "sign in again",
    "logged_out": "not signed in",
}


@click.command("show")
@every
@as_json
@click.option("--claims", is_flag=True, help="Also the claims of the tokens, decoded but not verified.")
@click.option("--verify", is_flag=True, help="Also whether the tokens' signatures are the issuer's.")
@click.option("--introspect", is_flag=True, help="Also what the server itself says of the access token (RFC 7662).")
@with_runtime
def command(
    runtime: Runtime, name: str | None, every: bool, as_json: bool, claims: bool, verify: bool, introspect: bool
) -> int:
    """Show who is signed in, where, and for how long.

    A token is only ever shown as a fingerprint. A profile without a session is shown too, and the exit status is 4;
    with --verify a token that the issuer did not sign makes it 5.
    """
    shown: list[dict[str, Any]] = []

    def look(name: str | None) -> None:
        profile = runtime.profile(name)
        store = runtime.store(profile)
        session = record.newest(runtime, profile, store)
        found, wrong = document.of_session(runtime, profile, store, session), None
        if session is not None:
            if claims:
                found["claims"] = inspection.claims(session)
            if verify:
                found["verified"], wrong = inspection.verify(runtime, profile, session)
            if introspect:
                found["introspection"] = inspection.introspect(runtime, profile, session)
        shown.append(found)
        if wrong is not None:
            raise wrong

    if every:
        status = each_profile(runtime, look)
        _print(shown, as_json=as_json, every=True, now=runtime.now())
        return status
    try:
        look(name)
    finally:  # a token that is not the issuer's is shown like any other, before it is an error
        if shown:
            _print(shown, as_json=as_json, every=False, now=runtime.now())
    if shown[0]["state"] == "logged_out":
        profile = runtime.profile(name)
        if profile.store != "memory":
            raise logged_out(profile)
        runtime.terminal.message(f"{profile.name}: nothing is kept of its tokens; each command signs in by itself")
    return 0


def _print(shown: list[dict[str, Any]], *, as_json: bool, every: bool, now: int) -> None:
    if as_json:
        answer(document.as_text(shown if every else shown[0]))
    elif not shown:
        return
    elif sys.stdout is None or not sys.stdout.isatty():
        answer("\n\n".join("\n".join(plain_lines(each)) for each in shown))
    else:
        console = Console(no_color=bool(os.environ.get("NO_COLOR")) or None, highlight=False)
        console.print(table(shown) if every else panel(shown[0], now))


def plain_lines(found: dict[str, Any], prefix: str = "") -> list[str]:
    """Write a document as `name: value` lines, nested names joined by dots; for pipes."""
    lines = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += plain_lines(value, f"{prefix}{clean(str(name))}.")
        elif value is not None and name != "schema":
            lines.append(f"{prefix}{clean(str(name))}: {clean(str(value))}")
    return lines


def panel(found: dict[str, Any], now: int) -> RenderableType:
    """Draw one profile's document."""
    colour = COLOURS[found["state"]]
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(
        Text(clean(found["account"] or found["subject"] or found["client_id"] or ""), style="bold"), _state(found)
    )
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(found, now):
        facts.add_row(name, value)
    parts: list[RenderableType] = [head, Text(), facts]
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


def _facts(found: dict[str, Any], now: int) -> list[tuple[str, RenderableType]]:
    facts: list[tuple[str, RenderableType]] = [
        ("issuer", Text(clean(found["issuer"] or "-"))),
        ("client", Text(clean(f"{found['client_id']}, by {found['flow']}"))),
        ("scope", Text(clean(found["scope"] or "-"))),
    ]
    token = found["access_token"]
    if token is not None:
        facts.append(("life", _life(token)))
        facts.append(
            ("token", Text(f"{token['format']} {token['fingerprint']}, until {_clock(token['expires_at'], now)}"))
        )
        times = f"{_ago(token['obtained_at'], now)}, generation {found['generation']}"
        facts.append(
            (
                "renewed",
                Text(times if found["last_refresh_at"] else f"not yet; signed in {_ago(token['obtained_at'], now)}"),
            )
        )
        facts.append(("session", Text(_session(found, now))))
    kept = found["store"]
    facts.append(
        (
            "kept in",
            Text(
                f"{document.place_name(kept['kind'], kept['backend'])}"
                + (f"\n{kept['backend']}" if kept["kind"] == "keyring" else "")
            ),
        )
    )
    return facts


def _life(token: dict[str, Any]) -> RenderableType:
    whole, left = max(1, token["expires_at"] - token["obtained_at"]), token["expires_in"]
    colour = "green" if left * 4 > whole else "yellow" if left else "red"
    line = Table.grid(padding=(0, 2))
    line.add_row(
        ProgressBar(total=whole, completed=min(left, whole), width=26, complete_style=colour, finished_style=colour),
        Text(f"{document.span(left)} of {document.span(whole)} left" if left else "used up"),
    )
    return line


def _session(found: dict[str, Any], now: int) -> str:
    refresh = found["refresh_token"]
    if not refresh["present"]:
        return "begins again by itself" if found["flow"] in MACHINE else "no refresh token: ends with the access token"
    if refresh["state"] != "good" and found["flow"] not in MACHINE:
        ended = {
            "dead": "the server ended it: sign in again",
            "in_doubt": "the server left its renewal unanswered: try 'tokenctl refresh'",
        }
        return ended[refresh["state"]]
    ends = f" until {_clock(refresh['expires_at'], now)}" if refresh["expires_at"] else ""
    return f"renews itself{ends} (refresh token {refresh['fingerprint'].removeprefix('sha256:')})"


def _clock(moment: int, now: int) -> str:
    then = datetime.fromtimestamp(moment).astimezone()
    return f"{then:%H:%M:%S}" if abs(moment - now) < 43200 else f"{then:%Y-%m-%d %H:%M}"


def _ago(moment: int, now: int) -> str:
    return f"{document.span(max(0, now - moment))} ago"


def _nested(found: Any) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for line in plain_lines(found if isinstance(found, dict) else {"": found}):
        name, _, value = line.partition(": ")
        grid.add_row(Text(name), Text(value))
    return grid


def table(shown: list[dict[str, Any]]) -> Table:
    """Draw every profile's document as one table."""
    drawn = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    for name in ("profile", "state", "account", "life left", "issuer", "kept in"):
        drawn.add_column(name, overflow="fold")
    for found in shown:
        token = found["access_token"]
        drawn.add_row(
            Text(found["profile"], style="bold"),
            _state(found),
            Text(clean(found["account"] or "-")),
            Text(document.span(token["expires_in"]) if token else "-"),
            Text(clean(found["issuer"] or "-")),
            Text(document.place_name(found["store"]["kind"], found["store"]["backend"])),
        )
    return drawn
