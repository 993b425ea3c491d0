"""`session-changed-outside` and `subject-changed`: the session is not the one that a person put here."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tokenctl.audit.anomaly import Anomaly
from tokenctl.audit.members import short, text, when
from tokenctl.model.event import Event

CHANGED, SUBJECT = "session-changed-outside", "subject-changed"
KEPT = 100
"""Logins and migrations of a profile that are remembered, and sessions. The first renewal after a login repairs the mirror
that it left."""
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
    profiles: dict[str, _Persons] = defaultdict(_Persons)
    for event in events:
        yield profiles[event.profile].after(event)


@dataclass(slots=True)
class _Person:
    """Whose a session is, None when nobody knows, and since which event this is known."""

    subject: str | None
    since: Event
    refused: bool = False
    """Whether the last renewal was refused as another person's: until the server is put right, each one will be."""


@dataclass(slots=True)
class _Persons:
    """Whose the sessions of a profile are, the last used one at the end: machines that share a home have one each."""

    sessions: dict[str | None, _Person] = field(default_factory=dict)

    def after(self, event: Event) -> tuple[Anomaly, ...]:
        """Take the next event of the profile, and return what it completes."""
        if event.event == "login":
            return self._after_login(event)
        if event.event == "revocation" and event.result != "failed":
            self.sessions.pop(event.session, None)
        elif event.event == "renewal":
            return self._after_renewal(event)
        elif event.event == "refusal" and event.result == "subject":
            return self._after_refusal(event)
        elif event.event == "change" and text(event, "what") == "subject":
            return (_subject(event, self._known(event), text(event, "was"), text(event, "now")),)
        return ()

    def _after_login(self, event: Event) -> tuple[Anomaly, ...]:
        who, replaced = text(event, "subject"), text(event, "replaces")
        # Whoever signs in where nothing is, or in the place of a person who signed in here, agrees to that.
        agreed = None in (who, replaced) or who == replaced or self._is_of_here(who) or self._is_of_here(replaced)
        completed = () if agreed or event.result != "ok" else (_subject(event, self._known(event), None, who),)
        if agreed or event.result == "ok":  # one that has begun, or failed, may have stored its session all the same
            self._is_now(who, event)
        return completed

    def _after_renewal(self, event: Event) -> tuple[Anomaly, ...]:
        who, known, own = text(event, "subject"), self._known(event), self.sessions.get(event.session)
        if who is None:
            return ()
        strange = not self._is_of_here(who) if own is None or own.subject is None else own.subject != who
        self._is_now(who, event)
        return (_subject(event, known, None, who),) if strange else ()

    def _after_refusal(self, event: Event) -> tuple[Anomaly, ...]:
        known = self._known(event)
        person = self.sessions.setdefault(event.session, _Person(subject=None, since=event))
        was_refused, person.refused = person.refused, True
        return () if was_refused else (_subject(event, known, None, None),)

    def _known(self, event: Event) -> _Person | None:
        """Return what is known of the event's session, else of the one that was used last."""
        return self.sessions.get(event.session) or next(reversed(self.sessions.values()), None)

    def _is_of_here(self, who: str | None) -> bool:
        """Tell whether a person has a session of the profile, or nobody is known who has one."""
        persons = {each.subject for each in self.sessions.values()} - {None}
        return not persons or who in persons

    def _is_now(self, who: str | None, event: Event) -> None:
        before = self.sessions.pop(event.session, None)
        if who is not None:
            since = event if before is None or before.subject != who else before.since
            self.sessions[event.session] = _Person(subject=who, since=since)
        if len(self.sessions) > KEPT:
            del self.sessions[next(iter(self.sessions))]


def _subject(event: Event, known: _Person | None, was: str | None, now: str | None) -> Anomaly:
    since = None if known is None else known.since
    was = known.subject if was is None and known is not None else was
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
