"""The two endpoints that a person opens in a browser: the authorization endpoint and the device verification page."""

import re
from urllib.parse import SplitResult, urlencode, urlsplit

from tokenctl.demo import pages
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.messages import Received, Reply
from tokenctl.demo.registry import AUTHORIZATION_CODE, Client, Grant, OAuthError
from tokenctl.demo.sessions import granted_scope


def authorize(server: AuthorizationServer, request: Received) -> Reply:
    """The authorization endpoint (RFC 6749 section 3.1), the sign-in page and the consent page in one.

    It redirects only when the client and the redirect URI are known; else the person sees a page.
    """
    query = request.query
    client, redirect_uri = server.client(query.get("client_id", "")), query.get("redirect_uri", "")
    if client is None:
        return pages.message("Unknown application", "No application is registered under this client ID.", 400)
    if not is_registered(redirect_uri, client):
        return pages.message("Wrong redirect URI", "This redirect URI is not registered for the application.", 400)
    if _is_foreign(server, request):
        return _foreign_page()
    try:
        grant = _requested_grant(server, client, request)
        if request.method == "GET":
            if query.get("prompt") == "none":
                raise OAuthError("login_required", "a person has to sign in")
            return pages.sign_in(client, grant, redirect_uri)
        if request.form.get("decision") != "approve":
            raise OAuthError("access_denied", "the request was denied")
        answer = {"code": server.issue_code(grant, redirect_uri, query["code_challenge"])}
    except OAuthError as refusal:
        answer = {"error": refusal.error, "error_description": refusal.description}
    if "state" in query:
        answer["state"] = query["state"]
    return _redirect(redirect_uri, {**answer, "iss": server.issuer})  # `iss`: RFC 9207


def _redirect(redirect_uri: str, answer: dict[str, str]) -> Reply:
    separator = "&" if "?" in redirect_uri else "?"
    location = f"{redirect_uri}{separator}{urlencode(answer)}"
    return Reply(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def is_registered(redirect_uri: str, client: Client) -> bool:
    """Compare a redirect URI to the registered ones, to the character but for the port (RFC 8252 section 7.3)."""
    try:
        asked = urlsplit(redirect_uri)
        port = asked.port  # raises when it is not a number
    except ValueError:
        return False
    netlocs = {asked.netloc, asked.netloc.removesuffix(f":{port}")}
    allowed = [urlsplit(uri) for uri in client.redirect_uris]
    return any(uri.netloc in netlocs and _without_host(uri) == _without_host(asked) for uri in allowed)


def _without_host(uri: SplitResult) -> tuple[str, str, str, str]:
    return uri.scheme, uri.path, uri.query, uri.fragment


def _is_foreign(server: AuthorizationServer, request: Received) -> bool:
    """Tell whether a page of another site sent the form: it must not be able to approve."""
    return request.method == "POST" and request.headers.get("origin", server.issuer) != server.issuer


def _foreign_page() -> Reply:
    return pages.message("Not from this page", "The decision was sent by a page of another site.", 403)


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
    """The device verification page: a person types the user code and approves or denies (RFC 8628 section 3.3)."""
    user_code = (request.form or request.query).get("user_code", "")
    if not user_code:
        return pages.enter_code()
    if _is_foreign(server, request):
        return _foreign_page()
    waiting = server.pending_device(user_code)
    client = server.client(waiting.client_id) if waiting else None
    if waiting is None or client is None:
        return pages.enter_code("No device is waiting with this code. It may have expired.")
    if request.method == "GET":
        return pages.connect_device(client, waiting)
    if request.form.get("decision") != "approve":
        server.decide_device(user_code, None)
        return pages.message("Request denied", "The device was not signed in. You can close this page.")
    server.decide_device(user_code, server.user(request.form.get("username")))
    return pages.message("Device connected", "You are signed in there. You can close this page.")
