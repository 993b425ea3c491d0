"""`too-many-renewals` and `idle-session`: a session is used more often than its tokens explain, or not at all."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from tokenctl.audit.anomaly import END, Anomaly
from tokenctl.audit.members import number, short, text, when
from tokenctl.model.anomalous import WINDOW, most_renewals
from tokenctl.model.event import Event
from tokenctl.model.spans import span

MANY, IDLE = "too-many-renewals", "idle-session"
MOST = most_renewals(0)
"""Renewals in `WINDOW` that are remembered: the most that any lifetime explains."""
TARGETS = 100
"""Targets of a profile whose renewals are counted at the same time."""
UNUSED = 30 * 86400
"""Seconds after which a session counts as unused: longer than a holiday, and longer than most refresh tokens live."""
_NO_USE = ("told", "acknowledged")


def too_many(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find bursts of renewals that the lifetime of the access token does not explain, each burst once."""
    profiles: dict[str, _Renewals] = defaultdict(_Renewals)
    for event in events:
        yield profiles[event.profile].after(event) if event.event in ("renewal", "login") else ()


@dataclass(slots=True)
class _Renewals:
    """The renewals of one profile. A token for a target of its own is renewed on its own, so it is counted on its own."""

    lifetime: float | None = None
    """The last known one of the session's own access token."""
    superseded: bool = False
    """Whether a narrower token came since: some servers end the session's own one with that, so it is renewed early."""
    last: tuple[str | None, int] = (None, 0)
    """Session and generation of the newest renewal."""
    targets: dict[str | None, "_Recent"] = field(default_factory=dict)

    def after(self, event: Event) -> tuple[Anomaly, ...]:
        """Take the next login or renewal of the profile, and return what it completes."""
        target = text(event, "target")
        lifetime = number(event, "lifetime")
        if target is None and lifetime is not None:
            self.lifetime = lifetime
        if event.event == "login" or self._is_known(event):
            return ()
        explained, self.superseded = target is None and self.superseded, target is not None
        if explained:
            return ()
        recent = self.targets.pop(target, None) or _Recent()
        self.targets[target] = recent
        if len(self.targets) > TARGETS:
            del self.targets[next(iter(self.targets))]
        return recent.after(event, lifetime if lifetime is not None or target is not None else self.lifetime)

    def _is_known(self, event: Event) -> bool:
        """Tell whether the event of a renewal that was cut off is written a second time."""
        session, generation = self.last
        newest = (event.session, event.generation or 0)
        if event.result == "recovered" and event.session == session and newest[1] <= generation:
            return True
        self.last = newest
        return False


@dataclass(slots=True)
class _Recent:
    """The renewals of one target in the last hour, each with how many renewals an hour its lifetime explains."""

    events: deque[tuple[Event, int]] = field(default_factory=partial(deque, maxlen=MOST + 1))
    over: Event | None = None
    """The last one that was too many."""

    def after(self, event: Event, lifetime: float | None) -> tuple[Anomaly, ...]:
        """Take the next renewal, and return what it completes."""
        while self.events and event.at - self.events[0][0].at >= WINDOW:
            self.events.popleft()
        while self.events and self.events[-1][0].at > event.at:  # the clock was set back
            self.events.pop()
        most = most_renewals(None if lifetime is None else int(lifetime))
        self.events.append((event, most))
        if len(self.events) <= most:
            return ()
        goes_on = self.over is not None and 0 <= event.at - self.over.at < WINDOW
        if not goes_on and len(self.events) <= max(each for _, each in self.events):
            return ()  # a token before had a shorter life
        self.over = event
        return () if goes_on else (self._anomaly(event, lifetime),)

    def _anomaly(self, event: Event, lifetime: float | None) -> Anomaly:
        first = self.events[0][0]
        (program, times), *_ = Counter(each.asked_by for each, _ in self.events).most_common(1)
        lives = (
            f"an access token that lives for {span(round(lifetime))}" if lifetime else "an access token of unknown life"
        )
        return Anomaly(
            name=MANY,
            profile=event.profile,
            began_at=first.at,
            at=event.at,
            sentence=(
                f"From {when(first.at)} to {when(event.at)} the session was renewed {len(self.events)} times, more often"
                f" than {lives} explains; {short(program)} asked for {times} of them."
            ),
            remedy=(
                "Look at what that program does: each 'tokenctl refresh' renews, and so does each token that an API refused."
                " A script should call 'tokenctl token', which gives the same token as long as it is fresh. Then:"
                f" 'tokenctl audit acknowledge {MANY} -p {event.profile}'."
            ),
            evidence=(first.seq, event.seq),
        )


def idle(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find sessions that are alive, and that nobody has used for `UNUSED`. It ends when the session is used."""
    profiles: dict[str, _Use] = defaultdict(_Use)
    for event in events:
        if event.event == END:
            yield tuple(each for use in profiles.values() for each in use.at_the_end(event.at))
        else:
            if event.event not in _NO_USE:
                profiles[event.profile].learn(event)
            yield ()


@dataclass(slots=True)
class _Use:
    """How one profile's session was used."""

    last: Event | None = None
    renewable: bool = False
    """Whether the session is alive, and has a refresh token."""
    token_ends_at: float | None = None
    """None when it is not known: such a token can be in use every day, and needs no renewal."""
    ends_at: float | None = None
    """When the refresh token ends, where that is known."""

    def learn(self, event: Event) -> None:
        """Take the next event of the profile."""
        self.last = event
        if event.event == "dead" or (event.event == "revocation" and event.result != "failed"):
            self.renewable = False
        elif event.event == "login" and event.result == "ok":
            self.renewable = event["renewable"] is True
            self._learn_ends(event)
        elif event.event == "renewal" and event.result == "ok":
            self.renewable = self.renewable or text(event, "old_fingerprint") is not None
            if text(event, "target") is None:
                self._learn_ends(event)

    def _learn_ends(self, event: Event) -> None:
        lifetime = number(event, "lifetime")
        self.token_ends_at = None if lifetime is None else event.at + lifetime
        self.ends_at = number(event, "refresh_expires_at")

    def at_the_end(self, now: float) -> tuple[Anomaly, ...]:
        """Return what there is to say when the log is read."""
        if self.last is None or not self.renewable or self.token_ends_at is None:
            return ()
        since = max(self.last.at, self.token_ends_at)
        if now - since <= UNUSED or (self.ends_at is not None and now >= self.ends_at):
            return ()
        return (self._anomaly(self.last, since + UNUSED),)

    def _anomaly(self, last: Event, at: float) -> Anomaly:
        return Anomaly(
            name=IDLE,
            profile=last.profile,
            began_at=last.at,
            at=at,
            sentence=f"The session was last used at {when(last.at)}, and is still alive as far as this log knows.",
            remedy=(
                f"Sign out of what you do not use: 'tokenctl revoke -p {last.profile}'. A session that nobody watches is"
                f" what a thief wants. To keep it: 'tokenctl audit acknowledge {IDLE} -p {last.profile}'."
            ),
            evidence=(last.seq,),
        )
