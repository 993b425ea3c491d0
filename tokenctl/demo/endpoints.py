"""The endpoints that a client calls, each a function from a request to a reply; and the table of all endpoints."""

import base64
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from tokenctl.demo import consent
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.messages import Received, Reply, json_reply
from tokenctl.demo.registry import DEVICE_CODE, Client, OAuthError

Endpoint = Callable[[AuthorizationServer, Received], Reply]
Answer = Callable[[AuthorizationServer, Client, Received], dict[str, Any]]


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
        challenge = {"WWW-Authenticate": 'Basic realm="demo"'} if refusal.status == 401 else {}
        return json_reply(refusal.document, refusal.status, challenge)
    except Exception:  # a defect of the demo; its text could hold a token
        return json_reply({"error": "server_error"}, 500)


def metadata(server: AuthorizationServer, request: Received) -> Reply:
    """The authorization server metadata (RFC 8414 section 2), which is the OpenID Connect discovery document too."""
    at, ways = server.sessions.issuer, ["client_secret_basic", "client_secret_post", "none"]
    return json_reply(
        {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "device_authorization_endpoint": f"{at}/device_authorization",
            "revocation_endpoint": f"{at}/revoke",
            "introspection_endpoint": f"{at}/introspect",
            "jwks_uri": f"{at}/jwks",
            "scopes_supported": sorted({scope for client in server.clients for scope in client.scopes}),
            "response_types_supported": ["code"],
            "grant_types_supported": list(GRANTS),
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            **{f"{name}_endpoint_auth_methods_supported": ways for name in ("token", "revocation", "introspection")},
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


def jwks(server: AuthorizationServer, request: Received) -> Reply:
    """The public keys that verify this server's tokens (RFC 7517)."""
    return json_reply(server.sessions.signing_key.jwks())


def hello(server: AuthorizationServer, request: Received) -> Reply:
    """The protected API: it greets the subject of an access token that was made for this API (RFC 6750)."""
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return json_reply({"error": "unauthorized"}, 401, {"WWW-Authenticate": 'Bearer realm="demo"'})
    claims = server.sessions.access_claims(presented.strip())
    if claims is None or f"{server.sessions.issuer}/api" not in claims["aud"]:
        challenge = 'Bearer realm="demo", error="invalid_token"'
        return json_reply({"error": "invalid_token"}, 401, {"WWW-Authenticate": challenge})
    return json_reply({"hello": claims["sub"], "seconds_left": int(claims["exp"] - server.sessions.clock())})


def for_clients(answer: Answer) -> Endpoint:
    """Make an endpoint that identifies the client first."""
    return lambda server, request: json_reply(answer(server, authenticated_client(server, request), request))


def authenticated_client(server: AuthorizationServer, request: Received) -> Client:
    """Identify the client (RFC 6749 section 2.3): HTTP Basic, a secret in the form, or a public client's ID."""
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


def token(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    """The token endpoint (RFC 6749 section 3.2). GRANTS has a function for each grant type."""
    grant_type = request.required("grant_type")
    if grant_type not in GRANTS:
        raise OAuthError("unsupported_grant_type", "this server does not know the grant type")
    if grant_type not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the grant type")
    return GRANTS[grant_type](server, client, request)


def revoke(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    """The revocation endpoint. An unknown token is no error (RFC 7009 section 2.2)."""
    server.sessions.revoke(client.client_id, request.required("token"))
    return {}


def introspect(server: AuthorizationServer, client: Client, request: Received) -> dict[str, Any]:
    """The introspection endpoint: whether a token is active, and for what (RFC 7662 section 2)."""
    return server.sessions.introspect(client, request.required("token"))


GRANTS: dict[str, Answer] = {
    "authorization_code": AuthorizationServer.redeem_code,
    "refresh_token": AuthorizationServer.refresh,
    DEVICE_CODE: AuthorizationServer.poll_device,
    "client_credentials": AuthorizationServer.client_credentials,
}

ROUTES: dict[str, dict[str, Endpoint]] = {
    "/.well-known/openid-configuration": {"GET": metadata},
    "/.well-known/oauth-authorization-server": {"GET": metadata},
    "/jwks": {"GET": jwks},
    "/authorize": {"GET": consent.authorize, "POST": consent.authorize},
    "/token": {"POST": for_clients(token)},
    "/device_authorization": {"POST": for_clients(AuthorizationServer.start_device)},
    "/device": {"GET": consent.device, "POST": consent.device},
    "/revoke": {"POST": for_clients(revoke)},
    "/introspect": {"POST": for_clients(introspect)},
    "/api/hello": {"GET": hello},
}
