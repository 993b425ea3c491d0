"""A sign-in from start to session: find the server, choose the flow, run it, verify, and make the record."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tokenctl import flows
from tokenctl.errors import Refused, UsageError
from tokenctl.flows.discovery import discover
from tokenctl.flows.renewal import identified, proving
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth import client_auth
from tokenctl.oauth.claims import account_name
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.metadata import Metadata, need
from tokenctl.oauth.token_response import TokenSet
from tokenctl.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a flow needs: who asks, whom, and how. `timeout` is seconds."""

    runtime: Runtime
    profile: Profile
    server: Metadata
    client: Client
    token_endpoint: str
    no_browser: bool = False
    timeout: int = flows.TIMEOUT


Finish = Callable[..., Session]
"""Takes the token set (and the nonce and the max_age that were sent), verifies and keeps it, and returns the session."""


def sign_in(
    runtime: Runtime,
    profile: Profile,
    *,
    keep: Callable[[Session], Session] = lambda session: session,
    client_secret: str | None = None,
    no_browser: bool = False,
    timeout: int = flows.TIMEOUT,
) -> Session:
    """Sign in and return the session.

    `keep` stores it and returns it as stored: it is called once everything is verified, and before
    the browser is told that all went well. Raises UsageError, LoginRequired (nobody signed in in
    time), Refused or Unreachable.
    """
    if profile.client_id is None and profile.flow != "api-key":
        raise UsageError(
            f"profile {profile.name!r} has no client_id", hint="add --client-id ID, or set client_id in the profile"
        )
    server = discover(runtime, profile)
    if profile.flow == "api-key":
        client = Client(client_id=profile.client_id or "api-key", auth_method="api_key", secret=client_secret)
    elif profile.flow == "workload":
        client = identified(runtime, profile, profile.client_id or "")
    else:
        client = client_auth.choose(server, profile.client_id or "", client_secret, profile.auth_method)
    endpoint = need(server.token_endpoint, "token endpoint", server.issuer)
    client = proving(runtime, profile, client, server.issuer, endpoint)
    name = _chosen_flow(runtime, profile, server, client, no_browser)
    if profile.store == "memory" and name not in flows.MACHINE:
        raise UsageError(
            "the memory store keeps nothing, so only a machine can use it",
            hint="choose --store keyring or file, or --flow client-credentials",
        )
    plan = Plan(
        runtime=runtime,
        profile=profile,
        server=server,
        client=client,
        token_endpoint=endpoint,
        no_browser=no_browser,
        timeout=timeout,
    )
    return flows.run(name, plan, partial(_finish, plan, name, keep))


def _chosen_flow(runtime: Runtime, profile: Profile, server: Metadata, client: Client, no_browser: bool) -> str:
    if profile.flow != "auto":
        return profile.flow
    if server.authorization_endpoint and (runtime.has_browser or no_browser):
        return "browser"
    if server.device_authorization_endpoint:
        return "device"
    return "client-credentials" if not server.authorization_endpoint and client.secret else "browser"


def _finish(
    plan: Plan,
    flow: str,
    keep: Callable[[Session], Session],
    tokens: TokenSet,
    nonce: str | None = None,
    max_age: int | None = None,
) -> Session:
    runtime, profile, server = plan.runtime, plan.profile, plan.server
    claims = {}
    if tokens.id_token is not None:
        if server.jwks_uri is None:
            raise Refused(
                "the server sent an ID token and publishes no keys to verify it",
                hint="set jwks_uri in the profile, or leave openid out of the scope",
            )
        claims = runtime.verify_id_token(
            profile,
            tokens.id_token,
            server.jwks_uri,
            issuer=server.issuer,
            client_id=plan.client.client_id,
            algorithms=server.id_token_signing_alg_values_supported,
            nonce=nonce,
            max_age=max_age,
            access_token=tokens.access_token,
        )
    elif max_age is not None:
        raise Refused(
            "the server sent no ID token, so nobody knows how long ago the sign-in was (max_age)",
            hint="add openid to the scope, or leave max_age out",
        )
    missing = set((profile.scope or "").split()) - set(
        (tokens.scope if tokens.scope is not None else profile.scope or "").split()
    )
    if missing:
        runtime.terminal.warning(f"the server did not grant: {' '.join(sorted(missing))}")
    return keep(
        Session(
            issuer=server.issuer,
            client_id=plan.client.client_id,
            flow=flow,
            token_endpoint=plan.token_endpoint,
            token_endpoint_auth_method=plan.client.auth_method,
            revocation_endpoint=server.revocation_endpoint,
            introspection_endpoint=server.introspection_endpoint,
            jwks_uri=server.jwks_uri,
            id_token_algorithms=server.id_token_signing_alg_values_supported or (),
            access_token=tokens.access_token,
            token_type=tokens.token_type,
            obtained_at=tokens.obtained_at,
            expires_at=tokens.expires_at,
            refresh_token=tokens.refresh_token,
            refresh_token_expires_at=tokens.refresh_token_expires_at,
            id_token=tokens.id_token,
            scope=tokens.scope if tokens.scope is not None else profile.scope,
            resource=profile.resource,
            subject=claims.get("sub"),
            account=account_name(claims),
            **runtime.boot_time(),
            seal_key=base64.b64encode(runtime.entropy(32)).decode(),
        )
    )
