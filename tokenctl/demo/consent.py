"""The two endpoints a person meets in a browser: sign-in with consent, and the code of a device."""

import re
from urllib.parse import SplitResult, urlencode, urlsplit

from tokenctl.demo import pages
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.messages import Received, Reply
from tokenctl.demo.registry import AUTHORIZATION_CODE, Client, Grant, OAuthError
from tokenctl.demo.sessions import granted_scope


def authorize(server: AuthorizationServer, request: Received) -> Reply:
    """The authorization endpoint. Nothing is redirected before client and redirect URI are known good."""
    query = request.query
    client, redirect_uri = server.client(query.get("client_id", "")), query.get("redirect_uri", "")
    if client is None:
        return pages.problem("Unknown application", "No application is registered by this name.")
    if not is_registered(redirect_uri, client):
        return pages.problem("Wrong address", "The application may not be answered there.")
    if _is_foreign(server, request):
        return pages.problem("Not from this page", "The decision was made on another site.", 403)
    try:
        grant = _requested_grant(server, client, request)
        if request.method == "GET" and not server.settings.auto_approve:
            if query.get("prompt") == "none":
                raise OAuthError("login_required", "a person has to sign in")
            return pages.sign_in(client, grant, server.settings.users, redirect_uri)
        if request.form.get("decision", "approve" if request.method == "GET" else "") != "approve":
            raise OAuthError("access_denied", "the request was denied")
        answer = {"code": server.issue_code(grant, redirect_uri, query["code_challenge"])}
    except OAuthError as refusal:
        answer = {"error": refusal.error, "error_description": refusal.description}
    if "state" in query:
        answer["state"] = query["state"]
    answer["iss"] = server.settings.issuer  # RFC 9207
    separator = "&" if "?" in redirect_uri else "?"
    location = f"{redirect_uri}{separator}{urlencode(answer)}"
    return Reply(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def is_registered(redirect_uri: str, client: Client) -> bool:
    """Compared to the character except for the port, which an app picks anew (RFC 8252 section 7.3)."""
    try:
        asked = urlsplit(redirect_uri)
        port = asked.port  # raises when it is not a number
    except ValueError:
        return False
    netlocs = {asked.netloc, asked.netloc.removesuffix(f":{port}")}
    allowed = [urlsplit(uri) for uri in client.redirect_uris]
    return any(uri.netloc in netlocs and _elsewhere(uri) == _elsewhere(asked) for uri in allowed)


def _elsewhere(uri: SplitResult) -> tuple[str, str, str, str]:
    return uri.scheme, uri.path, uri.query, uri.fragment


def _is_foreign(server: AuthorizationServer, request: Received) -> bool:
    # There is no cookie to steal, but another site must not be able to press the buttons either.
    origin = request.headers.get("origin", server.settings.issuer)
    return request.method == "POST" and origin != server.settings.issuer


def _requested_grant(server: AuthorizationServer, client: Client, request: Received) -> Grant:
    query = request.query
    if AUTHORIZATION_CODE not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the code flow")
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "only response_type=code is supported")
    if query.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "PKCE with code_challenge_method=S256 is required")
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", query.get("code_challenge", "")):
        raise OAuthError("invalid_request", "code_challenge is missing or malformed")
    user = server.user(request.form.get("username") or query.get("login_hint"))
    return Grant(
        client_id=client.client_id,
        subject=user.subject,
        scope=granted_scope(query.get("scope", "api"), client.scopes),
        resources=request.resources,
        auth_time=int(server.settings.clock()),
        nonce=query.get("nonce"),
    )


def device(server: AuthorizationServer, request: Received) -> Reply:
    """The verification page of RFC 8628: type the code, see who asks, decide."""
    user_code = (request.form or request.query).get("user_code", "")
    if not user_code:
        return pages.enter_code()
    if _is_foreign(server, request):
        return pages.problem("Not from this page", "The decision was made on another site.", 403)
    waiting = server.pending_device(user_code)
    client = server.client(waiting.client_id) if waiting else None
    if waiting is None or client is None:
        return pages.enter_code("No device is waiting with this code. It may have expired.")
    if request.method == "GET":
        return pages.connect_device(client, waiting, server.settings.users)
    if request.form.get("decision") != "approve":
        server.decide_device(user_code, None)
        return pages.done("Request denied", "The device was not signed in. You can close this page.")
    server.decide_device(user_code, server.user(request.form.get("username")))
    return pages.done("Device connected", "You are signed in there. You can close this page.")
