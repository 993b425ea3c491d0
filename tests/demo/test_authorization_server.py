"""The demo authorization server over real HTTP, as a client meets it."""

import base64
import hashlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tokenctl.demo.http_server import Client, DemoServer, Received, Reply, json_reply

REDIRECT_URI = "http://127.0.0.1:51234/callback"
VERIFIER = "a-code-verifier-of-a-decent-length-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "openid offline_access api"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ODD_SECRET = "p+ss w%rd:&=é/☃"


@dataclass
class PassingClock:
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


def verified(token: str, key: jwt.PyJWK, audience: str) -> dict[str, Any]:
    """The claims of a token under a published key; the test's clock, not ours, says what time it is."""
    return jwt.decode(
        token, key, algorithms=["RS256"], audience=audience, options={"verify_exp": False, "verify_iat": False}
    )


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def clock() -> PassingClock:
    return PassingClock()


@pytest.fixture
def server(signing_key: rsa.RSAPrivateKey, clock: PassingClock) -> Iterator[DemoServer]:
    with DemoServer(signing_key=signing_key, clock=clock) as running:
        yield running


# -- discovery and binding --------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "localhost", "example.com", ""])
def test_binds_loopback_literals_only(host: str) -> None:
    """Anything but a loopback address is refused before a socket exists."""
    with pytest.raises(ValueError, match="loopback"):
        DemoServer(host=host)


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_metadata_names_the_issuer_to_the_character(server: DemoServer, name: str) -> None:
    """Both well-known documents describe this very server."""
    document = send(server, f"/.well-known/{name}").json
    assert document["issuer"] == server.issuer == f"http://127.0.0.1:{server.port}"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    endpoints = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) == 7
    for endpoint in endpoints:
        assert send(server, urlsplit(endpoint).path).status != 404


def test_comes_back_on_its_port_with_its_sessions(server: DemoServer) -> None:
    """A stopped server refuses connections and, started again, knows its sessions."""
    tokens, issuer = login(server), server.issuer
    server.stop()
    with pytest.raises(urllib.error.URLError):
        hello(server, tokens["access_token"])
    server.start()
    assert server.issuer == issuer
    assert hello(server, tokens["access_token"]).status == 200


def test_is_silent(server: DemoServer, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is written to the terminal, not even for a client that misbehaves."""
    hello(server, login(server)["access_token"])
    send(server, "/nowhere")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("BREW", "/coffee")
    connection.getresponse().read()
    connection.close()
    assert capfd.readouterr() == ("", "")


def test_large_bodies_are_refused(server: DemoServer) -> None:
    """A body over the limit gets 413 and is not processed."""
    assert send(server, "/token", {"grant_type": "x" * 70_000}).status == 413
    assert server.count("/token") == 0


# -- authorization code -------------------------------------------------------------------------


def test_code_flow_yields_verifiable_tokens(server: DemoServer, clock: PassingClock) -> None:
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
    assert identity["email"] == "ada@demo.example"
    clock.now += 100
    assert hello(server, response["access_token"]).json == {"hello": "user-ada", "seconds_left": 800}
    about = send(server, "/userinfo", headers={"Authorization": f"Bearer {response['access_token']}"})
    assert about.json["preferred_username"] == "ada"


def test_authorization_response_carries_state_and_issuer(server: DemoServer) -> None:
    """State comes back unchanged, and the issuer with it, approved or denied."""
    approved = callback(send(server, authorization_path(), {"decision": "approve"}))
    denied = callback(send(server, authorization_path(), {"decision": "deny"}))
    assert (approved["state"], approved["iss"]) == ("some-state", server.issuer)
    assert (denied["error"], denied["state"]) == ("access_denied", "some-state")
    assert denied["iss"] == server.issuer


def test_auto_approve_redirects_at_once(signing_key: rsa.RSAPrivateKey) -> None:
    """With auto_approve a script can play the browser."""
    with DemoServer(signing_key=signing_key, auto_approve=True) as server:
        assert "code" in callback(send(server, authorization_path()))


def test_consent_page_escapes_what_it_shows(signing_key: rsa.RSAPrivateKey) -> None:
    """A client's name is text on the page, and the page allows no script."""
    hostile = Client(
        client_id="tokenctl-demo",
        name="<script>alert(1)</script>",
        grant_types=("authorization_code",),
        scopes=("api", "<b>"),
        redirect_uris=("http://127.0.0.1/callback",),
    )
    with DemoServer(signing_key=signing_key, clients=(hostile,)) as server:
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
    ],
)
def test_never_redirects_to_an_unknown_place(server: DemoServer, changes: dict[str, str | None]) -> None:
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
def test_bad_requests_are_told_to_the_client(server: DemoServer, changes: dict[str, str | None], error: str) -> None:
    """With a good redirect URI the client learns what was wrong."""
    assert callback(send(server, authorization_path(**changes)))["error"] == error


