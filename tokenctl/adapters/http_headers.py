"""HTTP headers: what stands in them, and how they are written for the wire."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import httpcore

LONGEST_RETRY_AFTER = 300
"""Seconds, at most."""


def joined(*groups: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Join headers for the wire. A later one replaces an earlier one of the same name, whatever its letters' case is."""
    found = {
        name.lower(): (name.encode("ascii"), value.encode("ascii")) for each in groups for name, value in each.items()
    }
    return list(found.values())


def value_of(answer: httpcore.Response, name: str) -> str | None:
    """Return a header's value, those of several with this name joined (RFC 9110 section 5.3); None when there is none."""
    found = [value for each, value in answer.headers if each.lower() == name.encode()]
    return b", ".join(found).decode(errors="replace") if found else None


def read_date(value: str | None) -> int | None:
    """Read the header `Date` (RFC 9110 section 6.6.1) as epoch seconds."""
    if not value:
        return None
    try:
        return _read_usual_date(value)
    except (ValueError, OverflowError):
        return _read_older_date(value)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _read_usual_date(value: str) -> int:
    """Read `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that is sent today. Raises ValueError or OverflowError."""
    _, day, month, year, clock, zone = value.split(" ")
    if zone != "GMT":
        raise ValueError("another zone")
    hour, minute, second = map(int, clock.split(":"))
    moment = datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
    return int(moment.timestamp())


def _read_older_date(value: str) -> int | None:
    try:
        from email.utils import parsedate_to_datetime  # it takes longer to load than all that reads the usual form

        return int(parsedate_to_datetime(value).timestamp())
    except (ValueError, TypeError, OverflowError, ImportError):  # an answer is not lost for want of its date
        return None


def read_retry_after(value: str | None, date: int | None) -> int | None:
    """Read Retry-After (RFC 9110 section 10.2.3) as seconds, `LONGEST_RETRY_AFTER` at most.

    A date is counted from the response's own `date` where there is one: this machine's clock can be wrong.
    """
    if value is None:
        return None
    if value.isascii() and value.isdecimal():
        return min(int(value[:9]), LONGEST_RETRY_AFTER)
    until = read_date(value)
    if until is None:
        return None
    return min(max(0, until - (int(time.time()) if date is None else date)), LONGEST_RETRY_AFTER)
