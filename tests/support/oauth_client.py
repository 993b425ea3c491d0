"""An OAuth client over real HTTP that shares no code with tokenctl: for tests of the test servers themselves."""

import base64
import hashlib
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tokenctl.demo.http_server import DemoServer

REDIRECT_URI = "http://127.0.0.1:51234/callback"
VERIFIER = "a-code-verifier-of-a-decent-length-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "openid offline_access api"


@dataclass
class Clock:
    """A clock that only moves when told."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Message
    body: bytes
    json: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        is_json = self.headers.get_content_type() == "application/json"
        self.json = json.loads(self.body) if is_json else {}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer to look at, not a way to go."""

    def redirect_request(self, *_: object) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def send(
    server: DemoServer,
    path: str,
    form: dict[str, str] | None = None,
    *,
    document: object = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request: POST when there is a form or a JSON document, GET otherwise."""
    body, extra = None, dict(headers or {})
    if document is not None:
        body, extra["Content-Type"] = json.dumps(document).encode(), "application/json"
    elif form is not None:
        body = urlencode(form).encode()
    request = urllib.request.Request(server.issuer + path, body, extra)
    try:
        with OPENER.open(request, timeout=120) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def authorization_path(**changes: str | None) -> str:
    """The authorization request of the demo client; None leaves a parameter out."""
    parameters = {
        "client_id": "tokenctl-demo",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "state": "some-state",
        "nonce": "some-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    kept = {name: value for name, value in parameters.items() if value is not None}
    return f"/authorize?{urlencode(kept)}"


def callback(answer: Answer) -> dict[str, str]:
    """The parameters a redirect carries back to the client."""
    assert answer.status == 303
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT_URI + "?")
    return dict(parse_qsl(urlsplit(location).query))


def code_form(server: DemoServer, **changes: str) -> dict[str, str]:
    """The token request for a freshly issued code."""
    approval = send(server, authorization_path(), {"decision": "approve", "username": "ada"})
    return {
        "grant_type": "authorization_code",
        "client_id": "tokenctl-demo",
        "code": callback(approval)["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    } | changes


def login(server: DemoServer) -> dict[str, Any]:
    """A token response for the first user."""
    answer = send(server, "/token", code_form(server))
    assert answer.status == 200, answer.body
    return answer.json


def refresh(server: DemoServer, token: str, **more: str) -> Answer:
    """Present a refresh token as the demo client."""
    form = {"grant_type": "refresh_token", "client_id": "tokenctl-demo", "refresh_token": token}
    return send(server, "/token", form | more)


def hello(server: DemoServer, token: str) -> Answer:
    """Call the protected API."""
    return send(server, "/api/hello", headers={"Authorization": f"Bearer {token}"})
