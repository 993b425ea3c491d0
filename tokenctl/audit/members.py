"""Members of events, as a detector needs them and as a sentence says them. A log can hold anything: nothing here raises."""

from datetime import datetime

from tokenctl.model.event import Event

MOST = 1e11
"""Seconds. No time and no duration of a log is longer: this is the year 5138."""
LONGEST = 60
"""Characters of a text in a sentence: enough for the name of a program."""


def number(event: Event, name: str) -> float | None:
    """Return a member that only this kind of event has; None when it is absent or no number."""
    value = event[name]
    return float(value) if type(value) in (int, float) and -MOST < value < MOST else None


def text(event: Event, name: str) -> str | None:
    """Return a member that only this kind of event has; None when it is absent or no text."""
    value = event[name]
    return value if isinstance(value, str) else None


def true_time(event: Event) -> float:
    """Return when the event was, by the server's clock where the event knows it, else by ours. Epoch seconds."""
    return event.at + (number(event, "server_clock") or 0.0)


def when(epoch_seconds: float) -> str:
    """Say a time in this machine's zone, as in `2026-11-28 18:40 CET`."""
    try:
        return f"{datetime.fromtimestamp(epoch_seconds).astimezone():%Y-%m-%d %H:%M %Z}"
    except (ValueError, OverflowError, OSError):
        return "an unknown time"


def short(said: str | None) -> str:
    """Cut a text that others wrote, for a sentence; it may be hostile, and the view cleans it."""
    if not said:
        return "unknown"
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
