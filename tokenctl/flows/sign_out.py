"""A session ends at the server: its tokens are revoked (RFC 7009), and a message names those that were not."""

from tokenctl.errors import Refused, Unreachable
from tokenctl.flows import clients
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.revocation import Outcome, parse, revocation_request
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def revoke_tokens(runtime: Runtime, vault: Vault, session: Session) -> bool:
    """Revoke the refresh token first, then the access token, and never claim more than was done.

    Tells whether the server revoked anything: with nothing left alive there is nothing to revoke, and
    an access token that cannot be revoked is named. Raises Refused when the server has no revocation
    endpoint or refuses the token that keeps the session alive, Unreachable when it could not be asked:
    then the session must stay. `sent` of that error tells whether something may have been revoked.
    """
    if not living_token(runtime, session):
        return False
    profile, revoked = vault.profile, False
    if session.revocation_endpoint is None:
        raise Refused(
            f"{session.issuer} offers no revocation: nothing was revoked, the session is kept",
            hint=forget_hint(profile),
        )
    client = clients.of_vault(runtime, vault, session)  # once, and first: what this raises means that nothing was sent
    for token, hint in ((session.refresh_token, "refresh_token"), (session.access_token, "access_token")):
        if token is None or (hint == "access_token" and session.expired(runtime.time_of(session))):
            continue
        request = revocation_request(session.revocation_endpoint, client, token, hint)
        try:
            outcome, reason = parse(runtime.send(profile, request), (token, *client.secrets, *request.secrets))
        except Unreachable as error:
            error.sent = (
                error.sent or revoked
            )  # with its refresh token gone, nobody knows what the access token is worth
            raise
        except Refused as error:  # such as a redirect
            if not revoked:
                error.hint = forget_hint(profile)
                raise
            outcome, reason = Outcome.REFUSED, error.message
        if outcome is Outcome.REVOKED:
            runtime.terminal.detail(f"the server revoked the {hint.replace('_', ' ')}")
            revoked = True
        elif hint == "refresh_token" or (outcome is Outcome.REFUSED and not revoked):
            raise Refused(
                f"the server did not revoke the {hint.replace('_', ' ')} ({reason}); the session is kept",
                hint=forget_hint(profile),
            )
        else:
            left = session.remaining(runtime.time_of(session))
            valid = "stays valid" if left is None else f"stays valid for {left} s"
            runtime.terminal.message(f"the server cannot revoke this access token ({reason}); it {valid}")
    return revoked


def living_token(runtime: Runtime, session: Session) -> bool:
    """Tell whether the session has a token that the server could still revoke."""
    return session.refresh_token is not None or not session.expired(runtime.time_of(session))


def forget_hint(profile: Profile) -> str:
    """Say how to forget a session that the server did not revoke."""
    return f"'tokenctl revoke -p {profile.name} --local' forgets the session here and leaves it alive at the server"
