"""The state of a session, and whether it belongs to the profile: rules that `show`, `token` and the broker share."""

from tokenctl.errors import LoginRequired, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session


def state(session: Session, now: int, min_ttl: int) -> str:
    """Name the state of the access token: fresh, stale (it lives, and is renewed at its next use) or expired.

    `now` is the session's time in epoch seconds, `min_ttl` is seconds.
    """
    if session.fresh(now, min_ttl):
        return "fresh"
    return "expired" if session.expired(now) else "stale"


def check_profile(profile: Profile, session: Session) -> Session:
    """Return the session if its issuer and client_id are those of the profile. Raises LoginRequired.

    A renewal uses the endpoints of the login, not those of the config file. So after a change of the profile's
    issuer or client_id the old session must not be used.
    """
    named = profile.issuer or session.issuer, profile.client_id or session.client_id
    if named != (session.issuer, session.client_id):
        raise LoginRequired(
            f"the session of {profile.name!r} is with {session.issuer} as {session.client_id}, and the profile, or"
            f" TOKENCTL_ISSUER or TOKENCTL_CLIENT_ID, now says {named[0]} as {named[1]}",
            hint=f"{profile.login_hint}, or undo the change; the session was not changed",
        )
    return session


def logged_out(profile: Profile) -> LoginRequired:
    """Make the error for a profile without a session."""
    return LoginRequired(f"not signed in to {profile.name!r}", hint=profile.login_hint)


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
