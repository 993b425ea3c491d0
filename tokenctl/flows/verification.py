"""Verifying what a server sent: the ID tokens of a sign-in and of a renewal, and signatures for `show --verify`."""

from typing import Any

from tokenctl.errors import Refused
from tokenctl.flows.flow import Arrived, SignIn
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.token_response import TokenSet
from tokenctl.oauth.wire import Request
from tokenctl.runtime import Runtime


class OtherSubject(Refused):
    """A renewal brought the ID token of another person than the one who signed in."""


def verify_sign_in(start: SignIn, arrived: Arrived) -> dict[str, Any]:
    """Verify the ID token that came with a sign-in, and return its claims; none when there is no ID token.

    Raises Refused, or Unreachable when the issuer's keys could not be had.
    """
    server, tokens = start.server, arrived.tokens
    if tokens.id_token is None:
        if arrived.max_age is not None:
            raise Refused(
                "the server sent no ID token, so max_age cannot be checked",
                hint="add openid to the scope, or leave max_age out",
            )
        return {}
    if server.jwks_uri is None:
        raise Refused(
            "the server sent an ID token and publishes no keys to verify it",
            hint="set jwks_uri in the profile, or leave openid out of the scope",
        )
    return _verify(
        start.runtime,
        start.profile,
        tokens.id_token,
        server.jwks_uri,
        issuer=server.issuer,
        client_id=start.client.client_id,
        algorithms=server.id_token_signing_alg_values_supported,
        nonce=arrived.nonce,
        max_age=arrived.max_age,
        access_token=tokens.access_token,
    )


def has_new_id_token(session: Session, tokens: TokenSet) -> bool:
    """Tell whether a renewal brought an ID token to verify. Some servers repeat the first one, expired or not."""
    return tokens.id_token not in (None, session.id_token)


def verify_renewal(runtime: Runtime, profile: Profile, session: Session, tokens: TokenSet) -> None:
    """Verify the ID token that came with a renewal, if a new one came (OpenID Connect Core section 12.2).

    It must have the same issuer, client and subject as at login, and the same nonce if it has one. Raises
    Refused, or Unreachable when the issuer's keys could not be had.
    """
    if not has_new_id_token(session, tokens):
        return
    if session.jwks_uri is None:
        raise Refused("the renewal brought an ID token, and the server publishes no keys to verify it")
    claims = _verify(
        runtime,
        profile,
        tokens.id_token or "",
        session.jwks_uri,
        issuer=session.issuer,
        client_id=session.client_id,
        algorithms=session.id_token_algorithms or None,
        access_token=tokens.access_token,
    )
    nonce = unverified_claims(session.id_token or "").get("nonce")
    if session.subject is not None and claims["sub"] != session.subject:
        raise OtherSubject("the renewal brought the ID token of another person than the one who signed in")
    if "nonce" in claims and nonce is not None and claims["nonce"] != nonce:
        raise Refused("the renewal brought an ID token of another sign-in")


def check_signature(runtime: Runtime, profile: Profile, token: str, jwks_uri: str, what: str) -> None:
    """Verify only who signed a JWT; `what` names the token for the message. Raises Refused or Unreachable."""
    from tokenctl.adapters.jwt_verify import verify_signature

    verify_signature(
        token, runtime.send(profile, Request(url=jwks_uri, purpose="reading the server's keys")), what=what
    )


def _verify(runtime: Runtime, profile: Profile, token: str, jwks_uri: str, **expected: Any) -> dict[str, Any]:
    """Fetch the issuer's keys and verify an ID token; see `jwt_verify.verify`."""
    from tokenctl.adapters.jwt_verify import verify

    return verify(token, runtime.send(profile, Request(url=jwks_uri, purpose="reading the server's keys")), **expected)
