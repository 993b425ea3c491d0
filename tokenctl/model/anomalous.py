"""Rules about events that the writer of the event log and `audit` share: what is more than an ordinary life explains."""

from collections.abc import Sequence

from tokenctl.model.event import Event

CLOCK_SHIFT = 120
"""Seconds. Time servers move a clock by less, and two reads of two clocks are never that far apart."""
WINDOW = 3600
"""Seconds in which renewals are counted."""
BY_HAND = 10
"""Renewals in `WINDOW` that need no explanation: a person who tries something out."""
WEEK = 7 * 86400
"""Seconds. With the first event of a week `audit` should look all the same: a session that nobody uses has no event."""
_NOTABLE = ("dead", "changed-outside", "keyring-failed", "lock-wait")


def clock_shift(earlier: Event, later: Event) -> float | None:
    """Return by how many seconds the wall clock moved against the clock that nobody sets; None when that is not known.

    Positive: the wall clock went ahead, as after the sleep of a virtual machine. Both events must be of one boot.
    """
    if earlier.uptime is None or later.uptime is None or earlier.boot_id != later.boot_id:
        return None
    return (later.at - later.uptime) - (earlier.at - earlier.uptime)


def most_renewals(lifetime: int | None) -> int:
    """Return how many renewals in `WINDOW` an access token of this lifetime explains, and `BY_HAND` more.

    A token is renewed when half of its life is over at the earliest, and at most once a second. `lifetime` is seconds;
    None when it is not known.
    """
    explained = 0 if lifetime is None else WINDOW // max(1, lifetime // 2)
    return min(explained, WINDOW) + BY_HAND


def same_renewals(event: Event, before: Sequence[Event]) -> list[Event]:
    """Return the renewals among `before` that count together with this one: of the same profile and target."""
    return [
        each
        for each in before
        if each.event == "renewal"
        and (each.profile, each["target"]) == (event.profile, event["target"])
        and 0 <= event.at - each.at < WINDOW
    ]


def is_notable(event: Event, before: Sequence[Event]) -> bool:
    """Tell whether `audit` should look: the event can be an anomaly after those `before` it. It need not be one."""
    if event.event in _NOTABLE or "subject" in (event.result, event["what"]):
        return True
    if event.event == "login" and event["replaces"] not in (None, event["subject"]):
        return True
    if event.event == "renewal" and len(same_renewals(event, before)) >= most_renewals(event["lifetime"]):
        return True
    if before and before[-1].at // WEEK != event.at // WEEK and event.event != "told":
        return True
    last = next((each for each in reversed(before) if each.boot_id == event.boot_id), None)
    return last is not None and abs(clock_shift(last, event) or 0) > CLOCK_SHIFT