def test_other_sites_cannot_press_the_buttons(server: DemoServer) -> None:
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
def test_code_is_bound_to_its_request(server: DemoServer, changes: dict[str, str]) -> None:
    """A code with another verifier or redirect URI buys nothing."""
    answer = send(server, "/token", code_form(server, **changes))
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert answer.headers["Cache-Control"] == "no-store"


def test_code_expires(server: DemoServer, clock: PassingClock) -> None:
    """A code is good for a minute."""
    form = code_form(server)
    clock.now += 61
    assert send(server, "/token", form).json["error"] == "invalid_grant"


def test_code_replay_ends_the_session(server: DemoServer) -> None:
    """A code seen twice takes the tokens of its first use with it."""
    form = code_form(server)
    tokens = send(server, "/token", form).json
    assert send(server, "/token", form).json["error"] == "invalid_grant"
    assert hello(server, tokens["access_token"]).status == 401
    assert refresh(server, tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_repeated_parameters_are_refused(server: DemoServer) -> None:
    """A parameter may come once, except resource."""
    request = urllib.request.Request(f"{server.issuer}/token", b"grant_type=x&grant_type=y&resource=a:&resource=b:")
    with pytest.raises(urllib.error.HTTPError) as refusal, OPENER.open(request, timeout=120):
        pass
    with refusal.value as response:
        assert json.load(response)["error"] == "invalid_request"


# -- refresh tokens -----------------------------------------------------------------------------


def test_refresh_rotates(server: DemoServer) -> None:
    """Each refresh gives new tokens for the same subject."""
    first = login(server)
    second = refresh(server, first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert hello(server, second["access_token"]).status == 200
    claims = jwt.decode(second["id_token"], options={"verify_signature": False})
    assert claims["sub"] == "user-ada"
    assert server.count("/token", "refresh_token") == 1
    assert server.count("/token") == 2


def test_reuse_ends_the_session(server: DemoServer) -> None:
    """Without grace a retired refresh token ends everything at once."""
    first = login(server)
    second = refresh(server, first["refresh_token"]).json
    assert refresh(server, first["refresh_token"]).json["error"] == "invalid_grant"
    assert server.reuse_detections == 1
    assert refresh(server, second["refresh_token"]).json["error"] == "invalid_grant"
    assert hello(server, second["access_token"]).status == 401
    assert server.reuse_detections == 1


def test_grace_forgives_a_lost_answer(server: DemoServer, clock: PassingClock) -> None:
    """Within the grace period the predecessor works again, and no later."""
    server.settings.reuse_grace = 5
    first = login(server)["refresh_token"]
    assert refresh(server, first).status == 200
    clock.now += 5
    third = refresh(server, first).json["refresh_token"]
    clock.now += 1
    assert server.reuse_detections == 0
    assert refresh(server, first).json["error"] == "invalid_grant"
    assert server.reuse_detections == 1
    assert refresh(server, third).json["error"] == "invalid_grant"


def test_grace_covers_the_immediate_predecessor_only(server: DemoServer) -> None:
    """A token two rotations old is reuse, however fast it came."""
    server.settings.reuse_grace = 5
    first = login(server)["refresh_token"]
    second = refresh(server, first).json["refresh_token"]
    assert refresh(server, second).status == 200
    assert refresh(server, first).json["error"] == "invalid_grant"
    assert server.reuse_detections == 1


def test_refresh_tokens_expire(server: DemoServer, clock: PassingClock) -> None:
    """A refresh token left alone for a week is worth nothing, and is no reuse."""
    token = login(server)["refresh_token"]
    clock.now += 7 * 86400
    assert refresh(server, token).json["error"] == "invalid_grant"
    assert server.reuse_detections == 0


def test_scope_may_narrow_but_not_widen(server: DemoServer) -> None:
    """A refused wider scope costs nothing; a narrower one leaves the grant as it was."""
    token = login(server)["refresh_token"]
    assert refresh(server, token, scope="api write").json["error"] == "invalid_scope"
    assert refresh(server, token, resource="https://x.example").json["error"] == "invalid_target"
    narrow = refresh(server, token, scope="api").json
    assert narrow["scope"] == "api"
    assert "id_token" not in narrow
    assert refresh(server, narrow["refresh_token"]).json["scope"] == SCOPE


# -- device and machine -------------------------------------------------------------------------


def start_device(server: DemoServer) -> dict[str, Any]:
    """A device asks for its codes."""
    return send(server, "/device_authorization", {"client_id": "tokenctl-demo", "scope": SCOPE}).json


def poll(server: DemoServer, device: dict[str, Any]) -> dict[str, Any]:
    """The device asks whether somebody has decided."""
    form = {"grant_type": DEVICE_GRANT, "client_id": "tokenctl-demo"}
    return send(server, "/token", form | {"device_code": device["device_code"]}).json


def test_device_flow_waits_for_a_person(server: DemoServer, clock: PassingClock) -> None:
    """Polling goes from pending over slow_down to tokens, which come once."""
    device = start_device(server)
    assert poll(server, device)["error"] == "authorization_pending"
    clock.now += 4
    assert poll(server, device)["error"] == "slow_down"
    clock.now += 9
    assert poll(server, device)["error"] == "slow_down"
    server.approve_device(device["user_code"])
    clock.now += 15
    assert hello(server, poll(server, device)["access_token"]).json["hello"] == "user-ada"
    clock.now += 15
    assert poll(server, device)["error"] == "invalid_grant"


def test_device_denied_or_expired(server: DemoServer, clock: PassingClock) -> None:
    """A refusal and a code grown old are told apart."""
    denied, forgotten = start_device(server), start_device(server)
    server.deny_device(denied["user_code"])
    assert poll(server, denied)["error"] == "access_denied"
    clock.now += 600
    assert poll(server, forgotten)["error"] == "expired_token"


def test_device_pages(server: DemoServer) -> None:
    """A person types the code in lower case, picks an account and approves."""
    device = start_device(server)
    assert b'name="user_code"' in send(server, "/device").body
    assert send(server, "/device?user_code=XXXX-XXXX").status == 400
    complete = device["verification_uri_complete"].removeprefix(server.issuer)
    assert device["user_code"].encode() in send(server, complete).body
    typed = device["user_code"].replace("-", "").lower()
    page = send(server, "/device", {"user_code": typed, "decision": "approve", "username": "grace"})
    assert b"Device connected" in page.body
    assert hello(server, poll(server, device)["access_token"]).json["hello"] == "user-grace"


@pytest.mark.parametrize("way", ["basic", "post"])
def test_client_credentials_with_an_odd_secret(signing_key: rsa.RSAPrivateKey, way: str) -> None:
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
    with DemoServer(signing_key=signing_key, clients=(machine,)) as server:
        response = send(server, "/token", form, headers=headers).json
        assert hello(server, response["access_token"]).json["hello"] == machine.client_id
    assert "refresh_token" not in response


def test_wrong_client_secret(server: DemoServer) -> None:
    """A wrong secret is 401 with a challenge, a wrong grant is unauthorized_client."""
    form = {"grant_type": "client_credentials", "client_id": "tokenctl-demo-ci", "client_secret": "x"}
    answer = send(server, "/token", form)
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    form = {"grant_type": "client_credentials", "client_id": "tokenctl-demo"}
    assert send(server, "/token", form).json["error"] == "unauthorized_client"


# -- revocation, introspection, API ---------------------------------------------------------------


@pytest.mark.parametrize("opaque", [False, True])
def test_revoked_tokens_are_refused_by_the_api(server: DemoServer, opaque: bool) -> None:
    """Revoking an access token ends only that one; revoking the refresh token ends the session."""
    server.settings.opaque_access_tokens = opaque
    first = login(server)
    assert (first["access_token"].count(".") == 2) is not opaque
    second = refresh(server, first["refresh_token"]).json
    me = {"client_id": "tokenctl-demo"}
    assert send(server, "/revoke", me | {"token": first["access_token"]}).status == 200
    assert hello(server, first["access_token"]).status == 401
    assert hello(server, second["access_token"]).status == 200
    assert send(server, "/revoke", me | {"token": second["refresh_token"]}).status == 200
    refused = hello(server, second["access_token"])
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert send(server, "/revoke", me | {"token": "never-heard-of"}).status == 200


def test_introspection(server: DemoServer, clock: PassingClock) -> None:
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


def test_api_refuses_what_is_not_an_access_token_for_it(server: DemoServer, clock: PassingClock) -> None:
    """No token, an ID token, a token for another audience and an expired one are all 401."""
    tokens = login(server)
    assert send(server, "/api/hello").headers["WWW-Authenticate"] == 'Bearer realm="demo"'
    assert hello(server, tokens["id_token"]).status == 401
    machine = {"client_id": "tokenctl-demo-ci", "client_secret": "demo-ci-secret"}
    elsewhere = machine | {"grant_type": "client_credentials", "resource": "https://x.example"}
    assert hello(server, send(server, "/token", elsewhere).json["access_token"]).status == 401
    clock.now += 900
    assert hello(server, tokens["access_token"]).status == 401


def test_kill_session_and_expire_access_tokens(server: DemoServer) -> None:
    """A test can end access tokens alone, or whole sessions of one subject."""
    tokens = login(server)
    server.expire_access_tokens()
    assert hello(server, tokens["access_token"]).status == 401
    renewed = refresh(server, tokens["refresh_token"]).json
    assert hello(server, renewed["access_token"]).status == 200
    assert server.kill_session("user-grace") == 0
    assert server.kill_session("user-ada") == 1
    assert refresh(server, renewed["refresh_token"]).json["error"] == "invalid_grant"


def test_api_key_sessions(server: DemoServer) -> None:
    """The JSON token API logs in, rotates, notices reuse and revokes."""
    assert send(server, "/api-key/login", document={"api_key": "wrong"}).status == 401
    first = send(server, "/api-key/login", document={"api_key": "demo-api-key"}).json
    assert set(first) == {"access_token", "refresh_token", "expires_in"}
    assert hello(server, first["access_token"]).status == 200
    old = {"refresh_token": first["refresh_token"]}
    second = send(server, "/api-key/refresh", document=old).json
    assert send(server, "/api-key/refresh", document=old).status == 401
    assert server.reuse_detections == 1
    assert hello(server, second["access_token"]).status == 401
    third = send(server, "/api-key/login", document={"api_key": "demo-api-key"}).json
    assert send(server, "/api-key/revoke", document={"refresh_token": third["refresh_token"]}).status == 200
    assert hello(server, third["access_token"]).status == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"[" * 50_000, b'{"api_key": 1}', b'{"api_key": "\\ud800"}'])
