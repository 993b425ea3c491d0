"""A session's access token for a narrower one: token exchange (RFC 8693)."""

from dataclasses import replace

from tokenctl.errors import Refused
from tokenctl.flows import clients
from tokenctl.model.session import Session
from tokenctl.model.target import Target
from tokenctl.oauth import error_response, token_response
from tokenctl.oauth.client_refusals import refuses_client
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
    try:
        tokens = token_response.parse(response, known, error_response.SESSION_TOKEN, HINTS)
    except Refused as error:
        if error.error is None and client.secret and refuses_client(response):  # such as by 403 alone
            error.hint = error.hint or error_response.CLIENT.hint
        raise
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
