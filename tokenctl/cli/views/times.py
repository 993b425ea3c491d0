"""Moments as text: for a person, and for a program."""

from datetime import UTC, datetime


def local(epoch_seconds: float) -> str:
    """Write a moment for a person: `28 Nov 18:43`, in the time zone of this machine."""
    return f"{datetime.fromtimestamp(epoch_seconds).astimezone():%d %b %H:%M}".removeprefix("0")


def days(first: float, last: float) -> str:
    """Write the days of two moments for a person: `1 Sep to 28 Nov`, with the years where they differ."""
    begin, end = (datetime.fromtimestamp(each).astimezone() for each in (first, last))
    form = "%d %b" if begin.year == end.year else "%d %b %Y"
    found = [f"{each:{form}}".removeprefix("0") for each in (begin, end)]
    return found[0] if begin.date() == end.date() else " to ".join(found)


def utc(epoch_seconds: float) -> str:
    """Write a moment for a program: `2026-11-28T18:43:45Z`."""
    return f"{datetime.fromtimestamp(epoch_seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
