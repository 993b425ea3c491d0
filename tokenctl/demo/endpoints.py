"""The endpoints of the demo authorization server: each a function from a request to a reply."""

import base64
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from tokenctl.demo import consent
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.messages import Received, Reply, json_reply
from tokenctl.demo.registry import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    Client,
    Grant,
    OAuthError,
)
from tokenctl.demo.sessions import granted_scope

API_KEY_CLIENT = "api-key"

Endpoint = Callable[[AuthorizationServer, Received], Reply]


def respond(server: AuthorizationServer, request: Received) -> Reply:
    """The reply of the endpoint the request names; a refusal becomes RFC 6749 error JSON."""
    methods = ROUTES.get(request.path)
    if methods is None:
        return json_reply({"error": "not_found"}, 404)
    if request.method not in methods:
        return json_reply({"error": "method_not_allowed"}, 405, allow=", ".join(methods))
    try:
        request.refuse_repeats()
        return methods[request.method](server, request)
    except OAuthError as refusal:
        document = {"error": refusal.error, "error_description": refusal.description}
        challenge = {"www_authenticate": 'Basic realm="demo"'} if refusal.status == 401 else {}
        return json_reply(document, refusal.status, **challenge)


def metadata(server: AuthorizationServer, request: Received) -> Reply:
    """OpenID Connect Discovery and RFC 8414 in one document."""
    at, clients = server.settings.issuer, server.settings.clients
    authentication = ["client_secret_basic", "client_secret_post", "none"]
    return json_reply(
        {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "device_authorization_endpoint": f"{at}/device_authorization",
            "revocation_endpoint": f"{at}/revoke",
            "introspection_endpoint": f"{at}/introspect",
            "userinfo_endpoint": f"{at}/userinfo",
            "jwks_uri": f"{at}/jwks",
            "scopes_supported": sorted({scope for client in clients for scope in client.scopes}),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANTS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": authentication,
            "revocation_endpoint_auth_methods_supported": authentication,
            "introspection_endpoint_auth_methods_supported": authentication,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": [
                *("iss", "sub", "aud", "exp", "iat", "nonce", "at_hash", "auth_time"),
                *("name", "preferred_username", "email"),
            ],
        }
    )


def jwks(server: AuthorizationServer, request: Received) -> Reply:
    """The public keys that verify what this server signs."""
    return json_reply(server.signing_key.jwks())


def authenticated_client(server: AuthorizationServer, request: Received) -> Client:
    """Who is asking (RFC 6749 section 2.3): Basic, a secret in the form, or a public client's name."""
    form = request.form
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        if secret:
            raise OAuthError("invalid_request", "two ways of client authentication at once")
        try:
            pair = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            raise OAuthError("invalid_client", "the credentials cannot be read", 401) from None
        # Section 2.3.1: both halves are form-encoded before they are joined.
        named, secret = unquote_plus(pair[0]), unquote_plus(pair[2])
        if client_id not in ("", named):
            raise OAuthError("invalid_request", "client_id differs from the credentials")
        client_id = named
    client = server.client(client_id)
    expected = (client.secret if client else None) or ""
    if client is None or not hmac.compare_digest(expected.encode(), secret.encode()):
        raise OAuthError("invalid_client", "unknown client or wrong secret", 401)
    return client


def token(server: AuthorizationServer, request: Received) -> Reply:
    """The token endpoint: one function a grant type, in GRANTS."""
    client = authenticated_client(server, request)
    grant_type = required(request, "grant_type")
    if grant_type not in GRANTS:
        raise OAuthError("unsupported_grant_type", "this server does not know the grant type")
    if grant_type not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the grant type")
    return json_reply(GRANTS[grant_type](server, client, request))


def required(request: Received, name: str) -> str:
    """A form parameter the request cannot do without."""
    if value := request.form.get(name):
        return value
    raise OAuthError("invalid_request", f"{name} is missing")


