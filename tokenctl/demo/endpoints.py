"""The endpoints that a client calls, each a function from a request to a reply; and the table of all endpoints."""

import base64
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from tokenctl.demo import consent, protected_api
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

Endpoint = Callable[[AuthorizationServer, Received], Reply]


def respond(server: AuthorizationServer, request: Received) -> Reply:
    """Call the endpoint for the request's path and method. A refusal becomes JSON as in RFC 6749 section 5.2."""
    methods = ROUTES.get(request.path)
    if methods is None:
        return json_reply({"error": "not_found"}, 404)
    if request.method not in methods:
        return json_reply({"error": "method_not_allowed"}, 405, {"Allow": ", ".join(methods)})
    try:
        request.refuse_repeats()
        return methods[request.method](server, request)
    except OAuthError as refusal:
        document = {"error": refusal.error, "error_description": refusal.description}
        challenge = {"WWW-Authenticate": 'Basic realm="demo"'} if refusal.status == 401 else {}
        return json_reply(document, refusal.status, challenge)
    except Exception:  # a defect of the demo; its text could hold a token
        return json_reply({"error": "server_error"}, 500)


def metadata(server: AuthorizationServer, request: Received) -> Reply:
    """The authorization server metadata (RFC 8414 section 2), which is the OpenID Connect discovery document too."""
    at, clients = server.issuer, server.settings.clients
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
    """The public keys that verify this server's tokens (RFC 7517)."""
    return json_reply(server.sessions.signing_key.jwks())


def authenticated_client(server: AuthorizationServer, request: Received) -> Client:
    """Identify the client (RFC 6749 section 2.3): HTTP Basic, a secret in the form, or a public client's ID.

    Raises OAuthError when the client is unknown, its secret is wrong, or it authenticates in two ways.
    """
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        client_id, secret = _basic_credentials(request, credentials)
    else:
        client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
    client = server.client(client_id)
    expected = (client.secret if client else None) or ""
    if client is None or not hmac.compare_digest(expected.encode(), secret.encode()):
        raise OAuthError("invalid_client", "unknown client or wrong secret", 401)
    return client


def _basic_credentials(request: Received, credentials: str) -> tuple[str, str]:
    if "client_secret" in request.form:
        raise OAuthError("invalid_request", "two ways of client authentication at once")
    try:
        pair = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        raise OAuthError("invalid_client", "the credentials cannot be read", 401) from None
    client_id, secret = unquote_plus(pair[0]), unquote_plus(pair[2])  # form-encoded: RFC 6749 section 2.3.1
    if request.form.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_request", "client_id differs from the credentials")
    return client_id, secret


def token(server: AuthorizationServer, request: Received) -> Reply:
    """The token endpoint (RFC 6749 section 3.2). GRANTS has a function for each grant type."""
    client = authenticated_client(server, request)
    grant_type = required(request, "grant_type")
    if grant_type not in GRANTS:
        raise OAuthError("unsupported_grant_type", "this server does not know the grant type")
    if grant_type not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the grant type")
    return json_reply(GRANTS[grant_type](server, client, request))


def required(request: Received, name: str) -> str:
    """Return a form parameter. Raises OAuthError when it is missing."""
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


def _client_credentials_grant(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    grant = Grant(
        client_id=client.client_id,
        subject=client.client_id,
        scope=granted_scope(request.form.get("scope", "api"), client.scopes),
        resources=request.resources,
        auth_time=int(server.settings.clock()),
    )
    return server.sessions.issue_tokens(server.sessions.open_session(grant))


def device_authorization(server: AuthorizationServer, request: Received) -> Reply:
    """The device authorization endpoint: a device asks for its two codes (RFC 8628 section 3.1)."""
    client = authenticated_client(server, request)
    if DEVICE_CODE not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the device flow")
    scope = granted_scope(request.form.get("scope", "api"), client.scopes)
    return json_reply(server.start_device(client, scope, request.resources))


def revoke(server: AuthorizationServer, request: Received) -> Reply:
    """The revocation endpoint. An unknown token is no error (RFC 7009 section 2.2)."""
    client = authenticated_client(server, request)
    server.sessions.revoke(client.client_id, required(request, "token"))
    return json_reply({})


def introspect(server: AuthorizationServer, request: Received) -> Reply:
    """The introspection endpoint: whether a token is active, and for what (RFC 7662 section 2)."""
    client = authenticated_client(server, request)
    return json_reply(server.sessions.introspect(client, required(request, "token")))


GRANTS: dict[str, Callable[[AuthorizationServer, Client, Received], dict[str, Any]]] = {
    AUTHORIZATION_CODE: _code_grant,
    REFRESH_TOKEN: _refresh_grant,
    DEVICE_CODE: _device_grant,
    CLIENT_CREDENTIALS: _client_credentials_grant,
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
    "/userinfo": {"GET": protected_api.userinfo, "POST": protected_api.userinfo},
    "/api/hello": {"GET": protected_api.hello},
}
