"""Looking closer at a session: its claims, its signatures, and what the server says of it."""

from typing import Any

from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.flows import clients
from tokenctl.flows.verification import check_signature
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import RenewalJob
from tokenctl.model.session import Session
from tokenctl.oauth import introspection
from tokenctl.oauth.claims import is_jwt, unverified_claims
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def claims(session: Session) -> dict[str, Any]:
    """Decode the claims of what is a JWT, unverified."""
    return {
        "access_token": unverified_claims(session.access_token),
        "id_token": unverified_claims(session.id_token or ""),
    }


def verify(runtime: Runtime, profile: Profile, session: Session) -> tuple[dict[str, str], Refused | None]:
    """Say of each token whether a key of the issuer signed it, and return the first error; the caller raises it after it has shown the rest.

    Raises Refused when the issuer has no keys.
    """
    if session.jwks_uri is None:
        raise Refused(f"{session.issuer} publishes no keys, so nothing can be verified")
    verdicts, first = {}, None
    for name, what, token in (
        ("access_token", "access token", session.access_token),
        ("id_token", "ID token", session.id_token),
    ):
        if token is None:
            continue
        if not is_jwt(token):
            verdicts[name] = "opaque: only the server can tell, with --introspect"
            continue
        try:
            check_signature(runtime, profile, token, session.jwks_uri, what)
            verdicts[name] = "signed by the issuer"
        except Refused as refused:
            verdicts[name] = refused.message
            first = first or refused
    return verdicts, first


def older_access_tokens(runtime: Runtime, job: RenewalJob, older: str, newer: str) -> str | None:
    """Ask the server whether it ended the older access token when it gave the newer one.

    Returns `kept` or `ended`; None when the server does not say. Some servers call every token inactive, such as JWTs, so
    their word about the older one counts only if they know the newer one.
    """
    endpoint, known = job.session.introspection_endpoint, (older, newer)
    if endpoint is None:
        return None
    client = clients.of_session(runtime, job.profile, job.session, job.secret)
    active = []
    try:
        for token in (newer, older):
            request = introspection.introspection_request(endpoint, client, token)
            response = runtime.send(job.profile, request)
            active.append(introspection.parse(response, (*known, *client.secrets, *request.secrets))["active"])
            if not active[0]:
                return None
    except (Refused, Unreachable, UsageError) as error:
        runtime.terminal.detail(f"the server does not say whether the older access token lives: {error.message}")
        return None
    return "kept" if active[1] else "ended"


def introspect(runtime: Runtime, vault: Vault, session: Session) -> dict[str, Any]:
    """Ask the server about the access token; its answer comes without any of the session's secrets.

    Raises Refused when it offers no introspection.
    """
    if session.introspection_endpoint is None:
        raise Refused(
            f"{session.issuer} offers no introspection",
            hint="leave --introspect out; --claims shows what a JWT says itself",
        )
    client = clients.of_vault(runtime, vault, session)
    request = introspection.introspection_request(session.introspection_endpoint, client, session.access_token)
    tokens = (session.access_token, session.refresh_token, session.id_token)
    known = (*filter(None, tokens), *client.secrets, *request.secrets)
    return dict(introspection.parse(runtime.send(vault.profile, request), known))
