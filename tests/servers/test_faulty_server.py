"""The faulty server does what the other tests rely on."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.oauth_client import (
    OPENER,
    Clock,
    authorization_path,
    callback,
    code_form,
    hello,
    login,
    refresh,
    send,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(signing_key: rsa.RSAPrivateKey, clock: Clock) -> Iterator[FaultyServer]:
    with FaultyServer(signing_key=signing_key, clock=clock) as running:
        yield running


def test_auto_approve_redirects_at_once(signing_key: rsa.RSAPrivateKey) -> None:
    """With auto_approve an authorization request is approved at once."""
    with FaultyServer(signing_key=signing_key, auto_approve=True) as server:
        assert "code" in callback(send(server, authorization_path()))


def test_grace_forgives_a_lost_answer(server: FaultyServer, clock: Clock) -> None:
    """Within the grace period the predecessor works again, and no later."""
    server.sessions.reuse_grace = 5
    first = login(server)["refresh_token"]
    assert refresh(server, first).status == 200
    clock.now += 5
    third = refresh(server, first).json["refresh_token"]
    clock.now += 1
    assert server.reuse_detections == 0
    assert refresh(server, first).json["error"] == "invalid_grant"
    assert server.reuse_detections == 1
    assert refresh(server, third).json["error"] == "invalid_grant"


def test_grace_covers_the_immediate_predecessor_only(server: FaultyServer) -> None:
    """A token two rotations old is reuse, however fast it came."""
    server.sessions.reuse_grace = 5
    first = login(server)["refresh_token"]
    second = refresh(server, first).json["refresh_token"]
    assert refresh(server, second).status == 200
    assert refresh(server, first).json["error"] == "invalid_grant"
    assert server.reuse_detections == 1


def test_kill_session_and_expire_access_tokens(server: FaultyServer) -> None:
    """A test can end access tokens alone, or whole sessions of one subject."""
    tokens = login(server)
    server.expire_access_tokens()
    assert hello(server, tokens["access_token"]).status == 401
    renewed = refresh(server, tokens["refresh_token"]).json
    assert hello(server, renewed["access_token"]).status == 200
    assert server.kill_session("user-grace") == 0
    assert server.kill_session("user-ada") == 1
    assert refresh(server, renewed["refresh_token"]).json["error"] == "invalid_grant"


def test_api_key_sessions(server: FaultyServer) -> None:
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
def test_hostile_json_is_a_refusal(server: FaultyServer, body: bytes) -> None:
    """Whatever is sent for an API key, the answer is 401."""
    request = urllib.request.Request(f"{server.issuer}/api-key/login", body)
    with pytest.raises(urllib.error.HTTPError) as refusal, OPENER.open(request, timeout=120):
        pass
    with refusal.value as response:
        assert response.code == 401


def test_overrides_replace_change_or_pass(server: FaultyServer) -> None:
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


def test_unsigned_id_tokens_can_be_forged(server: FaultyServer) -> None:
    """The signer also makes tokens with alg none."""
    forged = server.sign_id_token({"sub": "x"}, alg="none")
    assert jwt.get_unverified_header(forged)["alg"] == "none"
    assert forged.endswith(".")


def test_drop_before_leaves_the_token_unused(server: FaultyServer) -> None:
    """A connection dropped before processing changes nothing at the server."""
    token = login(server)["refresh_token"]
    server.overrides["/token"] = lambda _: Reply(drop_before=True)
    with pytest.raises(http.client.RemoteDisconnected):
        refresh(server, token)
    server.overrides.clear()
    assert refresh(server, token).status == 200


@pytest.mark.parametrize("answered", [False, True])
def test_drop_after_rotates_exactly_once(server: FaultyServer, answered: bool) -> None:
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


def test_broken_override_is_told(server: FaultyServer) -> None:
    """An override that raises becomes a 500 that names the mistake."""

    def broken(_: Received) -> Reply:
        raise LookupError("oops")

    server.overrides["/jwks"] = broken
    answer = send(server, "/jwks")
    assert answer.status == 500
    assert "oops" in answer.json["error_description"]


def test_delay_ends_when_the_server_stops(server: FaultyServer) -> None:
    """A stopping server does not wait for its own delays."""
    server.overrides["/jwks"] = lambda _: Reply(delay=60)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", "/jwks")
    while server.count("/jwks") == 0:
        pass
    server.stop()
    connection.close()


def test_opaque_access_tokens_are_revoked_as_others_are(server: FaultyServer) -> None:
    """Revoking an access token ends only that one; revoking the refresh token ends the session."""
    server.signing_key.opaque_access_tokens = True
    first = login(server)
    assert "." not in first["access_token"]
    second = refresh(server, first["refresh_token"]).json
    me = {"client_id": "tokenctl-demo"}
    assert send(server, "/revoke", me | {"token": first["access_token"]}).status == 200
    assert hello(server, first["access_token"]).status == 401
    assert hello(server, second["access_token"]).status == 200
    assert send(server, "/revoke", me | {"token": second["refresh_token"]}).status == 200
    refused = hello(server, second["access_token"])
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert send(server, "/revoke", me | {"token": "never-heard-of"}).status == 200
