"""What one reading of the log reports."""

import tracemalloc
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tokenctl.audit.anomaly import END, Anomaly, Kind
from tokenctl.audit.report import MOST, Report, Scope, report, shown
from tokenctl.model.event import Event, dumps


def made(seq: int, event: str = "renewal", profile: str = "t", **members: Any) -> Event:
    """An event, one second after the one before it."""
    more: Mapping[str, Any] = members.pop("more", {})
    return Event(**{"event": event, "profile": profile, "seq": seq, "at": float(seq), **members}, more=more)


def noticed(event: Event, name: str = "bad-end") -> Anomaly:
    """The anomaly that an event is."""
    evidence = (event.seq,)
    return Anomaly(
        name=name, profile=event.profile, began_at=event.at, at=event.at, sentence="s", remedy="r", evidence=evidence
    )


def each_dead(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find every `dead` event at once."""
    for event in events:
        yield (noticed(event),) if event.event == "dead" else ()


def last_dead(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find the first `dead` event when the log ends."""
    first: Event | None = None
    for event in events:
        first = first or (event if event.event == "dead" else None)
        yield (noticed(first, "bad-state"),) if event.event == END and first is not None else ()


KINDS = (
    Kind(name="bad-end", detect=each_dead),
    Kind(name="bad-state", detect=last_dead),
)


EVERYTHING = Scope()


def of(*events: Event, scope: Scope = EVERYTHING, more: tuple[bytes, ...] = ()) -> Report:
    """Report on a log of these events."""
    return report([*map(dumps, events), *more], 1000.0, scope, KINDS)


def names(anomalies: Iterable[Anomaly]) -> list[tuple[str, str, float]]:
    """What tells anomalies apart."""
    return [(each.name, each.profile, each.at) for each in anomalies]


def known(seq: int, event: str, name: str, profile: str = "t") -> Event:
    """A person was told of an anomaly, or has acknowledged it."""
    return made(seq, event, profile, more={"anomaly": name})


def test_every_kind_reads_every_event() -> None:
    """Those that find something at once, and those that find it at the end; the newest anomaly is the last one."""
    found = of(made(1), made(2, "dead"), made(3, "dead", "u"))
    expected = [("bad-end", "t", 2.0), ("bad-state", "t", 2.0), ("bad-end", "u", 3.0)]
    assert names(found.anomalies) == names(found.untold) == expected


def test_an_acknowledgement_ends_what_came_before_it() -> None:
    """Of that name and profile alone; and what comes later is an anomaly again."""
    found = of(
        made(1, "dead"), made(2, "dead", "u"), known(3, "acknowledged", "bad-end"), made(4), made(5, "dead", "u")
    )
    expected = [("bad-state", "t", 1.0), ("bad-end", "u", 2.0), ("bad-end", "u", 5.0)]
    assert names(found.anomalies) == expected
    again = of(made(1, "dead"), known(2, "acknowledged", "bad-end"), made(3, "dead"))
    assert ("bad-end", "t", 3.0) in names(again.anomalies) and ("bad-end", "t", 1.0) not in names(again.anomalies)


def test_an_anomaly_that_is_found_at_the_end_is_ended_too() -> None:
    """It came with the event that shows it, so an acknowledgement after that event ends it."""
    dead, before = made(2, "dead"), known(1, "acknowledged", "bad-state")
    assert ("bad-state", "t", 2.0) in names(of(before, dead).anomalies)
    assert names(of(dead, known(3, "acknowledged", "bad-state")).anomalies) == [("bad-end", "t", 2.0)]


def test_the_order_of_the_log_decides_and_no_clock() -> None:
    """A clock that was a year ahead at an acknowledgement hides nothing of that year."""
    far = 365 * 86400.0
    ahead = made(2, "acknowledged", at=far, more={"anomaly": "bad-end"})
    assert ("bad-end", "t", 3.0) in names(of(made(1, "dead"), ahead, made(3, "dead")).anomalies)
    later = made(2, "dead", at=far)
    assert ("bad-end", "t", far) not in names(of(made(1), later, known(3, "acknowledged", "bad-end")).anomalies)


def test_a_person_is_told_once() -> None:
    """Who was told, or has acknowledged, knows; the anomaly stands all the same until it is acknowledged."""
    log = (made(1, "dead"), known(2, "told", "bad-end"), known(3, "told", "bad-state"))
    assert names(of(*log).untold) == [] and len(of(*log).anomalies) == 2
    assert names(of(*log, made(4, "dead")).untold) == [("bad-end", "t", 4.0)]
    assert names(of(made(1, "dead"), known(2, "acknowledged", "bad-end")).untold) == [("bad-state", "t", 1.0)]


def test_the_scope_limits_what_is_shown_and_not_what_is_read() -> None:
    """An anomaly of today can need an event of last month, and one profile's need another's."""
    log = (made(1), made(2, "dead"), made(3, "login", "u", asked_by="gh"), made(500, "dead", "u"))
    recent = of(*log, scope=Scope(since=400.0))
    assert names(recent.anomalies) == [("bad-end", "u", 500.0)]
    assert [(each.profile, each.logins, each.refusals) for each in recent.tallies] == [("u", 0, 1)]
    assert [row.event.seq for row in recent.recent.rows] == [500]
    one = of(*log, scope=Scope(profile="t"))
    assert names(one.anomalies) == [("bad-end", "t", 2.0), ("bad-state", "t", 2.0)]
    assert [each.profile for each in one.tallies] == ["t"] and one.known == {"t", "u"}
    assert [each.seq for each in shown(map(dumps, log), Scope(profile="u", since=400.0))] == [500]


def test_lines_that_are_no_event_are_counted() -> None:
    """Torn ones, those of another schema, with a number that is none, or with no possible time; the others count."""
    good = dumps(made(1))
    times = (b"NaN", b"Infinity", b"1e999", b"-5.0", b"1e30")
    strange: tuple[bytes, ...] = (b"{torn\n", b"\n", good.replace(b'"schema":1', b'"schema":2'), b"[]\n", b"\xff\n")
    strange += tuple(good.replace(b"{", b'{"more":' + each + b",", 1) for each in (b"NaN", b"-Infinity", b"1e999"))
    more = (*strange, *(good.replace(b'"at":1.0', b'"at":' + each) for each in times), good)
    found = of(made(1), more=more)
    assert found.unread == len(strange) + len(times) and found.tallies[0].renewals == 2


def test_a_torn_last_line_is_no_reason_to_warn() -> None:
    """A writer that was killed left it, and the next one removes it."""
    found = of(made(1), more=(dumps(made(2))[:40],))
    assert found.unread == 0 and found.tallies[0].renewals == 1


def test_an_empty_log_has_nothing() -> None:
    """No anomaly, no profile, no row."""
    found = of()
    assert not found.anomalies and not found.tallies and not found.recent.rows and not found.known


def test_the_memory_does_not_grow_with_the_log() -> None:
    """However many events and anomalies there are: the newest anomalies of a kind are kept."""

    def lines(number: int) -> Iterator[bytes]:
        for seq in range(1, number + 1):
            yield dumps(made(seq, "dead" if seq % 3 else "renewal", f"p{seq % 7}", asked_by=f"program-{seq}"))

    def peak(number: int) -> int:
        tracemalloc.start()
        try:
            found = report(lines(number), 1e6, Scope(), KINDS)
            assert len([each for each in found.anomalies if each.profile == "p1"]) <= 2 * MOST
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(9_000) < 1.5 * peak(3_000)
