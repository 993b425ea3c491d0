"""`session-changed-outside` and `subject-changed`: the session is not the one that a person put here."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tokenctl.audit.anomaly import Anomaly
from tokenctl.audit.members import short, text, when
from tokenctl.model.event import Event

CHANGED, SUBJECT = "session-changed-outside", "subject-changed"
KEPT = 100
"""Logins and migrations of a profile that are remembered. The first renewal after one repairs the mirror that it left."""
_Name = tuple[str | None, int | None, bool]


def changed(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find sessions in the keyring that no login and no migration put there, each one once.

    A login or a migration that was killed before its end has written its event all the same, and the session too. It
    makes a new generation, so it never explains other tokens of the same one.
    """
    profiles: dict[str, deque[_Name]] = defaultdict(lambda: deque(maxlen=KEPT))
    for event in events:
        completed: tuple[Anomaly, ...] = ()
        if event.event in ("login", "migration", "changed-outside"):
            known, name = profiles[event.profile], _name(event)
            if event.event == "changed-outside" and name not in known:
                completed = (_changed(event),)
            known.append(name)
        yield completed


def _name(event: Event) -> _Name:
    """Name the session that an event put or found in the keyring."""
    return event.fingerprint, event.generation, event["how"] == "other tokens"


def _changed(event: Event) -> Anomaly:
    by = text(event, "by")
    writer = f"; the state directory {short(by)} renews it" if by else ""
    return Anomaly(
        name=CHANGED,
        profile=event.profile,
        began_at=event.at,
        at=event.at,
        sentence=(
            f"At {when(event.at)} the keyring had a session that no login here put there:"
            f" {short(text(event, 'how'))}{writer}."
        ),
        remedy=(
            "If you use this keyring with another state directory, or restored files of the state directory, this is the"
            f" reason: 'tokenctl audit acknowledge {CHANGED} -p {event.profile}'. Otherwise another program writes into"
            f" your keyring: 'tokenctl revoke -p {event.profile}', and 'tokenctl login -p {event.profile}'."
        ),
        evidence=(event.seq,),
    )


def subject(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find sessions that became another person's without a person who agreed, each one once."""
    profiles: dict[str, _Person] = defaultdict(_Person)
    for event in events:
        yield profiles[event.profile].after(event)


@dataclass(slots=True)
class _Person:
    """Whose session a profile has. `offered` is who signs in, until the login is over."""

    subject: str | None = None
    since: Event | None = None
    offered: str | None = None
    refused: bool = False
    """Whether the last renewal was refused as another person's: until the server is put right, each one will be."""

    def after(self, event: Event) -> tuple[Anomaly, ...]:
        """Take the next event of the profile, and return what it completes."""
        if event.event == "login":
            return self._after_login(event)
        if event.event == "revocation" and event.result != "failed":
            self._is_now(None, event)
        elif event.event == "renewal":
            return self._after_renewal(event)
        elif event.event == "refusal" and event.result == "subject":
            was_refused, self.refused = self.refused, True
            return () if was_refused else (_subject(event, self.since, self.subject, None),)
        elif event.event == "change" and text(event, "what") == "subject":
            return (_subject(event, self.since, text(event, "was"), text(event, "now")),)
        return ()

    def _after_login(self, event: Event) -> tuple[Anomaly, ...]:
        who, replaced, before = text(event, "subject"), text(event, "replaces"), self.subject
        # Whoever signs in where nothing is, or in the place of the person before, agrees to that.
        agreed = None in (before, who, replaced) or before in (who, replaced)
        if event.result != "ok":  # it has begun, or the session could not be stored: it may be there all the same
            self.offered = who if agreed else self.offered
            return ()
        completed = () if agreed else (_subject(event, self.since, before, who),)
        self._is_now(who, event)
        return completed

    def _after_renewal(self, event: Event) -> tuple[Anomaly, ...]:
        who, before = text(event, "subject"), self.subject
        if who is None:
            return ()
        strange = before is not None and who not in (before, self.offered)
        completed = (_subject(event, self.since, before, who),) if strange else ()
        self._is_now(who, event)
        return completed

    def _is_now(self, who: str | None, event: Event) -> None:
        if who != self.subject:
            self.subject, self.since = who, event
        self.offered, self.refused = None, False


def _subject(event: Event, since: Event | None, was: str | None, now: str | None) -> Anomaly:
    if event.event == "refusal":
        what = "the server answered a renewal with the ID token of another person; tokenctl kept its tokens nowhere"
    elif event.event == "login":
        what = "somebody signed in, in the place of a person who never signed in here"
    else:
        what = "a renewal brought another person's session"
    persons = f" (before: {short(was)}; now: {short(now)})" if now is not None else f" (before: {short(was)})"
    return Anomaly(
        name=SUBJECT,
        profile=event.profile,
        began_at=event.at if since is None else since.at,
        at=event.at,
        sentence=f"At {when(event.at)} {what}{persons}.",
        remedy=(
            f"See who is signed in: 'tokenctl show -p {event.profile}'. If it is not who you expect: 'tokenctl revoke -p"
            f" {event.profile}', 'tokenctl login -p {event.profile}', and tell the people who run the server. If it is:"
            f" 'tokenctl audit acknowledge {SUBJECT} -p {event.profile}'."
        ),
        evidence=(event.seq,) if since is None else (since.seq, event.seq),
    )
