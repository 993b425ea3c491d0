"""The demo authorization server over real HTTP, as a client meets it."""

import base64
import hashlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.oauth_client import (
    OPENER,
    SCOPE,
    Clock,
    authorization_path,
    callback,
    code_form,
    hello,
    login,
    refresh,
    send,
)
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.http_server import DemoServer
from tokenctl.demo.messages import Received, Reply
from tokenctl.demo.registry import CLIENTS, Client
from tokenctl.demo.sessions import Sessions
from tokenctl.demo.signing import SigningKey

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ODD_SECRET = "p+ss w%rd:&=é/☃"


def verified(token: str, key: jwt.PyJWK, audience: str) -> dict[str, Any]:
    """The claims of a token under a published key; the test's clock, not ours, says what time it is."""
    return jwt.decode(
        token, key, algorithms=["RS256"], audience=audience, options={"verify_exp": False, "verify_iat": False}
    )


class CountingServer(DemoServer):
    """The demo's own server; it also remembers its requests."""

    def __init__(self, rules: AuthorizationServer) -> None:
        super().__init__(rules)
        self.requests: list[Received] = []

    def handle(self, request: Received) -> Reply:
        self.requests.append(request)
        return super().handle(request)

    def count(self, path: str) -> int:
        """How many requests came in for a path."""
        return sum(request.path == path for request in self.requests)


Running = Callable[[tuple[Client, ...]], CountingServer]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(signing_key: rsa.RSAPrivateKey, clock: Clock) -> Running:
    """Make a server with these clients; it is for a `with` block."""
    sessions = Sessions(signing_key=SigningKey(signing_key), clock=clock)
    return lambda clients: CountingServer(AuthorizationServer(sessions, clients))


@pytest.fixture
def server(running: Running) -> Iterator[CountingServer]:
    with running(CLIENTS) as server:
        yield server


# -- discovery and binding --------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost", "example.com", ""])
def test_binds_loopback_literals_only(host: str) -> None:
    """Anything but a loopback address is refused before a socket exists."""
    with pytest.raises(ValueError, match=r"loopback|IPv4"):
        DemoServer(AuthorizationServer(Sessions()), host=host)


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_metadata_names_the_issuer_to_the_character(server: CountingServer, name: str) -> None:
    """Both well-known documents describe this very server."""
    document = send(server, f"/.well-known/{name}").json
    assert document["issuer"] == server.issuer == f"http://127.0.0.1:{server.port}"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    endpoints = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) == 6
    for endpoint in endpoints:
        assert send(server, urlsplit(endpoint).path).status != 404


def test_comes_back_on_its_port_with_its_sessions(server: CountingServer) -> None:
    """A stopped server refuses connections and, started again, knows its sessions."""
    tokens, issuer = login(server), server.issuer
    server.stop()
    with pytest.raises(urllib.error.URLError):
        hello(server, tokens["access_token"])
    server.start()
    assert server.issuer == issuer
    assert hello(server, tokens["access_token"]).status == 200


