"""`refresh-token-refused`: the server refused a refresh token that only this machine should have.

Rotation makes theft visible on this side: when a thief presents the refresh token first, ours is refused. So a refusal
is an anomaly, unless the log or the server gives another reason.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tokenctl.audit.anomaly import Anomaly
from tokenctl.audit.members import number, text, true_time, when
from tokenctl.model.event import Event

NAME = "refresh-token-refused"
UNKNOWN_LIFE = 86400
"""Seconds. A refresh token whose life nobody knows may have ended by itself after a day: servers that give a shorter life
mostly tell it."""
KEPT = 1000
"""Refresh tokens of a profile that are remembered: ten days of renewals every 15 minutes, longer than most of them live."""
SESSIONS = 16
"""Sessions of a profile whose newest refresh token is remembered: machines can share one state directory."""
LONGEST_LIVES = tuple(days * 86400 for days in (30, 60, 90, 180, 365))
"""Seconds after the sign-in at which servers end a session, however often it was renewed, mostly without a word: Auth0 and
Cognito after 30 days when nobody set another time."""
SIGNING_IN = 600
"""Seconds, at most, between a person's sign-in at the server and the event here."""
_OTHER_REASONS = ("password", "expired", "interaction")
_ACCOUNT = ("issuer", "client_id", "subject")


def refused(events: Iterable[Event]) -> Iterator[tuple[Anomaly, ...]]:
    """Find refused refresh tokens that nothing explains, each one once."""
    profiles: dict[str, _Tokens] = defaultdict(_Tokens)
    for event in events:
        tokens = profiles[event.profile]
        suspicious = event.event == "dead" and _is_suspicious(event, tokens)
        completed = (_anomaly(event, tokens),) if suspicious else ()
        tokens.learn(event)
        if _may_end_others(event):
            for other in profiles.values():
                if other is not tokens and tokens.account is not None and other.account == tokens.account:
                    other.explain_all()
        yield completed


@dataclass(slots=True)
class _Token:
    """A refresh token. `good` is the event with which the server gave or took it last; None when that was not logged."""

    good: Event | None = None
    since: float | None = None
    """When the server gave it, as far as that was logged. A server that rotates nothing gives it once, at the login."""
    explained: bool = False
    """Whether something here explains that the server refuses it from now on."""


@dataclass(slots=True)
class _Tokens:
    """The refresh tokens of one profile, by fingerprint."""

    of_session: dict[str | None, str] = field(default_factory=dict)
    """Session -> its newest refresh token. Machines that share a home have a session each."""
    signed_in: dict[str | None, float] = field(default_factory=dict)
    """Session -> when a person signed in last."""
    generations: dict[str | None, int] = field(default_factory=dict)
    """Session -> the generation that has this token."""
    given_at: float | None = None
    """When the server gave or took one last, as far as that was logged."""
    account: tuple[str | None, ...] | None = None
    known: dict[str, _Token] = field(default_factory=dict)

    def learn(self, event: Event) -> None:
        """Take the next event of the profile."""
        given, presented = event.fingerprint, text(event, "old_fingerprint")
        if event.event == "login":
            self.account = tuple(text(event, name) for name in _ACCOUNT)
            # Some servers end what they gave before, also when the new session cannot be stored. A login that brings no
            # refresh token keeps the one before, and proves nothing about it.
            self.explain_all()
            self.signed_in[event.session] = event.at
            if len(self.signed_in) > SESSIONS:
                del self.signed_in[next(iter(self.signed_in))]
            if event.result == "ok" and given not in self.known:
                self.take(event, event)
        elif event.event == "renewal" and event.result == "recovered":  # it can be written twice, and much later
            if given not in self.known:
                self.take(event, None)
        elif event.event == "renewal" or (event.event == "refusal" and presented not in (None, given)):
            self.explain(presented)
            self.take(event, event)
        elif event.event in ("unanswered", "revocation"):
            self.explain(given)
        elif event.event == "dead":  # said once
            self.explain(presented or given)

    def take(self, event: Event, good: Event | None) -> None:
        """Note that the server gave the event's refresh token, or took it and let it live; those before it are replaced."""
        fingerprint, session = event.fingerprint, event.session
        if fingerprint is None:
            return
        before = self.of_session.pop(session, None)
        if fingerprint != before:
            self.explain(before)
        since = self.known.get(fingerprint, _Token()).since
        if since is None and good is not None:
            since = good.at
        self._put(fingerprint, _Token(good=good, since=since))
        self.of_session[session] = fingerprint
        self.generations[session] = event.generation or 0
        self.given_at = self.given_at if good is None else good.at
        if len(self.of_session) > SESSIONS:
            oldest = next(iter(self.of_session))
            del self.of_session[oldest], self.generations[oldest]

    def explain_all(self) -> None:
        """Note that the server may refuse the newest refresh token of each session from now on."""
        for fingerprint in self.of_session.values():
            self.explain(fingerprint)

    def explain(self, fingerprint: str | None) -> None:
        """Note that from now on the server may refuse this refresh token for a reason that lies here."""
        if fingerprint is not None:
            before = self.known.get(fingerprint)
            self._put(fingerprint, replace(before or _Token(), explained=True))

    def _put(self, fingerprint: str, token: _Token) -> None:
        self.known[fingerprint] = token
        if len(self.known) > KEPT:
            del self.known[next(iter(self.known))]


