"""What an access token gives access to: the demo's own API, and the UserInfo endpoint."""

from collections.abc import Mapping
from typing import Any

from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.messages import Received, Reply, json_reply


def userinfo(server: AuthorizationServer, request: Received) -> Reply:
    """The claims about the token's subject (OpenID Connect Core section 5.3)."""
    claims = _bearer_claims(server, request)
    if isinstance(claims, Reply):
        return claims
    if "openid" not in claims["scope"].split():
        return _refused("insufficient_scope", 403, scope="openid")
    return json_reply(server.sessions.profile(claims["sub"]))


def hello(server: AuthorizationServer, request: Received) -> Reply:
    """The demo's API: it greets the subject of an access token that was made for this API."""
    claims = _bearer_claims(server, request, audience=f"{server.issuer}/api")
    if isinstance(claims, Reply):
        return claims
    seconds_left = int(claims["exp"] - server.settings.clock())
    return json_reply({"hello": claims["sub"], "seconds_left": seconds_left})


def _bearer_claims(
    server: AuthorizationServer, request: Received, audience: str | None = None
) -> Mapping[str, Any] | Reply:
    """Return the claims of the request's access token, or the refusal (RFC 6750 section 3)."""
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return json_reply({"error": "unauthorized"}, 401, {"WWW-Authenticate": 'Bearer realm="demo"'})
    claims = server.sessions.access_claims(presented.strip())
    audiences = [] if claims is None else claims["aud"]
    audiences = [audiences] if isinstance(audiences, str) else audiences
    if claims is None or audience not in (None, *audiences):
        return _refused("invalid_token", 401)
    return claims


def _refused(error: str, status: int, **attributes: str) -> Reply:
    parts = {"realm": "demo", "error": error, **attributes}
    challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())
    return json_reply({"error": error}, status, {"WWW-Authenticate": challenge})
