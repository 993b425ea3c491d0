"""A token API that is not OAuth, in JSON: an API key begins a session, and refresh tokens rotate."""

import hmac
import json
from collections.abc import Mapping
from typing import Any

from tokenctl.demo.messages import Received, Reply, json_reply
from tokenctl.demo.registry import OAuthError
from tokenctl.demo.sessions import Grant, Session, Sessions

CLIENT = "api-key"


def respond(sessions: Sessions, api_key: str, request: Received) -> Reply | None:
    """Answer a request for this API; None for every other path."""
    match request.path:
        case "/api-key/login" | "/api-key/refresh" | "/api-key/revoke" if request.method != "POST":
            return json_reply({"error": "method_not_allowed"}, 405, {"Allow": "POST"})
        case "/api-key/login":
            return _login(sessions, api_key, _member(request, "api_key"))
        case "/api-key/refresh":
            return _refresh(sessions, _member(request, "refresh_token"))
        case "/api-key/revoke":
            return _revoke(sessions, _member(request, "refresh_token"))
    return None


def _login(sessions: Sessions, api_key: str, presented: str) -> Reply:
    if not hmac.compare_digest(presented.encode(errors="replace"), api_key.encode()):
        return json_reply({"error": "invalid_api_key"}, 401)
    auth_time = int(sessions.clock())
    grant = Grant(client_id=CLIENT, subject=CLIENT, scope=("api", "offline_access"), auth_time=auth_time)
    return _tokens(sessions.issue_tokens(Session(grant=grant)))


def _refresh(sessions: Sessions, presented: str) -> Reply:
    try:
        return _tokens(sessions.refresh(CLIENT, presented))
    except OAuthError as refusal:
        return json_reply({"error": refusal.error, "message": refusal.description}, 401)


def _revoke(sessions: Sessions, presented: str) -> Reply:
    try:
        sessions.revoke(CLIENT, presented)
    except OAuthError as refusal:
        return json_reply({"error": refusal.error, "message": refusal.description}, refusal.status)
    return json_reply({})


def _tokens(response: Mapping[str, Any]) -> Reply:
    return json_reply({name: response[name] for name in ("access_token", "refresh_token", "expires_in")})


def _member(request: Received, name: str) -> str:
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError):
        return ""
    return str(document.get(name, "")) if isinstance(document, dict) else ""
