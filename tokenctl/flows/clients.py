"""The client: who tokenctl is to a server, where its secret is found, and how it proves who it is."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from tokenctl import flows
from tokenctl.config.secret_sources import from_environment, from_file, of_client
from tokenctl.errors import LoginRequired, UsageError
from tokenctl.flows.flow import SecretKind
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.client_auth import ASSERTION_METHODS, WORKLOAD, Client, choose
from tokenctl.oauth.metadata import Metadata
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def of_session(runtime: Runtime, profile: Profile, session: Session, secret: str | None) -> Client:
    """Make the client that the session belongs to; `secret` is what `secret_of_session` found."""
    if session.token_endpoint_auth_method == WORKLOAD:
        return of_workload(runtime, profile, session.client_id)
    client = Client(client_id=session.client_id, auth_method=session.token_endpoint_auth_method, secret=secret)
    return proving(runtime, profile, client, session.issuer, session.token_endpoint)


def of_vault(runtime: Runtime, vault: Vault, session: Session) -> Client:
    """Make the client that the vault's session belongs to, with its secret. Raises LoginRequired when that is gone."""
    return of_session(runtime, vault.profile, session, secret_of_session(runtime, vault, session))


def by_metadata(runtime: Runtime, profile: Profile, server: Metadata, secret: str | None) -> Client:
    """Make an OAuth client for a sign-in; see `client_auth.choose`. Raises UsageError."""
    return choose(server, profile.client_id or "", secret, profile.auth_method)


def of_workload(runtime: Runtime, profile: Profile, client_id: str) -> Client:
    """Make the client of a job: its identity is the client's assertion, or the client has no proof of its own."""
    if profile.identity_use == "client-assertion":
        return Client(
            client_id=client_id, auth_method=WORKLOAD, make_assertion=partial(identity_token, runtime, profile)
        )
    return Client(client_id=client_id)


def proving(runtime: Runtime, profile: Profile, client: Client, issuer: str, token_endpoint: str) -> Client:
    """Give a client that proves itself with assertions what makes them (RFC 7523 section 3: for this server alone)."""
    if client.auth_method not in ASSERTION_METHODS:
        return client
    audience = token_endpoint if profile.assertion_audience == "token_endpoint" else issuer
    return replace(client, make_assertion=partial(_assertion, runtime, profile, client, audience))


def identity_token(runtime: Runtime, profile: Profile) -> str:
    """Get the token with which the job's platform says who the job is; see `identity.token`."""
    from tokenctl import identity
    from tokenctl.identity.source import Job

    job = Job(profile=profile, environ=runtime.environ, send=partial(runtime.send, profile))
    return identity.token(job, runtime.now())


def secret_of_session(runtime: Runtime, vault: Vault, session: Session) -> str | None:
    """Find the secret of the session's client; None for a client without one. Raises LoginRequired when it is gone."""
    method = session.token_endpoint_auth_method
    if method in ("none", WORKLOAD):
        return None
    kind = flows.of(session.flow).secret
    found = secret_at_hand(runtime, vault, kind, method)
    if not found:
        raise LoginRequired(
            f"the {kind.name} of {vault.profile.name!r} is gone", hint=f"{vault.profile.login_hint} {kind.option}"
        )
    return found


def secret_at_hand(runtime: Runtime, vault: Vault, kind: SecretKind, method: str | None) -> str | None:
    """Find a client's secret in the profile's key file, the environment or the store. Raises UsageError or StoreError."""
    return secret_outside(runtime, vault.profile, kind, method) or vault.store.read_secret(vault.profile.name)


def secret_outside(runtime: Runtime, profile: Profile, kind: SecretKind, method: str | None) -> str | None:
    """Find a client's secret in the profile's key file or the environment.

    A private key is only ever taken for a `method` that signs with it, and never as a password. Raises UsageError.
    """
    signs = method == "private_key_jwt"
    if profile.client_key_file and signs:
        return _client_key(runtime, profile.client_key_file)
    return of_client(runtime.environ, kind.variable, runtime.terminal, lines=signs)


def has_credentials(runtime: Runtime, profile: Profile) -> bool:
    """Tell whether a machine can sign in by itself: with its platform's identity, its environment or a key file."""
    flow = flows.of(profile.flow)
    return flow.by_platform or bool(profile.client_key_file or from_environment(runtime.environ, flow.secret.variable))


def _assertion(runtime: Runtime, profile: Profile, client: Client, audience: str) -> str:
    from tokenctl.adapters.jwt_sign import client_assertion

    return client_assertion(
        client.client_id,
        audience,
        client.secret or "",
        symmetric=client.auth_method == "client_secret_jwt",
        now=runtime.now(),
        jti=runtime.entropy(16).hex(),
        algorithm=profile.assertion_algorithm,
        key_id=profile.client_key_id,
    )


def _client_key(runtime: Runtime, name: str) -> str:
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~ of nobody
        raise UsageError(f"client_key_file: there is no {name!r:.200}") from None
    return from_file(path, "client_key_file", runtime.terminal)
