"""A session's access token for a narrower one: token exchange (RFC 8693)."""

from dataclasses import replace

from tokenctl.flows.renewal import session_client
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth import token_response
from tokenctl.oauth.token_exchange import ACCESS_TOKEN, HINTS, check_issued, exchange_request
from tokenctl.runtime import Runtime


def exchange(runtime: Runtime, asked: Profile, session: Session) -> Session:
    """Exchange the session's access token, at the endpoint pinned at login, for one as `asked`.

    What comes back is no session: it has no refresh token. Raises Refused, LoginRequired or Unreachable.
    """
    client = session_client(runtime, asked, session)
    request = exchange_request(
        session.token_endpoint,
        client,
        session.access_token,
        ACCESS_TOKEN,
        scope=asked.scope,
        resource=asked.resource,
        audience=asked.audience,
    )
    response = runtime.send(asked, request)
    check_issued(response)
    tokens = token_response.parse(response, (*client.secrets, *request.secrets), hints=HINTS)
    return replace(
        session,
        access_token=tokens.access_token,
        obtained_at=tokens.obtained_at,
        expires_at=tokens.expires_at,
        **runtime.boot_time(),
        refresh_token=None,
        id_token=None,
        scope=tokens.scope if tokens.scope is not None else asked.scope,
        resource=asked.resource,
    )
