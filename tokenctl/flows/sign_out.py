"""A session ends at the server: its tokens are revoked (RFC 7009), and what was not is said."""

from tokenctl.errors import Refused
from tokenctl.flows.renewal import session_client
from tokenctl.oauth.revocation import Outcome, parse, revocation_request
from tokenctl.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.session import Session


def sign_out(runtime: Runtime, profile: Profile, session: Session) -> None:
    """Revoke the refresh token first, then the access token, and never claim more than was done.

    Raises Refused when the server has no revocation endpoint or will not revoke the refresh token,
    Unreachable when it could not be asked: then the session must stay.
    """
    local = f"'tokenctl revoke -p {profile.name} --local' forgets the session here and leaves it alive at the server"
    if session.revocation_endpoint is None:
        raise Refused(f"{session.issuer} offers no revocation, so nothing was revoked; the session is kept", hint=local)
    client = session_client(runtime, profile, session)
    for token, hint in ((session.refresh_token, "refresh_token"), (session.access_token, "access_token")):
        if token is None or (hint == "access_token" and session.expired(runtime.now())):
            continue
        request = revocation_request(session.revocation_endpoint, client, token, hint)
        outcome, reason = parse(runtime.send(profile, request), (token, client.secret or ""))
        name = hint.replace("_", " ")
        if outcome is Outcome.REVOKED:
            runtime.terminal.detail(f"the server revoked the {name}")
        elif hint == "refresh_token":
            raise Refused(f"the server did not revoke the refresh token ({reason}); the session is kept", hint=local)
        else:
            runtime.terminal.message(
                f"the server cannot revoke this access token ({reason}); it stays valid for {session.remaining(runtime.now())} s"
            )
