"""`keyring-failing` and `lock-waits`: what this machine needs for renewals fails again and again."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from tokenctl.audit.anomaly import END, Anomaly
from tokenctl.audit.members import number, short, text, when
from tokenctl.model.event import Event

FAILING, WAITS = "keyring-failing", "lock-waits"
IN_A_ROW = 3
"""Failures of the keyring. One or two happen when a keyring starts, or is updated, and the next command tries again."""
WAITED = 3
"""Waits in `DAY`, each longer than any renewal takes. One or two happen when somebody debugs a process."""
DAY = 86400
"""Seconds in which waits are counted."""


def keyring_failing(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find keyrings that still fail when the log ends. It ends when the keyring works again."""
    profiles: dict[str, _Row] = defaultdict(_Row)
    for event in events:
        if event.event == END:
            yield tuple(each for row in profiles.values() for each in row.at_the_end())
        else:
            profiles[event.profile].learn(event)
            yield ()


@dataclass(slots=True)
class _Row:
    """The failures of one profile's keyring since it worked last."""

    first: Event | None = None
    alarm: Event | None = None
    """The failure that makes it a row."""
    last: Event | None = None
    count: int = 0
    renewed: bool = False
    """Whether a renewal came since. If no failed write follows it, its copy reached the keyring."""

    def learn(self, event: Event) -> None:
        """Take the next event of the profile."""
        if event.event == "keyring-failed":
            if text(event, "operation") != "write":
                self._settle()
            self.renewed = False
            self._add(event)
        elif event.event == "renewal":
            self._settle()
            self.renewed = True
        elif event.event in ("login", "migration", "revocation") and event.result in ("ok", "local"):
            self._clear()

    def _add(self, event: Event) -> None:
        self.first = self.first or event
        self.last = event
        self.count += 1
        if self.count == IN_A_ROW:
            self.alarm = event

    def _settle(self) -> None:
        """End the row if the renewal before reached the keyring."""
        if self.renewed:
            self._clear()

    def _clear(self) -> None:
        self.first = self.last = self.alarm = None
        self.count, self.renewed = 0, False

    def at_the_end(self) -> tuple[Anomaly, ...]:
        """Return what there is to say when the log is read."""
        self._settle()
        first, last = self.first, self.last
        if first is None or last is None or self.alarm is None:
            return ()
        return (
            Anomaly(
                name=FAILING,
                profile=first.profile,
                began_at=first.at,
                at=self.alarm.at,
                sentence=(
                    f"The keyring failed {self.count} times in a row from {when(first.at)} to {when(last.at)}; the last"
                    f" time it could not {short(text(last, 'operation'))} the session ({short(text(last, 'error'))})."
                ),
                remedy=(
                    f"Renewals are safe in the state directory meanwhile. 'tokenctl doctor -p {first.profile}' tells what"
                    f" is wrong with the keyring; 'tokenctl store migrate -p {first.profile} --to file' moves the session"
                    " away. This ends when the keyring works again."
                ),
                evidence=(first.seq, last.seq),
            ),
        )


def lock_waits(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find profiles whose lock was held for too long again and again, at most once in `DAY`."""
    profiles: dict[str, _Waits] = defaultdict(_Waits)
    for event in events:
        yield profiles[event.profile].after(event) if event.event == "lock-wait" else ()


@dataclass(slots=True)
class _Waits:
    """The waits of one profile in the last `DAY`."""

    recent: deque[Event] = field(default_factory=partial(deque, maxlen=WAITED))
    said: Event | None = None

    def after(self, event: Event) -> tuple[Anomaly, ...]:
        """Take the next wait of the profile, and return what it completes."""
        self.recent.append(event)
        in_time = [each for each in self.recent if event.at - each.at < DAY]
        was_said = self.said is not None and 0 <= event.at - self.said.at < DAY
        if len(in_time) < WAITED or was_said:
            return ()
        self.said = event
        return (_waits(in_time),)


def _waits(events: list[Event]) -> Anomaly:
    first, last = events[0], events[-1]
    holders = {int(found) for each in events if (found := number(each, "holder")) is not None}
    held = f" It was held by process {', '.join(map(str, sorted(holders)))}." if holders else ""
    return Anomaly(
        name=WAITS,
        profile=last.profile,
        began_at=first.at,
        at=last.at,
        sentence=(
            f"From {when(first.at)} to {when(last.at)} commands gave up {len(events)} times, because another process held"
            f" the lock for longer than any renewal takes.{held}"
        ),
        remedy=(
            "Look whether that process is stopped (state T in 'ps'), and end it: what it had committed is safe. A state"
            " directory on a network file system can be the cause too. Then: 'tokenctl audit acknowledge"
            f" {WAITS} -p {last.profile}'."
        ),
        evidence=tuple(each.seq for each in events),
    )
