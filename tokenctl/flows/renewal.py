"""A session goes on: the refresh token grant, or for a machine its first grant once more."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from tokenctl import flows
from tokenctl.broker.errand import Errand
from tokenctl.errors import LoginRequired, Refused
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.token_api import Call
from tokenctl.oauth import json_api, token_response
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.client_auth import ASSERTED, Client
from tokenctl.oauth.client_credentials import client_credentials_request
from tokenctl.oauth.jwt_bearer import bearer_request
from tokenctl.oauth.refresh_token import refresh_request
from tokenctl.oauth.token_exchange import check_issued, exchange_request
from tokenctl.oauth.token_response import TokenSet
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime, login_hint


def session_client(runtime: Runtime, profile: Profile, session: Session, given: str | None = None) -> Client:
    """Make the client that the session belongs to, with its secret if it has one: `given`, or found."""
    method = session.token_endpoint_auth_method
    if method == "workload":
        return identified(runtime, profile, session.client_id)
    secret = None if method == "none" else runtime.client_secret(profile, given, method)
    if method != "none" and not secret:
        what = "API key" if method == "api_key" else "client secret"
        raise LoginRequired(
            f"the {what} of {profile.name!r} is gone",
            hint=f"{login_hint(profile)} --{what.lower().replace(' ', '-')}-stdin",
        )
    client = Client(client_id=session.client_id, auth_method=method, secret=secret)
    return proving(runtime, profile, client, session.issuer, session.token_endpoint)


def proving(runtime: Runtime, profile: Profile, client: Client, issuer: str, token_endpoint: str) -> Client:
    """Give a client that proves itself with assertions what makes them (RFC 7523 section 3: for this server alone)."""
    if client.auth_method not in ASSERTED:
        return client
    audience = token_endpoint if profile.assertion_audience == "token_endpoint" else issuer
    return replace(client, prove=partial(runtime.client_assertion, profile, client, audience))


def succeed(
    runtime: Runtime, errand: Errand, response: Response, known: tuple[str, ...], commit: Callable[[Session], None]
) -> Session:
    """Read the answer to `request`: `commit` the session's successor, and return it. `known` secrets stay unsaid.

    What the answer leaves out stays as it was (RFC 6749 section 6). A refresh token that rotated is
    committed before anything is judged that could fail or take time: there it stands beside the
    old access token, so that what is not verified is never handed out and what rotated is never lost.
    Raises LoginRequired, Refused or Unreachable.
    """
    profile, session = errand.profile, errand.session
    before = None if errand.again else session.refresh_token
    if session.flow == "api-key":
        call, what = api_call(profile, session, again=errand.again)
        rotated, parse = json_api.rotated(call, response), partial(json_api.parse, call, response, what)
    else:
        if session.flow == "workload" and before is None and profile.identity_use == "token-exchange":
            check_issued(response)
        own = token_response.IDENTITY if session.flow == "workload" else token_response.CLIENT
        presented = own if before is None else None
        rotated, parse = token_response.rotated(response), partial(token_response.parse, response, known, presented)
    held = replace(session, generation=session.generation + 1, refresh_token=rotated or before)
    try:
        tokens = parse()
    except Refused:
        if rotated is not None:
            commit(held)
        raise
    if tokens.id_token not in (None, session.id_token):  # some servers repeat the first one, expired or not
        if rotated is not None:
            commit(held)
        _check_id_token(runtime, profile, session, tokens)
    successor = replace(
        held,
        access_token=tokens.access_token,
        token_type=tokens.token_type,
        obtained_at=tokens.obtained_at,
        refreshed_at=tokens.obtained_at,
        expires_at=tokens.expires_at,
        **runtime.boot_time(),
        refresh_token_expires_at=tokens.refresh_token_expires_at
        or (None if errand.again else session.refresh_token_expires_at),
        id_token=tokens.id_token or session.id_token,
        scope=tokens.scope if tokens.scope is not None else session.scope,
    )
    if errand.narrow:  # beside the session, never over it: only what rotated is the session's
        if rotated is not None and not errand.again:
            commit(held)
        scope = tokens.scope if tokens.scope is not None else profile.scope or session.scope
        return replace(
            successor,
            resource=profile.resource,
            scope=scope,
            refresh_token=None if errand.again else held.refresh_token,
        )
    commit(successor)
    return successor


def check(profile: Profile, session: Session, *, again: bool = False) -> None:
    """Find out, before anything is done, whether there is anything to renew the session with. Raises LoginRequired."""
    if session.flow == "api-key":
        api_call(profile, session, again=again)
    elif session.refresh_token is None and session.flow not in flows.MACHINE:
        raise LoginRequired(
            f"the access token of {profile.name!r} is used up, and the server gave no refresh token",
            hint=f"{login_hint(profile)}; many servers give one only for the scope offline_access",
        )


def request(
    runtime: Runtime,
    profile: Profile,
    session: Session,
    client: Client,
    *,
    again: bool = False,
    narrow: bool = False,
) -> Request:
    """Build the request for new tokens, at the endpoint pinned at login, for a session that `check` let pass.

    With `again` a machine presents its own credentials and leaves the refresh token alone. With `narrow` the
    profile's scope and resource are asked for.
    """
    if session.flow == "api-key":
        call, _ = api_call(profile, session, again=again)
        return json_api.request(call, api_values(profile, client.secret, session))
    if session.refresh_token is not None and not again:
        resource, scope = (profile.resource, profile.scope) if narrow else (session.resource, None)
        return refresh_request(session.token_endpoint, client, session.refresh_token, resource, scope)
    if session.flow == "workload":
        resource = profile.resource if narrow else session.resource
        return workload_request(runtime, profile, session.token_endpoint, client, resource)
    resource = profile.resource if narrow else session.resource
    return client_credentials_request(session.token_endpoint, client, profile.scope, resource, profile.audience)


def identified(runtime: Runtime, profile: Profile, client_id: str) -> Client:
    """Make the client of a job: its identity is the client's assertion, or it has none of its own."""
    if profile.identity_use == "client-assertion":
        return Client(client_id=client_id, auth_method="workload", prove=partial(runtime.identity_token, profile))
    return Client(client_id=client_id)