def test_is_silent(server: CountingServer, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is written to the terminal, not even for a client that misbehaves."""
    hello(server, login(server)["access_token"])
    send(server, "/nowhere")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("BREW", "/coffee")
    connection.getresponse().read()
    connection.close()
    assert capfd.readouterr() == ("", "")


def test_large_bodies_are_refused(server: CountingServer) -> None:
    """A body over the limit gets 413 and is not processed."""
    assert send(server, "/token", {"grant_type": "x" * 70_000}).status == 413
    assert server.count("/token") == 0


# -- authorization code -------------------------------------------------------------------------


def test_code_flow_yields_verifiable_tokens(server: CountingServer, clock: Clock) -> None:
    """A code with the right verifier becomes tokens that verify against the JWKS."""
    response = login(server)
    assert (response["token_type"], response["expires_in"]) == ("Bearer", 900)
    key = jwt.PyJWK(send(server, "/jwks").json["keys"][0])
    access = verified(response["access_token"], key, f"{server.issuer}/api")
    assert jwt.get_unverified_header(response["access_token"])["typ"] == "at+jwt"
    assert (access["sub"], access["client_id"], access["scope"]) == ("user-ada", "tokenctl-demo", SCOPE)
    identity = verified(response["id_token"], key, "tokenctl-demo")
    half = hashlib.sha256(response["access_token"].encode()).digest()[:16]
    assert identity["nonce"] == "some-nonce"
    assert identity["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert identity["auth_time"] == int(clock.now)
    assert (identity["email"], identity["preferred_username"]) == ("ada@demo.example", "ada")
    clock.now += 100
    assert hello(server, response["access_token"]).json == {"hello": "user-ada", "seconds_left": 800}


def test_authorization_response_carries_state_and_issuer(server: CountingServer) -> None:
    """State comes back unchanged, and the issuer with it, approved or denied."""
    approved = callback(send(server, authorization_path(), {"decision": "approve"}))
    denied = callback(send(server, authorization_path(), {"decision": "deny"}))
    assert (approved["state"], approved["iss"]) == ("some-state", server.issuer)
    assert (denied["error"], denied["state"]) == ("access_denied", "some-state")
    assert denied["iss"] == server.issuer


def test_consent_page_escapes_what_it_shows(running: Running) -> None:
    """A client's name is text on the page, and the page allows no script."""
    hostile = Client(
        client_id="tokenctl-demo",
        name="<script>alert(1)</script>",
        grant_types=("authorization_code",),
        scopes=("api", "<b>"),
        redirect_uris=("http://127.0.0.1/callback",),
    )
    with running((hostile,)) as server:
        page = send(server, authorization_path(scope="api <b>", resource='https://x.example/"><i>'))
    assert page.status == 200
    assert b"<script" not in page.body
    assert b"<b>" not in page.body
    assert b"<i>" not in page.body
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody"},
        {"redirect_uri": None},
        {"redirect_uri": "https://127.0.0.1:51234/callback"},
        {"redirect_uri": "http://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.example:80/callback"},
        {"redirect_uri": "http://127.0.0.1:80@evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:x/callback"},
        {"redirect_uri": "http://127.0.0.1:51234/elsewhere"},
        {"redirect_uri": "http://127.0.0.1:51234/callback#x"},
        {"redirect_uri": "http://127.0.0.1:51234/callback\r\nX-Header: x"},
        {"redirect_uri": "http://127.0.0.1:51234/call\r\nback"},
    ],
)
def test_never_redirects_to_an_unknown_place(server: CountingServer, changes: dict[str, str | None]) -> None:
    """A wrong client or redirect URI is told to the person, never sent anywhere."""
    for form in (None, {"decision": "approve"}):
        answer = send(server, authorization_path(**changes), form)
        assert answer.status == 400
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"resource": "not-a-uri"}, "invalid_target"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_bad_requests_are_told_to_the_client(
    server: CountingServer, changes: dict[str, str | None], error: str
) -> None:
    """With a good redirect URI the client learns what was wrong."""
    assert callback(send(server, authorization_path(**changes)))["error"] == error


def test_other_sites_cannot_press_the_buttons(server: CountingServer) -> None:
    """A form posted from another origin decides nothing."""
    headers = {"Origin": "https://evil.example"}
    answer = send(server, authorization_path(), {"decision": "approve"}, headers=headers)
    assert answer.status == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "another-verifier-of-a-decent-length-0123456789"},
        {"redirect_uri": "http://127.0.0.1:51235/callback"},
        {"code": "guessed"},
    ],
)
def test_code_is_bound_to_its_request(server: CountingServer, changes: dict[str, str]) -> None:
    """A code with another verifier or redirect URI buys nothing."""
    answer = send(server, "/token", code_form(server, **changes))
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert answer.headers["Cache-Control"] == "no-store"


def test_code_expires(server: CountingServer, clock: Clock) -> None:
    """A code is good for a minute."""
    form = code_form(server)
    clock.now += 61
    assert send(server, "/token", form).json["error"] == "invalid_grant"


