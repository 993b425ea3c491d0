"""A session ends at the server: its tokens are revoked (RFC 7009), and what was not is said."""

from tokenctl.errors import Refused
from tokenctl.flows.renewal import api_values, session_client
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth import json_api
from tokenctl.oauth.revocation import Outcome, parse, revocation_request
from tokenctl.runtime import Runtime


def sign_out(runtime: Runtime, profile: Profile, session: Session) -> bool:
    """Revoke the refresh token first, then the access token, and never claim more than was done.

    Tells whether the server revoked anything: with nothing left alive there is nothing to revoke, and
    an access token that cannot be revoked is named. Raises Refused when the server has no revocation
    endpoint or refuses the token that keeps the session alive, Unreachable when it could not be asked:
    then the session must stay.
    """
    local = f"'tokenctl revoke -p {profile.name} --local' forgets the session here and leaves it alive at the server"
    revoked = False
    for token, hint in ((session.refresh_token, "refresh_token"), (session.access_token, "access_token")):
        if token is None or (hint == "access_token" and session.expired(runtime.time_of(session))):
            continue
        if session.revocation_endpoint is None:
            raise Refused(
                f"{session.issuer} offers no revocation: nothing was revoked, the session is kept", hint=local
            )
        client = session_client(runtime, profile, session)
        if session.flow == "api-key":
            return _end_api_session(runtime, profile, session, client.secret, local)
        request = revocation_request(session.revocation_endpoint, client, token, hint)
        outcome, reason = parse(runtime.send(profile, request), (token, *client.secrets, *request.secrets))
        if outcome is Outcome.REVOKED:
            runtime.terminal.detail(f"the server revoked the {hint.replace('_', ' ')}")
            revoked = True
        elif hint == "refresh_token" or (outcome is Outcome.REFUSED and not revoked):
            raise Refused(
                f"the server did not revoke the {hint.replace('_', ' ')} ({reason}); the session is kept", hint=local
            )
        else:
            left = session.remaining(runtime.time_of(session))
            runtime.terminal.message(
                f"the server cannot revoke this access token ({reason}); it stays valid for {left} s"
            )
    return revoked


def _end_api_session(runtime: Runtime, profile: Profile, session: Session, secret: str | None, local: str) -> bool:
    """Make the revoke call of a token API that is not OAuth, at the endpoint pinned at login."""
    call = profile.api.revoke if profile.api else None
    if call is None or call.url != session.revocation_endpoint:
        raise Refused("the profile now names another endpoint to revoke at; the session is kept", hint=local)
    reason = json_api.check_revoked(runtime.send(profile, json_api.request(call, api_values(profile, secret, session))))
    if reason is not None:
        raise Refused(f"the server did not revoke the session ({reason}); it is kept", hint=local)
    return True