def _code_grant(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    code, verifier = required(request, "code"), required(request, "code_verifier")
    return server.redeem_code(client, code, required(request, "redirect_uri"), verifier)


def _refresh_grant(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    return server.sessions.refresh(
        client.client_id,
        required(request, "refresh_token"),
        request.form.get("scope", ""),
        request.resources,
    )


def _device_grant(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    return server.poll_device(client, required(request, "device_code"))


def _machine_grant(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    grant = Grant(
        client_id=client.client_id,
        subject=client.client_id,
        scope=granted_scope(request.form.get("scope", "api"), client.scopes),
        resources=request.resources,
        auth_time=int(server.settings.clock()),
    )
    return server.sessions.issue_tokens(server.sessions.open_session(grant))


def device_authorization(server: AuthorizationServer, request: Received) -> Reply:
    """RFC 8628 section 3.1: a device asks for its two codes."""
    client = authenticated_client(server, request)
    if DEVICE_CODE not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the device flow")
    scope = granted_scope(request.form.get("scope", "api"), client.scopes)
    return json_reply(server.start_device(client, scope, request.resources))


def revoke(server: AuthorizationServer, request: Received) -> Reply:
    """RFC 7009: an unknown token is as good as revoked."""
    client = authenticated_client(server, request)
    server.sessions.revoke(client.client_id, required(request, "token"))
    return json_reply({})


def introspect(server: AuthorizationServer, request: Received) -> Reply:
    """RFC 7662: what a token is worth now."""
    client = authenticated_client(server, request)
    return json_reply(server.sessions.introspect(client, required(request, "token")))


def userinfo(server: AuthorizationServer, request: Received) -> Reply:
    """OpenID Connect Core section 5.3."""
    claims = _bearer_claims(server, request)
    if isinstance(claims, Reply):
        return claims
    if "openid" not in claims["scope"].split():
        challenge = 'Bearer realm="demo", error="insufficient_scope", scope="openid"'
        return json_reply({"error": "insufficient_scope"}, 403, www_authenticate=challenge)
    return json_reply(server.sessions.profile(claims["sub"]))


def hello(server: AuthorizationServer, request: Received) -> Reply:
    """The protected API: it greets whoever holds an access token made for it."""
    claims = _bearer_claims(server, request, audience=f"{server.settings.issuer}/api")
    if isinstance(claims, Reply):
        return claims
    seconds_left = int(claims["exp"] - server.settings.clock())
    return json_reply({"hello": claims["sub"], "seconds_left": seconds_left})


def _bearer_claims(
    server: AuthorizationServer, request: Received, audience: str | None = None
) -> dict[str, Any] | Reply:
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return json_reply({"error": "unauthorized"}, 401, www_authenticate='Bearer realm="demo"')
    claims = server.sessions.access_claims(presented.strip())
    audiences = [] if claims is None else claims["aud"]
    audiences = [audiences] if isinstance(audiences, str) else audiences
    if claims is None or audience not in (None, *audiences):
        challenge = 'Bearer realm="demo", error="invalid_token"'
        return json_reply({"error": "invalid_token"}, 401, www_authenticate=challenge)
    return dict(claims)


def api_key_login(server: AuthorizationServer, request: Received) -> Reply:
    """The JSON token API: an API key begins a session."""
    presented = str(request.json.get("api_key", ""))
    expected = server.settings.api_key
    if not hmac.compare_digest(presented.encode(errors="replace"), expected.encode()):
        return json_reply({"error": "invalid_api_key"}, 401)
    grant = Grant(
        client_id=API_KEY_CLIENT,
        subject=API_KEY_CLIENT,
        scope=("api", "offline_access"),
        auth_time=int(server.settings.clock()),
    )
    return _json_tokens(server.sessions.issue_tokens(server.sessions.open_session(grant)))


def api_key_refresh(server: AuthorizationServer, request: Received) -> Reply:
    """The JSON token API: a refresh token is exchanged for the next one."""
    presented = str(request.json.get("refresh_token", ""))
    try:
        return _json_tokens(server.sessions.refresh(API_KEY_CLIENT, presented))
    except OAuthError as refusal:
        return json_reply({"error": refusal.error, "message": refusal.description}, 401)


def api_key_revoke(server: AuthorizationServer, request: Received) -> Reply:
    """The JSON token API: the session of a refresh token ends."""
    server.sessions.revoke(API_KEY_CLIENT, str(request.json.get("refresh_token", "")))
    return json_reply({})


def _json_tokens(response: dict[str, Any]) -> Reply:
    names = ("access_token", "refresh_token", "expires_in")
    return json_reply({name: response[name] for name in names})


GRANTS: dict[str, Callable[[AuthorizationServer, Client, Received], dict[str, Any]]] = {
    AUTHORIZATION_CODE: _code_grant,
    REFRESH_TOKEN: _refresh_grant,
    DEVICE_CODE: _device_grant,
    CLIENT_CREDENTIALS: _machine_grant,
}

ROUTES: dict[str, dict[str, Endpoint]] = {
    "/.well-known/openid-configuration": {"GET": metadata},
    "/.well-known/oauth-authorization-server": {"GET": metadata},
    "/jwks": {"GET": jwks},
    "/authorize": {"GET": consent.authorize, "POST": consent.authorize},
    "/token": {"POST": token},
    "/device_authorization": {"POST": device_authorization},
    "/device": {"GET": consent.device, "POST": consent.device},
    "/revoke": {"POST": revoke},
    "/introspect": {"POST": introspect},
    "/userinfo": {"GET": userinfo, "POST": userinfo},
    "/api/hello": {"GET": hello},
    "/api-key/login": {"POST": api_key_login},
    "/api-key/refresh": {"POST": api_key_refresh},
    "/api-key/revoke": {"POST": api_key_revoke},
}
