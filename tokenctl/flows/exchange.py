"""A session's access token for a narrower one: token exchange (RFC 8693)."""

from dataclasses import replace

from tokenctl.flows import clients
from tokenctl.model.session import Session
from tokenctl.model.target import Target
from tokenctl.oauth import error_response, token_response
from tokenctl.oauth.token_exchange import ACCESS_TOKEN, HINTS, check_issued, exchange_request
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def exchange(runtime: Runtime, vault: Vault, session: Session, target: Target) -> Session:
    """Exchange the session's access token, at the endpoint pinned at login, for one for the target.

    What comes back has the form of a session and no refresh token. Raises Refused or Unreachable.
    """
    client = clients.of_vault(runtime, vault, session)
    request = exchange_request(
        session.token_endpoint,
        client,
        session.access_token,
        ACCESS_TOKEN,
        scope=target.scope,
        resource=target.resource,
        audience=target.audience,
    )
    response = runtime.send(vault.profile, request)
    check_issued(response)
    known = (*client.secrets, *request.secrets)
    tokens = token_response.parse(response, known, error_response.SESSION_TOKEN, HINTS)
    return replace(
        session,
        access_token=tokens.access_token,
        **tokens.times(renewable=True),
        superseded_at=None,
        refresh_token=None,
        refresh_token_expires_at=None,
        id_token=None,
        scope=tokens.scope if tokens.scope is not None else target.scope,
        resource=target.resource,
    )
