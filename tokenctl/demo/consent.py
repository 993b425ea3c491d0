"""The two endpoints that a person opens in a browser: the authorization endpoint and the device verification page."""

import re
from urllib.parse import urlencode

from tokenctl.demo import pages
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.messages import Received, Reply
from tokenctl.demo.registry import Client, OAuthError, user_named
from tokenctl.demo.sessions import Grant


def authorize(server: AuthorizationServer, request: Received) -> Reply:
    """The authorization endpoint (RFC 6749 section 3.1). It redirects only to a registered redirect URI."""
    query = request.query
    client, redirect_uri = server.client(query.get("client_id", "")), query.get("redirect_uri", "")
    if client is None:
        return pages.message("Unknown application", "No application is registered under this client ID.", 400)
    if not is_registered(redirect_uri, client):
        return pages.message("Wrong redirect URI", "This redirect URI is not registered for the application.", 400)
    if refused := _refused_origin(server, request):
        return refused
    try:
        grant = _requested_grant(server, client, request)
        if request.method == "GET":
            if query.get("prompt") == "none":
                raise OAuthError("login_required", "a person has to sign in")
            return pages.sign_in(client, grant)
        if request.form.get("decision") != "approve":
            raise OAuthError("access_denied", "the request was denied")
        answer = {"code": server.issue_code(grant, redirect_uri, query["code_challenge"])}
    except OAuthError as refusal:
        answer = refusal.document
    if "state" in query:
        answer["state"] = query["state"]
    answer["iss"] = server.sessions.issuer  # RFC 9207
    separator = "&" if "?" in redirect_uri else "?"
    location = f"{redirect_uri}{separator}{urlencode(answer)}"
    return Reply(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def is_registered(redirect_uri: str, client: Client) -> bool:
    """Compare a redirect URI to the registered ones, to the character but for the port (RFC 8252 section 7.3)."""
    without_port = re.sub(r"^(http://[^/]+):[0-9]{1,5}/", r"\1/", redirect_uri)
    return without_port in client.redirect_uris


def _refused_origin(server: AuthorizationServer, request: Received) -> Reply | None:
    """Make a page when a page of another site sent the form: it must not be able to approve."""
    if request.method != "POST" or request.headers.get("origin", server.sessions.issuer) == server.sessions.issuer:
        return None
    return pages.message("Not from this page", "The decision was sent by a page of another site.", 403)


def _requested_grant(server: AuthorizationServer, client: Client, request: Received) -> Grant:
    query = request.query
    if "authorization_code" not in client.grant_types:
        raise OAuthError("unauthorized_client", "this client may not use the code flow")
    if query.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "only response_type=code is supported")
    if query.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "PKCE with code_challenge_method=S256 is required")
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", query.get("code_challenge", "")):
        raise OAuthError("invalid_request", "code_challenge is missing or malformed")
    user = user_named(request.form.get("username") or query.get("login_hint"))
    return server.new_grant(client, user.subject, request)


def device(server: AuthorizationServer, request: Received) -> Reply:
    """The device verification page: a person types the user code and approves or denies (RFC 8628 section 3.3)."""
    if refused := _refused_origin(server, request):
        return refused
    user_code = request.form.get("user_code") or request.query.get("user_code", "")
    if not user_code:
        return pages.enter_code()
    waiting = server.pending_device(user_code)
    client = server.client(waiting.grant.client_id) if waiting else None
    if waiting is None or client is None:
        return pages.enter_code("No device is waiting with this code. It may have expired.")
    if request.method == "GET":
        return pages.connect_device(client, waiting)
    if request.form.get("decision") != "approve":
        waiting.approved = False
        return pages.message("Request denied", "The device was not signed in. You can close this page.")
    waiting.approve(user_named(request.form.get("username")), int(server.sessions.clock()))
    return pages.message("Device connected", "You are signed in there. You can close this page.")
