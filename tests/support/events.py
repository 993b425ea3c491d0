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
    common = {"profile": "t", **{name: value for name, value in members.items() if name in _COMMON}}
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