def test_hostile_json_is_a_refusal(server: DemoServer, body: bytes) -> None:
    """Whatever is sent for an API key, the answer is 401."""
    request = urllib.request.Request(f"{server.issuer}/api-key/login", body)
    with pytest.raises(urllib.error.HTTPError) as refusal, OPENER.open(request, timeout=120):
        pass
    with refusal.value as response:
        assert response.code == 401


# -- misbehaviour on request ----------------------------------------------------------------------


def test_overrides_replace_change_or_pass(server: DemoServer) -> None:
    """An override may answer itself, work on the usual answer, or stand aside."""
    server.overrides["/token"] = lambda _: Reply(status=503, headers={"Retry-After": "7"})
    answer = send(server, "/token", code_form(server))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")

    def forge(request: Received) -> Reply:
        usual = server.answer(request).document
        claims = jwt.decode(usual["id_token"], options={"verify_signature": False})
        forged = server.sign_id_token(claims | {"sub": "mallory"}, kid="other")
        return json_reply(usual | {"id_token": forged})

    server.overrides["/token"] = forge
    response = login(server)
    assert jwt.get_unverified_header(response["id_token"])["kid"] == "other"
    assert jwt.decode(response["id_token"], options={"verify_signature": False})["sub"] == "mallory"
    server.overrides["/token"] = lambda _: None
    assert login(server)["token_type"] == "Bearer"


