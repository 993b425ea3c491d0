"""A server with GitHub's habits, for what no real part here does: it is not GitHub, and knows only what tests need.

- Metadata at the RFC 8414 path form alone; it lists neither client authentication nor the device endpoint.
- `iss` in callbacks (RFC 9207), which no metadata promises.
- Answers are forms unless the request accepts JSON; `forms_only` does without that exception.
- Errors come with 200, in words of their own.
- Scopes are split by commas, and a scope that another one includes is left out.
- An OAuth app (`app=False`) gives a token without an end and without a refresh token. A GitHub App gives both, rotates the
  refresh token, and ends the older access token when it renews.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

from tests.servers.faulty_server import FaultyServer, Received, Reply

CLIENT_ID = "Iv1.0123456789abcdef"
SECRET = "github-client-secret"
LIFETIME = 28800
REFRESH_LIFETIME = 15897600


class GithubLike(FaultyServer):
    """The server, for a `with` block. `overrides` replaces an answer, as at the `FaultyServer`."""

    def __init__(self, *, app: bool = False, forms_only: bool = False, **rest: Any) -> None:
        super().__init__(**rest)
        self.app = app
        self.forms_only = forms_only
        self.living: set[str] = set()
        """The access tokens that work."""
        self.refresh_tokens: dict[str, str] = {}
        """Refresh token -> the access token that came with it."""
        self.polls: list[dict[str, str]] = []
        """What the next polls of a device are answered with, before its tokens."""
        self._codes: dict[str, dict[str, str]] = {}
        self._answering = {
            "/.well-known/oauth-authorization-server/login/oauth": self._metadata,
            "/login/oauth/authorize": self._authorize,
            "/login/oauth/access_token": self._token,
            "/login/device/code": self._device,
            "/user": self._user,
        }

    @property
    def base(self) -> str:
        """The server's origin."""
        return super().issuer

    @property
    def issuer(self) -> str:
        """The issuer, which has a path."""
        return f"{self.base}/login/oauth"

    def _processed(self, request: Received) -> Reply:
        answering = self._answering.get(request.path)
        if answering is None:
            return Reply(status=404, headers={"Content-Type": "text/html"}, body=b"<!DOCTYPE html><h1>Not Found</h1>")
        return answering(request)

    def _metadata(self, request: Received) -> Reply:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/access_token",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
        }
        return Reply(headers={"Content-Type": "application/json"}, body=json.dumps(document).encode())

    def _authorize(self, request: Received) -> Reply:
        asked = request.query
        code = secrets.token_hex(10)
        self._codes[code] = asked
        answer = {"code": code, "iss": self.issuer, "state": asked["state"]}
        return Reply(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(answer)}"})

    def _token(self, request: Received) -> Reply:
        return self.reply_with(request, self._granted(request))

    def _granted(self, request: Received) -> dict[str, object]:
        form = request.form
        grant = form.get("grant_type", "authorization_code")
        client_id, secret = _credentials(request)
        if grant == "urn:ietf:params:oauth:grant-type:device_code":
            return self._polled(form)
        if (client_id, secret) != (CLIENT_ID, SECRET):
            return _error("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
        if grant == "refresh_token":
            ended = self.refresh_tokens.pop(form.get("refresh_token", ""), None)
            if ended is None:
                return _error("bad_refresh_token", "The refresh token passed is incorrect or expired.")
            self.living.discard(ended)
            return self._tokens("")
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or _challenge(form.get("code_verifier", "")) != asked["code_challenge"]:
            return _error("bad_verification_code", "The code passed is incorrect or expired.")
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return _error("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL.")
        return self._tokens(asked.get("scope", ""))

    def _tokens(self, scope: str) -> dict[str, object]:
        token = f"{'ghu' if self.app else 'gho'}_{secrets.token_hex(18)}"
        self.living.add(token)
        scopes = sorted(scope.split())
        listed = [each for each in scopes if each.partition(":")[0] == each or each.partition(":")[0] not in scopes]
        answer: dict[str, object] = {"access_token": token, "scope": "" if self.app else ",".join(listed)}
        if self.app:
            renewing = f"ghr_{secrets.token_hex(38)}"
            self.refresh_tokens[renewing] = token
            answer |= {"expires_in": LIFETIME, "refresh_token": renewing, "refresh_token_expires_in": REFRESH_LIFETIME}
        return {**answer, "token_type": "bearer"}

    def _device(self, request: Received) -> Reply:
        self._device_scope = request.form.get("scope", "")
        answer = {
            "device_code": "3584d83530557fdd1f46af8289938c8ef79f9dc5",
            "user_code": "WDJB-MJHT",
            "verification_uri": f"{self.base}/login/device",
            "expires_in": 900,
            "interval": 5,
        }
        return self.reply_with(request, answer)

    def _polled(self, form: dict[str, str]) -> dict[str, object]:
        if self.polls:
            return dict(self.polls.pop(0))
        return self._tokens(self._device_scope)

    def _user(self, request: Received) -> Reply:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return Reply(status=200 if scheme == "Bearer" and token in self.living else 401)

    def reply_with(self, request: Received, answer: Mapping[str, object]) -> Reply:
        """Make a reply in the form that this server answers with."""
        if "json" in request.headers.get("accept", "") and not self.forms_only:
            return Reply(headers={"Content-Type": "application/json; charset=utf-8"}, body=json.dumps(answer).encode())
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return Reply(headers={"Content-Type": kind}, body=urlencode(answer).encode())


def _error(code: str, words: str) -> dict[str, object]:
    return {"error": code, "error_description": words, "error_uri": "https://docs.example/troubleshooting"}


def _credentials(request: Received) -> tuple[str, str]:
    """Read the client's ID and secret, from the form or the header."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return request.form.get("client_id", ""), request.form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(name), unquote(secret)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
