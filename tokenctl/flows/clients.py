"""The client: who tokenctl is to a server, where its secret is found, and how it proves who it is."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tokenctl import flows
from tokenctl.config.secret_sources import from_environment, from_key_file, of_client
from tokenctl.errors import LoginRequired, UsageError
from tokenctl.flows.flow import SecretKind
from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.client_auth import ASSERTION_METHODS, WORKLOAD, Client, candidates, preferred
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

if TYPE_CHECKING:
    from tokenctl.oauth.metadata import Metadata


def of_session(runtime: Runtime, profile: Profile, session: Session, secret: str | None) -> Client:
    """Make the client that the session belongs to; `secret` is what `secret_of_session` found.

    Raises UsageError when the client proves itself with the job's identity, and that is for another server.
    """
    if session.token_endpoint_auth_method == WORKLOAD:
        if not is_with(profile, session):
            raise UsageError(
                f"the job's identity is for {profile.issuer}, and is not sent to {session.issuer}",
                hint=f"'tokenctl revoke -p {profile.name} --local' forgets a session that is there",
            )
        return of_workload(runtime, profile, session.client_id)
    client = Client(client_id=session.client_id, auth_method=session.token_endpoint_auth_method, secret=secret)
    return proving(runtime, profile, client, session.issuer, session.token_endpoint)


def of_vault(runtime: Runtime, vault: Vault, session: Session) -> Client:
    """Make the client that the vault's session belongs to, with its secret. Raises LoginRequired when that is gone."""
    return of_session(runtime, vault.profile, session, secret_of_session(runtime, vault, session))


def by_metadata(runtime: Runtime, profile: Profile, server: "Metadata", secret: str | None) -> tuple[Client, ...]:
    """Make an OAuth client for a sign-in, for each way to try; see `client_auth.candidates`. Raises UsageError."""
    return candidates(server, profile.client_id or "", secret, profile.auth_method)


def as_before(candidates: tuple[Client, ...], stored: Session) -> tuple[Client, ...]:
    """Put the client authentication first that worked at the sign-in of the session that is `stored`.

    A secret that only signed there is never sent itself. The session must be with the same server and client.
    """
    from tokenctl.flows import identities

    method, secret = stored.token_endpoint_auth_method, candidates[0].secret
    if method == "client_secret_jwt" and secret is not None and identities.is_secret_of(stored, secret):
        return (replace(candidates[0], auth_method=method),)
    return preferred(candidates, replace(candidates[0], auth_method=method))


def check_profile(profile: Profile) -> None:
    """Check that the profile names the client of an OAuth sign-in. Raises UsageError."""
    if profile.client_id is None:
        raise UsageError(
            f"profile {profile.name!r} has no client_id", hint="add --client-id ID, or set client_id in the profile"
        )


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
    """Find the secret of the session's client; None for a client without one. Raises LoginRequired when it is gone.

    The profile's key file and the environment have the secret of the server and client that the profile names now.
    """
    method = session.token_endpoint_auth_method
    if method in ("none", WORKLOAD):
        return None
    kind, profile = flows.of(session.flow).secret, vault.profile
    named = is_with(profile, session)
    found = (secret_outside(runtime, profile, kind, method) if named else None) or secret_in_store(vault, session)
    if not found:
        raise LoginRequired(f"the {kind.name} of {profile.name!r} is gone", hint=secret_hint(profile, kind))
    return found


def secret_hint(profile: Profile, kind: SecretKind) -> str:
    """Say how to give the secret of the profile's client, which is missing: to a login, or to each command."""
    signs_in = (
        f"run 'tokenctl login -p {profile.name} {kind.option}' with it on stdin (a first login: with its options too)"
    )
    variables = f"set TOKENCTL_{kind.variable} or TOKENCTL_{kind.variable}_FILE"
    if profile.store not in LASTING_STORES:
        return variables
    if not profile.by_machine and profile.auth_method in (None, "none"):
        return signs_in  # the environment's secrets go to no such profile
    return f"{signs_in}, or {variables}"


def is_with(profile: Profile, session: Session) -> bool:
    """Tell whether the session is with the server and the client that the profile names."""
    if profile.client_id not in (None, session.client_id):
        return False
    if profile.api is not None:
        return profile.api.is_at(session.issuer)
    return profile.issuer in (None, session.issuer)


def secret_at_hand(
    runtime: Runtime, vault: Vault, kind: SecretKind, method: str | None, stored: Session | None
) -> str | None:
    """Find the secret for a sign-in in the profile's key file, the environment or the store.

    The secret in the store is for the server and client of the session that is `stored`. After a change of the profile
    it is sent to no other one. Raises UsageError or StoreError.
    """
    found = secret_outside(runtime, vault.profile, kind, method)
    if found is None and stored is not None and is_with(vault.profile, stored):
        return secret_in_store(vault, stored)
    return found


def secret_in_store(vault: Vault, session: Session) -> str | None:
    """Read the secret that was kept at login, if the session was made with it; else it is another server's, or older."""
    from tokenctl.flows import identities

    # The store that has the session now: a login can be on its way to another one.
    found = (vault.previous or vault.store).read_secret(vault.profile.name)
    return found if found is not None and identities.is_secret_of(session, found) else None


def secret_outside(runtime: Runtime, profile: Profile, kind: SecretKind, method: str | None) -> str | None:
    """Find a client's secret in the profile's key file or the environment.

    A private key is only ever taken for a `method` that signs with it, and never as a password. Raises UsageError.
    """
    signs = method == "private_key_jwt"
    if profile.client_key_file and signs:
        return from_key_file(profile.client_key_file, runtime.terminal)
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
