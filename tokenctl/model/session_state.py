"""The state of a session, and whether it belongs to the profile: rules that `show`, `token` and the broker share."""

from dataclasses import replace

from tokenctl.errors import LoginRequired, UsageError
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile
from tokenctl.model.session import Session


def state(session: Session, now: int, min_ttl: int) -> str:
    """Name the state of the access token: fresh, stale (it lives, and is renewed at its next use) or expired.

    `now` is the session's time in epoch seconds, `min_ttl` is seconds.
    """
    if session.fresh(now, min_ttl):
        return "fresh"
    return "expired" if session.expired(now) else "stale"


def older_access_tokens(profile: Profile, session: Session) -> str | None:
    """Return `kept` or `ended`: what becomes of an access token when the server gives another one; None: not known.

    What the profile says counts, else what was seen at the server.
    """
    if profile.renewal_ends_access_token is None:
        return session.older_access_tokens
    return "ended" if profile.renewal_ends_access_token else "kept"


class OtherSession(LoginRequired):
    """The stored session was made for something else than what the profile asks for now."""


class LoggedOut(LoginRequired):
    """The profile has no session."""


def check_profile(profile: Profile, session: Session) -> Session:
    """Return the session if it was made for what the profile asks for: issuer, client_id, flow and target.

    A renewal uses the endpoints of the login and asks for the target of the login, not for those of the config file.
    So after a change of the profile the old session must not be used. The session that is returned says what it was
    made for, also if its document is older than that. Raises OtherSession.
    """
    reason = _difference(profile, session)
    if reason is None:
        return session if session.requested_scope is not None else _recorded(profile, session)
    raise OtherSession(f"the session of {profile.name!r} {reason}", hint=_what_next(profile, session))


def _difference(profile: Profile, session: Session) -> str | None:
    """Say what the session was made for, and what the profile asks for, when the two differ."""
    named = profile.issuer or session.issuer, profile.client_id or session.client_id
    if named != (session.issuer, session.client_id):
        return (
            f"is with {session.issuer} as {session.client_id}, and the profile, or"
            f" TOKENCTL_ISSUER or TOKENCTL_CLIENT_ID, now says {named[0]} as {named[1]}"
        )
    if not profile.accepts_flow(session.flow):
        return f"was begun by the flow {session.flow}, and the profile now says {profile.flow}"
    wanted = {"resource": (profile.resource, session.resource)}
    if session.requested_scope is not None:
        scopes = tuple((profile.scope or "").split()), tuple(session.requested_scope.split())
        audiences = (profile.audience or "",), (session.audience or "",)
        wanted |= {"scope": scopes, "audience": audiences}
    for name, (now, then) in wanted.items():
        if set(now) != set(then):
            was, is_now = (" ".join(each).strip() or "nothing" for each in (then, now))
            return f"was made for the {name} {was!r:.200}, and the profile now asks for {is_now!r:.200}"
    return None


def _recorded(profile: Profile, session: Session) -> Session:
    """Record the profile's target in a session of an older document. It is unknown, and accepted this one time."""
    return replace(session, requested_scope=profile.scope or "", audience=profile.audience)


def _what_next(profile: Profile, session: Session) -> str:
    """Say what to do about another session. Never tell a person to replace their session by a machine's."""
    undo = "undo the change; the session was not changed"
    if profile.by_machine and not session.by_machine:
        return f"name another profile with -p, or {undo}"
    if (profile.issuer or session.issuer, profile.client_id or session.client_id) != (
        session.issuer,
        session.client_id,
    ):
        login = f"run 'tokenctl login -p {profile.name} --switch-account'"
        return f"undo the change, or replace the session, which was not changed: {login}"
    return f"{profile.login_hint}, or {undo}"


MACHINE_HINT = "for a machine, set its credential: TOKENCTL_CLIENT_SECRET, TOKENCTL_API_KEY or TOKENCTL_ID_TOKEN (or a _FILE of them)"
"""What the profile `env` lacks when the environment names a server and a client, and nothing that a machine presents."""


def logged_out(profile: Profile) -> LoggedOut:
    """Make the error for a profile without a session."""
    of_environment = profile.name == ENVIRONMENT_PROFILE and not profile.by_machine
    hint = f"{MACHINE_HINT}; for a person, {profile.login_hint}" if of_environment else profile.login_hint
    return LoggedOut(f"not signed in to {profile.name!r}", hint=hint, page="ci" if of_environment else "signing-in")


def check_not_signing_out(profile: Profile, *, signing_out: bool) -> None:
    """Raise LoginRequired when `revoke` has begun to end the session: its tokens may be revoked already."""
    if signing_out:
        raise LoginRequired(
            f"{profile.name!r} is signing out, and its tokens may be revoked already",
            hint=f"finish with 'tokenctl revoke -p {profile.name}', or sign in again: {profile.login_hint}",
        )


def renewed_elsewhere(profile: Profile, session: Session) -> UsageError:
    """Make the error for a session that another state directory renews, so that two locks never guard one session."""
    return UsageError(
        f"the session of {profile.name!r} is renewed by another state directory: {session.state_path}",
        hint=f"use that one (TOKENCTL_STATE_DIR), sign in to a profile of this one's own, or, if that one is gone, run"
        f" 'tokenctl refresh -p {profile.name}' at a terminal: then this one renews it",
    )
