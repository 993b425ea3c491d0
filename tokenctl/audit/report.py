"""The report of `audit`: the log is read once, in constant memory, and every event is given to each kind of anomaly."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, tee

from tokenctl.audit.anomaly import END, Anomaly, Kind
from tokenctl.audit.kinds import KINDS
from tokenctl.audit.over_time import OverTime
from tokenctl.audit.recent import Recent
from tokenctl.audit.tally import Tally
from tokenctl.model.event import Event, loads

MOST = 100
"""How many anomalies of one kind and profile are kept: the newest ones. More tell a person nothing new."""
_KNOWN = ("acknowledged", "told")
"""The events that say that a person knows of an anomaly."""
LATEST = 2**35
"""Epoch seconds, in the year 3058. A line with a later time, or one before 1970, was not written by tokenctl."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is shown: the events of one profile (None: of all), from a moment on, in epoch seconds.

    The detectors read everything all the same.
    """

    profile: str | None = None
    since: float = 0.0

    def has(self, shown: Event | Anomaly) -> bool:
        """Tell whether an event or an anomaly is shown."""
        return shown.at >= self.since and self.profile in (None, shown.profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one reading of the log found."""

    anomalies: tuple[Anomaly, ...]
    """Those that nobody has acknowledged, the newest last."""
    untold: tuple[Anomaly, ...]
    """Those among them that no person was told of."""
    tallies: tuple[Tally, ...]
    """What was counted, by profile."""
    recent: Recent
    renewals: OverTime
    known: frozenset[str]
    """The profiles that have an event in the log, shown or not."""
    unread: int
    """How many whole lines are no event of this schema."""


def report(lines: Iterable[bytes], now: float, scope: Scope, kinds: Sequence[Kind] = KINDS) -> Report:
    """Read the log and report what is in the scope. `now` is the time of the audit, in epoch seconds."""
    log = _Log(lines)
    standing, untold = _Standing("acknowledged"), _Standing(*_KNOWN)
    tallies: dict[str, Tally] = {}
    recent, renewals, known = Recent(), OverTime(), set()
    for event, completed in _detected(chain(log.events(), (Event(event=END, profile="", at=now),)), kinds):
        if completed or event.event in _KNOWN:
            for anomalies in (standing, untold):
                anomalies.see(event, completed)
        if event.event == END:
            continue
        known.add(event.profile)
        if scope.has(event):
            if event.profile not in tallies:
                tallies[event.profile] = Tally(event)
            tallies[event.profile].add(event)
            recent.add(event)
            if event.event == "renewal":
                renewals.add(event.profile, event.at)
    return Report(
        anomalies=standing.of(scope),
        untold=untold.of(scope),
        tallies=tuple(tallies[name] for name in sorted(tallies)),
        recent=recent,
        renewals=renewals,
        known=frozenset(known),
        unread=log.unread,
    )


def shown(lines: Iterable[bytes], scope: Scope) -> Iterator[Event]:
    """Read the events of the log that are in the scope."""
    return filter(scope.has, _Log(lines).events())


class _Log:
    """The events in some lines, and how many whole lines are none."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.unread = 0

    def events(self) -> Iterator[Event]:
        for line in self._lines:
            event = loads(line)
            if event is not None and 0 <= event.at < LATEST:
                yield event
            elif line.endswith(b"\n"):  # a torn last line is a writer's that was killed: the next one removes it
                self.unread += 1


def _detected(events: Iterable[Event], kinds: Sequence[Kind]) -> Iterator[tuple[Event, list[Anomaly]]]:
    """Yield each event with the anomalies that it completes. All kinds read the events in step."""
    first, *copies = tee(events, len(kinds) + 1)
    found = [kind.detect(each) for kind, each in zip(kinds, copies, strict=True)]
    for event, *completed in zip(first, *found, strict=True):
        yield event, [anomaly for some in completed for anomaly in some] if any(completed) else []


class _Standing:
    """The anomalies that no event of some kinds has ended.

    The order of the log decides, and no clock: an event ends what came before it. An anomaly that is found at the end of
    the log came with the first event that shows it.
    """

    def __init__(self, *ends: str) -> None:
        self._ends = ends
        self._ended: dict[tuple[str, str], int] = {}
        self._found: dict[tuple[str, str], deque[Anomaly]] = {}

    def see(self, event: Event, completed: Iterable[Anomaly]) -> None:
        """Take the next event, and the anomalies that it completes."""
        if event.event in self._ends:
            ended = (str(event["anomaly"]), event.profile)
            self._ended[ended] = event.seq
            self._found.pop(ended, None)
        for each in completed:
            name = (each.name, each.profile)
            if event.event != END or min(each.evidence, default=0) > self._ended.get(name, -1):
                self._found.setdefault(name, deque(maxlen=MOST)).append(each)

    def of(self, scope: Scope) -> tuple[Anomaly, ...]:
        """Return those in the scope, the newest last."""
        every = chain.from_iterable(self._found.values())
        return tuple(sorted(filter(scope.has, every), key=lambda each: each.at))
