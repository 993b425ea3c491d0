"""The events of a renewal: what came of it, for the event log. Pure functions; the worker writes what they return."""

from typing import Any

from tokenctl.errors import LoginRequired, TokenctlError
from tokenctl.flows.verification import OtherSubject
from tokenctl.model.event import Event, fingerprint, names_of
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import RenewalJob, Renewed
from tokenctl.model.session import Session
from tokenctl.oauth import refusals
from tokenctl.oauth.answers import whole
from tokenctl.oauth.claims import unverified_claims, unverified_header
from tokenctl.oauth.error_response import code_of, redacted, words_of
from tokenctl.oauth.wire import Response


def renewed(job: RenewalJob, reply: Response, seconds: float, result: Renewed) -> list[Event]:
    """Report new tokens, and what is different about the access token. `seconds` is how long the request took."""
    given = result.narrower or result.session
    more = _request(job, reply, seconds) | {
        "lifetime": given.lifetime,
        "refresh_expires_at": result.session.refresh_token_expires_at,
        "subject": result.session.subject,
    }
    changes = [] if result.narrower is not None else _changes(job.session, result.session)
    return [
        _event("renewal", job, result.session, "ok", more),
        *(_event("change", job, result.session, "ok", more) for more in changes),
    ]


def failed(
    job: RenewalJob,
    reply: Response,
    seconds: float,
    tries: int,
    error: TokenctlError,
    now: Session,
    secrets: tuple[str, ...],
) -> Event:
    """Report an answer that brought no usable tokens. `tries` is how often the refresh token was presented.

    `now` is the session as it is after the answer. `secrets` are what the request presented: a server can echo them.
    """
    document = whole(reply.body) or {}
    code = code_of(document)
    more = _request(job, reply, seconds) | {
        "error": redacted(code, (*secrets, *_tokens(job.session)))[:100] if code else type(error).__name__
    }
    if isinstance(error, LoginRequired) and job.presents_refresh_token and job.target is None:
        more |= {
            "says": refusals.why_dead(code, words_of(document, ())),
            "unanswered": tries - 1,
            "obtained_at": job.session.refreshed_at or job.session.obtained_at,
            "refresh_expires_at": job.session.refresh_token_expires_at,
        }
        return _event("dead", job, now, "failed", more)
    return _event("refusal", job, now, "subject" if isinstance(error, OtherSubject) else "failed", more)


def _tokens(session: Session) -> list[str]:
    tokens = (session.refresh_token, session.access_token, session.id_token)
    return [each for each in tokens if each is not None]


def unanswered(job: RenewalJob, tries: int) -> Event:
    """Report that the refresh token was presented `tries` times, and that no answer came."""
    return _event("unanswered", job, job.session, "failed", {"tries": tries})


def login(profile: Profile, session: Session, older: Session | None, result: str) -> Event:
    """Report that a sign-in stores a session, in the place of an `older` one if there is one."""
    more = {
        "flow": session.flow,
        "issuer": session.issuer,
        "client_id": session.client_id,
        "subject": session.subject,
        "replaces": None if older is None else older.subject,
        "lifetime": session.lifetime,
        "refresh_expires_at": session.refresh_token_expires_at,
        "renewable": session.refresh_token is not None,
    }
    return Event(event="login", profile=profile.name, result=result, **names_of(session), more=more)


_PINNED = ("token_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri")


def changed_endpoints(profile: Profile, session: Session, older: Session | None) -> list[Event]:
    """Report the endpoints that a login at the same issuer pinned anew."""
    if older is None or older.issuer != session.issuer:
        return []
    found = [(name, _without_query(getattr(older, name)), _without_query(getattr(session, name))) for name in _PINNED]
    return [
        Event(
            event="endpoint-change",
            profile=profile.name,
            **names_of(session),
            more={"what": name, "was": was, "now": now},
        )
        for name, was, now in found
        if was != now
    ]


def _without_query(url: str | None) -> str | None:
    return None if url is None else url.partition("?")[0]


def migration(profile: Profile, session: Session, old: str, new: str, result: str) -> Event:
    """Report that a session moves from one kind of store to another."""
    return Event(
        event="migration", profile=profile.name, result=result, **names_of(session), more={"from": old, "to": new}
    )


def revocation(profile: Profile, session: Session, result: str) -> Event:
    """Report that somebody signed out."""
    return Event(event="revocation", profile=profile.name, result=result, **names_of(session))


def changed_outside(profile: str, session: Session, how: str) -> Event:
    """Report that the store has another session than the mirror; see `Vault.moved_apart`."""
    more = {"how": how, "by": session.state_path}
    return Event(event="changed-outside", profile=profile, result="found", **names_of(session), more=more)


def _event(kind: str, job: RenewalJob, session: Session, result: str, more: dict[str, Any]) -> Event:
    return Event(event=kind, profile=job.profile.name, result=result, **names_of(session), more=more)


def _request(job: RenewalJob, reply: Response, seconds: float) -> dict[str, Any]:
    """Say what was presented, why, and how the server answered. `server_clock` is how far ahead of ours its clock is."""
    presented = job.session.refresh_token if job.presents_refresh_token else None
    return {
        "old_fingerprint": None if presented is None else fingerprint(presented),
        "grant": job.grant.value,
        "reason": job.reason,
        "target": None if job.target is None else fingerprint(repr(job.target)),
        "status": reply.status,
        "duration": round(seconds, 3),
        "server_clock": None if reply.date is None else reply.date - reply.received_at,
    }


def _changes(before: Session, now: Session) -> list[dict[str, Any]]:
    """List what is different about the access token."""
    was, is_now = _described(before), _described(now)
    return [
        {"what": name, "was": was[name], "now": is_now[name]}
        for name in was
        if None not in (was[name], is_now[name]) and not _is_same(was[name], is_now[name])
    ]


def _is_same(was: object, now: object) -> bool:
    """Compare two texts, or two lifetimes: Entra gives each token 60 to 90 minutes at random, and others count seconds."""
    if isinstance(was, int) and isinstance(now, int):
        return max(was, now) <= 2 * min(was, now)
    return was == now


def _described(session: Session) -> dict[str, Any]:
    claims, header = unverified_claims(session.access_token), unverified_header(session.access_token)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    return {
        "scope": " ".join(sorted(session.scope.split())) if session.scope is not None else None,
        "audience": " ".join(sorted(filter(None, (_without_query(_text(each)) for each in audiences)))) or None,
        "lifetime": session.lifetime,
        "subject": _text(claims.get("sub")),
        "key": _text(header.get("kid")),
    }


def _text(value: object) -> str | None:
    """Leave out what is no text: a token of a strange server can have anything there."""
    return value if isinstance(value, str) else None