def workload_request(
    runtime: Runtime, profile: Profile, endpoint: str, client: Client, resource: tuple[str, ...]
) -> Request:
    """Build the request that presents a job's identity, in the way that the profile says."""
    if profile.identity_use == "client-assertion":
        return client_credentials_request(endpoint, client, profile.scope, resource, profile.audience)
    identity = runtime.identity_token(profile)
    if profile.identity_use == "jwt-bearer":
        return bearer_request(endpoint, client, identity, profile.scope, resource)
    return exchange_request(
        endpoint, client, identity, scope=profile.scope, resource=resource, audience=profile.audience
    )


def api_call(profile: Profile, session: Session, *, again: bool = False) -> tuple[Call, str]:
    """Choose the call of the profile's token API that renews a session, and name it: `refresh` or `login`.

    Raises LoginRequired when the profile has come to name another endpoint than the one pinned at login.
    """
    api = profile.api
    if api is None or (api.refresh or api.login).url != session.token_endpoint:
        raise LoginRequired(
            f"the session of {profile.name!r} is with {session.token_endpoint}, and the profile now says otherwise",
            hint=f"{login_hint(profile)}, or undo the change; the session was not touched",
        )
    if api.refresh is not None and session.refresh_token is not None and not again:
        return api.refresh, "refresh"
    if urlsplit(api.login.url)[:2] != urlsplit(session.issuer)[:2]:
        raise LoginRequired(
            f"the profile {profile.name!r} now signs in at another server than {session.issuer}",
            hint=f"{login_hint(profile)}, or undo the change; the API key was not sent",
        )
    return api.login, "login"


def api_values(profile: Profile, secret: str | None, session: Session | None = None) -> dict[str, str | None]:
    """Say what the placeholders of a token API stand for."""
    return {
        "api_key": secret,
        "password": secret,
        "username": profile.api.username if profile.api else None,
        "refresh_token": session.refresh_token if session else None,
        "access_token": session.access_token if session else None,
    }


def _check_id_token(runtime: Runtime, profile: Profile, session: Session, tokens: TokenSet) -> None:
    """Verify the ID token that came with a renewal (OpenID Connect Core section 12.2).

    Same issuer, client and subject as at login, and the same nonce if it has one. Raises Refused, or
    Unreachable when the keys could not be had.
    """
    if session.jwks_uri is None:
        raise Refused("the renewal brought an ID token, and the server publishes no keys to verify it")
    claims = runtime.verify_id_token(
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
        raise Refused("the renewal brought the ID token of another person than the one who signed in")
    if "nonce" in claims and nonce is not None and claims["nonce"] != nonce:
        raise Refused("the renewal brought an ID token of another sign-in")