def _may_end_others(event: Event) -> bool:
    """Tell whether some servers end other sessions of the same person and client with this: a login, a sign-out."""
    return event.event == "login" or (event.event == "revocation" and event.result != "local")


def _is_suspicious(dead: Event, tokens: _Tokens) -> bool:
    token = tokens.known.get(_refused_one(dead))
    if token is not None and token.explained:
        return False
    if (number(dead, "unanswered") or 0) > 0 or _is_older(dead, token, tokens):
        return False
    says = text(dead, "says")
    return says == "reuse" or not (says in _OTHER_REASONS or _is_outlived(dead, token) or _is_at_an_end(dead, tokens))


def _refused_one(dead: Event) -> str:
    return text(dead, "old_fingerprint") or dead.fingerprint or ""


def _is_older(dead: Event, token: _Token | None, tokens: _Tokens) -> bool:
    """Tell whether the keyring came back with a token from before the newest one, which the log does not know any more."""
    if token is not None:
        return False
    if dead.generation is not None and dead.generation < tokens.generations.get(dead.session, 0):
        return True  # whatever the clocks said
    obtained_at = number(dead, "obtained_at")
    return obtained_at is not None and tokens.given_at is not None and obtained_at < tokens.given_at


def _is_outlived(dead: Event, token: _Token | None) -> bool:
    """Tell whether the refresh token may have ended by itself, or the clock is too wrong to say."""
    now, obtained_at, ends_at = true_time(dead), number(dead, "obtained_at"), number(dead, "refresh_expires_at")
    given = [each for each in (obtained_at, None if token is None else token.since) if each is not None]
    if ends_at is None and given:
        ends_at = min(given) + UNKNOWN_LIFE
    set_back = obtained_at is not None and now <= obtained_at - UNKNOWN_LIFE
    return set_back or (ends_at is not None and now >= ends_at)


def _is_at_an_end(dead: Event, tokens: _Tokens) -> bool:
    """Tell whether a time at which servers end sessions came between the last renewal and the refusal.

    A server that tells how long its refresh tokens live tells that too.
    """
    began, obtained_at = tokens.signed_in.get(dead.session), number(dead, "obtained_at")
    if began is None or obtained_at is None or number(dead, "refresh_expires_at") is not None:
        return False
    return any(obtained_at <= began + life <= true_time(dead) + SIGNING_IN for life in LONGEST_LIVES)


def _anomaly(dead: Event, tokens: _Tokens) -> Anomaly:
    token = tokens.known.get(_refused_one(dead))
    good = None if token is None else token.good
    last_good = good.at if good is not None else number(dead, "obtained_at")
    known = f"; it was last good at {when(last_good)}" if last_good is not None else ""
    reason = "; the server says that it was used before" if text(dead, "says") == "reuse" else ""
    return Anomaly(
        name=NAME,
        profile=dead.profile,
        began_at=dead.at if last_good is None else last_good,
        at=dead.at,
        sentence=(
            f"At {when(dead.at)} the server refused a refresh token that only this machine should have{known}{reason}."
            " Somebody else may have used it."
        ),
        remedy=(
            f"Sign out with 'tokenctl revoke -p {dead.profile}', and end all your sessions on the server's page of your"
            f" account; then sign in with 'tokenctl login -p {dead.profile}'. Maybe it was no theft: a server ends a"
            " session, and does not say why, when an administrator wants it, the password was changed, or you signed in on"
            " a second machine where it allows one session; and a machine that was reset to a snapshot has an old refresh"
            " token. When you have done that, or know of such a reason:"
            f" 'tokenctl audit acknowledge {NAME} -p {dead.profile}'."
        ),
        evidence=(dead.seq,) if good is None else (good.seq, dead.seq),
    )
