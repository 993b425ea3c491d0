"""Events for the tests of what reads the log, and what a detector finds in them."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from tokenctl.audit.anomaly import END, Anomaly, Detect
from tokenctl.model.event import Event

START = 1_790_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_COMMON = {each.name for each in fields(Event)}


def event(kind: str, at: float = 0.0, **members: Any) -> Event:
    """An event of the profile `t`, `at` seconds after START. Members that only this kind has are given like the others."""
    common = {"profile": "t", "session": "s", **{name: value for name, value in members.items() if name in _COMMON}}
    more = {name: value for name, value in members.items() if name not in _COMMON}
    return Event(event=kind, at=START + at, more=more, **common)


def numbered(events: Iterable[Event]) -> list[Event]:
    """The events with the numbers that the log gives them."""
    return [replace(each, seq=seq) for seq, each in enumerate(events, 1)]


def found(detect: Detect, events: Iterable[Event], ends: float | None = None) -> list[Anomaly]:
    """What a detector finds in a log that is read `ends` seconds after START, or right after its last event."""
    log = numbered(events)
    now = START + ends if ends is not None else max((each.at for each in log), default=START)
    return [anomaly for some in detect([*log, Event(event=END, profile="", at=now)]) for anomaly in some]


def login(at: float = 0.0, given: str = "f1", **members: Any) -> Event:
    """Alice signs in and gets a refresh token with the fingerprint `given`; its life is not known."""
    usual = {
        "session": "s",
        "generation": 1,
        "fingerprint": given,
        "flow": "browser",
        "issuer": "https://a.example",
        "client_id": "c",
        "subject": "alice",
        "replaces": None,
        "lifetime": 900,
        "renewable": True,
    }
    return event("login", at, **(usual | members))


def renewal(at: float, presented: str = "f1", given: str | None = None, **members: Any) -> Event:
    """A renewal presents a refresh token and gets another one, or keeps it."""
    usual = {
        "session": "s",
        "fingerprint": given or presented,
        "old_fingerprint": presented,
        "subject": "alice",
        "lifetime": 900,
        "server_clock": 0.0,
    }
    return event("renewal", at, **(usual | members))


def dead(at: float, presented: str = "f1", **members: Any) -> Event:
    """The server refuses a refresh token that was got 15 minutes before, and says no reason."""
    usual = {
        "session": "s",
        "fingerprint": presented,
        "old_fingerprint": presented,
        "error": "invalid_grant",
        "says": None,
        "unanswered": 0,
        "obtained_at": START + at - 15 * MINUTE,
        "server_clock": 0.0,
        "result": "failed",
    }
    return event("dead", at, **(usual | members))
