"""A sign-in from start to session: find the server, choose the flow, run it, verify, and make the record."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tokenctl import flows
from tokenctl.flows import clients, identities
from tokenctl.flows.discovery import discover
from tokenctl.flows.flow import Arrived, Flow, SignIn
from tokenctl.flows.verification import verify_sign_in
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.claims import account_name
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.metadata import Metadata, require_endpoint
from tokenctl.oauth.scopes import not_granted
from tokenctl.runtime import Runtime

TIMEOUT = 300
"""Seconds a person has to sign in."""


def prepare(
    runtime: Runtime,
    profile: Profile,
    secret: str | None = None,
    *,
    stored: Session | None = None,
    no_browser: bool = False,
    timeout: int = TIMEOUT,
) -> SignIn:
    """Find the server and choose the flow. `secret` is the client's, `timeout` is seconds.

    `stored` is the session that this sign-in would replace: how its client proved itself is tried first. Raises UsageError,
    Refused or Unreachable.
    """
    named = flows.of(profile.flow)
    named.check_profile(profile)
    server = discover(runtime, profile)
    candidates = named.clients(runtime, profile, server, secret)
    if stored is not None and profile.auth_method is None and clients.is_with(profile, stored):
        candidates = clients.as_before(candidates, stored)
    endpoint = require_endpoint(server.token_endpoint, "token endpoint", server.issuer)
    return SignIn(
        runtime=runtime,
        profile=profile,
        server=server,
        clients=tuple(clients.proving(runtime, profile, each, server.issuer, endpoint) for each in candidates),
        token_endpoint=endpoint,
        flow=_chosen(runtime, profile, server, candidates[0], no_browser=no_browser),
        no_browser=no_browser,
        timeout=timeout,
    )


@contextmanager
def sign_in(start: SignIn) -> Iterator[Session]:
    """Sign in, and give the block the session, verified and not yet stored.

    The sign-in has succeeded when the block ends well: the person's browser is told so then, and that it failed
    when the block raises. Raises UsageError, LoginRequired (nobody signed in in time), Refused or Unreachable.
    """
    with start.flow.sign_in(start) as arrived:
        yield _session(start, arrived, verify_sign_in(start, arrived))


def _chosen(runtime: Runtime, profile: Profile, server: Metadata, client: Client, *, no_browser: bool) -> Flow:
    if profile.flow != "auto":
        return flows.of(profile.flow)
    if server.authorization_endpoint and (runtime.browser.present or no_browser):
        return flows.of("browser")
    if server.device_authorization_endpoint:
        return flows.of("device")
    return flows.of("client-credentials" if not server.authorization_endpoint and client.secret else "browser")


def _session(start: SignIn, arrived: Arrived, claims: dict[str, Any]) -> Session:
    runtime, profile, server, tokens = start.runtime, start.profile, start.server, arrived.tokens
    granted = tokens.scope if tokens.scope is not None else profile.scope
    missing = not_granted(profile.scope, granted)
    if missing:
        runtime.terminal.warning(f"the server did not grant: {' '.join(missing)}")
    seal_key = base64.b64encode(runtime.entropy(32)).decode()
    machine = identities.of_sign_in(runtime, profile, seal_key, start.client.secret, arrived.identity_token)
    return Session(
        issuer=server.issuer,
        client_id=start.client.client_id,
        flow=start.flow.name,
        token_endpoint=start.token_endpoint,
        token_endpoint_auth_method=arrived.client.auth_method,
        revocation_endpoint=server.revocation_endpoint,
        introspection_endpoint=server.introspection_endpoint,
        jwks_uri=server.jwks_uri,
        id_token_algorithms=server.id_token_signing_alg_values_supported or (),
        access_token=tokens.access_token,
        token_type=tokens.token_type,
        **tokens.times(renewable=tokens.refresh_token is not None),
        refresh_token=tokens.refresh_token,
        refresh_token_expires_at=tokens.refresh_token_expires_at,
        id_token=tokens.id_token,
        scope=granted,
        resource=profile.resource,
        subject=claims.get("sub"),
        account=account_name(claims),
        id=runtime.entropy(8).hex(),
        seal_key=seal_key,
        requested_scope=profile.scope or "",
        audience=profile.audience,
        identity=machine if start.flow.by_machine else None,
    )