def test_unsigned_id_tokens_can_be_forged(server: DemoServer) -> None:
    """The signer also makes tokens with alg none."""
    forged = server.sign_id_token({"sub": "x"}, alg="none")
    assert jwt.get_unverified_header(forged)["alg"] == "none"
    assert forged.endswith(".")


def test_drop_before_leaves_the_token_unused(server: DemoServer) -> None:
    """A connection dropped before processing changes nothing at the server."""
    token = login(server)["refresh_token"]
    server.overrides["/token"] = lambda _: Reply(drop_before=True)
    with pytest.raises(http.client.RemoteDisconnected):
        refresh(server, token)
    server.overrides.clear()
    assert refresh(server, token).status == 200


@pytest.mark.parametrize("answered", [False, True])
def test_drop_after_rotates_exactly_once(server: DemoServer, answered: bool) -> None:
    """A connection dropped after processing has rotated the token, once, unseen by the client."""
    token = login(server)["refresh_token"]
    server.overrides["/token"] = lambda request: replace(
        server.answer(request) if answered else Reply(), drop_after=True
    )
    with pytest.raises(http.client.RemoteDisconnected):
        refresh(server, token)
    server.overrides.clear()
    assert server.reuse_detections == 0
    assert refresh(server, token).json["error"] == "invalid_grant"
    assert server.reuse_detections == 1


def test_broken_override_is_told(server: DemoServer) -> None:
    """An override that raises becomes a 500 that names the mistake."""

    def broken(_: Received) -> Reply:
        raise LookupError("oops")

    server.overrides["/jwks"] = broken
    answer = send(server, "/jwks")
    assert answer.status == 500
    assert "oops" in answer.json["error_description"]


def test_delay_ends_when_the_server_stops(server: DemoServer) -> None:
    """A stopping server does not wait for its own delays."""
    server.overrides["/jwks"] = lambda _: Reply(delay=60)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", "/jwks")
    while server.count("/jwks") == 0:
        pass
    server.stop()
    connection.close()