def test_code_replay_ends_the_session(server: CountingServer) -> None:
    """A code seen twice takes the tokens of its first use with it."""
    form = code_form(server)
    tokens = send(server, "/token", form).json
    assert send(server, "/token", form).json["error"] == "invalid_grant"
    assert hello(server, tokens["access_token"]).status == 401
    assert refresh(server, tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_repeated_parameters_are_refused(server: CountingServer) -> None:
    """A parameter may come once, except resource."""
    request = urllib.request.Request(f"{server.issuer}/token", b"grant_type=x&grant_type=y&resource=a:&resource=b:")
    with pytest.raises(urllib.error.HTTPError) as refusal, OPENER.open(request, timeout=120):
        pass
    with refusal.value as response:
        assert json.load(response)["error"] == "invalid_request"


# -- refresh tokens -----------------------------------------------------------------------------


def test_refresh_rotates(server: CountingServer) -> None:
    """Each refresh gives new tokens for the same subject."""
    first = login(server)
    second = refresh(server, first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert hello(server, second["access_token"]).status == 200
    claims = jwt.decode(second["id_token"], options={"verify_signature": False})
    assert claims["sub"] == "user-ada"
    assert server.rules.sessions.rotations == 1
    assert server.count("/token") == 2


def test_reuse_ends_the_session(server: CountingServer) -> None:
    """Without grace a retired refresh token ends everything at once."""
    first = login(server)
    second = refresh(server, first["refresh_token"]).json
    assert refresh(server, first["refresh_token"]).json["error"] == "invalid_grant"
    assert server.rules.sessions.reuse_detections == 1
    assert refresh(server, second["refresh_token"]).json["error"] == "invalid_grant"
    assert hello(server, second["access_token"]).status == 401
    assert server.rules.sessions.reuse_detections == 1


def test_refresh_tokens_expire(server: CountingServer, clock: Clock) -> None:
    """A refresh token left alone for a week is worth nothing, and is no reuse."""
    token = login(server)["refresh_token"]
    clock.now += 7 * 86400
    assert refresh(server, token).json["error"] == "invalid_grant"
    assert server.rules.sessions.reuse_detections == 0


def test_scope_may_narrow_but_not_widen(server: CountingServer) -> None:
    """A refused wider scope costs nothing; a narrower one leaves the grant as it was."""
    token = login(server)["refresh_token"]
    assert refresh(server, token, scope="api write").json["error"] == "invalid_scope"
    assert refresh(server, token, resource="https://x.example").json["error"] == "invalid_target"
    narrow = refresh(server, token, scope="api").json
    assert narrow["scope"] == "api"
    assert "id_token" not in narrow
    assert refresh(server, narrow["refresh_token"]).json["scope"] == SCOPE


# -- device and machine -------------------------------------------------------------------------


def start_device(server: CountingServer) -> dict[str, Any]:
    """A device asks for its codes."""
    return send(server, "/device_authorization", {"client_id": "tokenctl-demo", "scope": SCOPE}).json


def poll(server: CountingServer, device: dict[str, Any]) -> dict[str, Any]:
    """The device asks whether somebody has decided."""
    form = {"grant_type": DEVICE_GRANT, "client_id": "tokenctl-demo"}
    return send(server, "/token", form | {"device_code": device["device_code"]}).json


def decide(server: CountingServer, device: dict[str, Any], decision: str) -> None:
    """The person decides on the device page."""
    assert send(server, "/device", {"user_code": device["user_code"], "decision": decision}).status == 200


def test_device_flow_waits_for_a_person(server: CountingServer, clock: Clock) -> None:
    """Polling goes from pending over slow_down to tokens, which come once."""
    device = start_device(server)
    assert poll(server, device)["error"] == "authorization_pending"
    clock.now += 4
    assert poll(server, device)["error"] == "slow_down"
    clock.now += 9
    assert poll(server, device)["error"] == "slow_down"
    decide(server, device, "approve")
    clock.now += 15
    assert hello(server, poll(server, device)["access_token"]).json["hello"] == "user-ada"
    clock.now += 15
    assert poll(server, device)["error"] == "invalid_grant"


def test_device_denied_or_expired(server: CountingServer, clock: Clock) -> None:
    """A refusal and a code grown old are told apart."""
    denied, forgotten = start_device(server), start_device(server)
    decide(server, denied, "deny")
    assert poll(server, denied)["error"] == "access_denied"
    clock.now += 600
    assert poll(server, forgotten)["error"] == "expired_token"


def test_device_pages(server: CountingServer) -> None:
    """A person types the code in lower case, picks an account and approves."""
    device = start_device(server)
    assert b'name="user_code"' in send(server, "/device").body
    assert send(server, "/device?user_code=XXXX-XXXX").status == 400
    complete = device["verification_uri_complete"].removeprefix(server.issuer)
    assert device["user_code"].encode() in send(server, complete).body
    typed = device["user_code"].replace("-", "").lower()
    page = send(server, f"/device?user_code={typed}", {"decision": "approve", "username": "grace"})
    assert b"Device connected" in page.body
    assert hello(server, poll(server, device)["access_token"]).json["hello"] == "user-grace"


@pytest.mark.parametrize("way", ["basic", "post"])
def test_client_credentials_with_an_odd_secret(running: Running, way: str) -> None:
    """Every character of a secret survives, in the header and in the form."""
    machine = Client(
        client_id="ci:one +", name="CI", secret=ODD_SECRET, grant_types=("client_credentials",), scopes=("api",)
    )
    form, headers = {"grant_type": "client_credentials"}, {}
    if way == "basic":
        pair = f"{quote_plus(machine.client_id)}:{quote_plus(ODD_SECRET)}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form |= {"client_id": machine.client_id, "client_secret": ODD_SECRET}
    with running((machine,)) as server:
        response = send(server, "/token", form, headers=headers).json
        assert hello(server, response["access_token"]).json["hello"] == machine.client_id
    assert "refresh_token" not in response


def test_wrong_client_secret(server: CountingServer) -> None:
    """A wrong secret is 401 with a challenge, a wrong grant is unauthorized_client."""
    form = {"grant_type": "client_credentials", "client_id": "tokenctl-demo-ci", "client_secret": "x"}
    answer = send(server, "/token", form)
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    form = {"grant_type": "client_credentials", "client_id": "tokenctl-demo"}
    assert send(server, "/token", form).json["error"] == "unauthorized_client"


# -- revocation, introspection, API ---------------------------------------------------------------


def test_revoked_tokens_are_refused_by_the_api(server: CountingServer) -> None:
    """Revoking an access token ends only that one; revoking the refresh token ends the session."""
    first = login(server)
    assert first["access_token"].count(".") == 2
    second = refresh(server, first["refresh_token"]).json
    me = {"client_id": "tokenctl-demo"}
    assert send(server, "/revoke", me | {"token": first["access_token"]}).status == 200
    assert hello(server, first["access_token"]).status == 401
    assert hello(server, second["access_token"]).status == 200
    assert send(server, "/revoke", me | {"token": second["refresh_token"]}).status == 200
    refused = hello(server, second["access_token"])
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert send(server, "/revoke", me | {"token": "never-heard-of"}).status == 200


def test_introspection(server: CountingServer, clock: Clock) -> None:
    """A client learns about its own living tokens and nothing about others."""
    tokens, me = login(server), {"client_id": "tokenctl-demo"}
    access = send(server, "/introspect", me | {"token": tokens["access_token"]}).json
    assert (access["active"], access["sub"], access["token_type"]) == (True, "user-ada", "Bearer")
    assert send(server, "/introspect", me | {"token": tokens["refresh_token"]}).json["active"] is True
    machine = {"client_id": "tokenctl-demo-ci", "client_secret": "demo-ci-secret"}
    other = send(server, "/token", machine | {"grant_type": "client_credentials"}).json["access_token"]
    assert send(server, "/introspect", me | {"token": other}).json == {"active": False}
    clock.now += 900
    assert send(server, "/introspect", me | {"token": tokens["access_token"]}).json == {"active": False}


def test_api_refuses_what_is_not_an_access_token_for_it(server: CountingServer, clock: Clock) -> None:
    """No token, an ID token, a token for another audience and an expired one are all 401."""
    tokens = login(server)
    assert send(server, "/api/hello").headers["WWW-Authenticate"] == 'Bearer realm="demo"'
    assert hello(server, tokens["id_token"]).status == 401
    machine = {"client_id": "tokenctl-demo-ci", "client_secret": "demo-ci-secret"}
    elsewhere = machine | {"grant_type": "client_credentials", "resource": "https://x.example"}
    assert hello(server, send(server, "/token", elsewhere).json["access_token"]).status == 401
    clock.now += 900
    assert hello(server, tokens["access_token"]).status == 401


def test_a_defect_is_told_without_its_text(server: CountingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the server is a 500 that says nothing of what it was about."""

    def broken(key: SigningKey) -> dict[str, Any]:
        raise LookupError("secret")

    monkeypatch.setattr(SigningKey, "jwks", broken)
    answer = send(server, "/jwks")
    assert (answer.status, answer.json) == (500, {"error": "server_error"})
