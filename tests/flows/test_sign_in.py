"""A sign-in from start to session: which flow is taken, what is verified, and when it is kept."""

import threading
import time
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.broker import sign_in
from tests.support.commandline import LONG
from tests.support.fetch import fetch
from tests.support.flows import SCOPE, Person, SetClock, change_metadata, machine_profile, profile_of, rewritten
from tests.support.id_tokens import key, public, signed
from tokenctl.errors import Refused, StoreUnavailable, UsageError
from tokenctl.model.session import Session
from tokenctl.oauth.claims import unverified_claims
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

OPENID = "/.well-known/openid-configuration"


class Kept(list[Session]):
    """A keeper that remembers what it was given."""

    def __call__(self, session: Session) -> Session:
        self.append(session)
        return session


# -- which flow ------------------------------------------------------------------------------------


def approve(server: FaultyServer) -> None:
    """Approve each device at once."""

    def approving(request: Received) -> Reply:
        reply = server.answer(request)
        server.approve_device(reply.document["user_code"])
        return reply

    server.overrides["/device_authorization"] = approving


def test_auto_takes_the_browser_where_there_is_one(demo_server: FaultyServer) -> None:
    """A person at a screen signs in with the browser."""
    assert sign_in(Person(), profile_of(demo_server, flow=None)).flow == "browser"


@pytest.mark.parametrize("environ", [{}, {"SSH_CONNECTION": "1", "DISPLAY": ":0"}, {"CI": "1", "DISPLAY": ":0"}])
def test_auto_takes_the_device_where_there_is_no_browser(demo_server: FaultyServer, environ: dict[str, str]) -> None:
    """Without a screen, or over SSH, the device flow is offered where the server has it."""
    approve(demo_server)
    assert sign_in(Runtime(environ, store=MemoryStore()), profile_of(demo_server, flow=None)).flow == "device"


def test_auto_takes_the_browser_elsewhere_where_the_server_has_no_devices(
    demo_server: FaultyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a browser and without device codes the address is printed and waited for."""
    change_metadata(demo_server, device_authorization_endpoint=None)
    with pytest.raises(Exception, match="nobody signed in within 1 s"):
        sign_in(Runtime({}, store=MemoryStore()), profile_of(demo_server, flow=None), timeout=1)
    assert f"\n{demo_server.issuer}/authorize?" in capsys.readouterr().err


def test_auto_takes_the_secret_where_nobody_can_sign_in(demo_server: FaultyServer) -> None:
    """A server without a place for people is a machine's."""
    no_people: dict[str, Any] = {"authorization_endpoint": None, "device_authorization_endpoint": None}
    change_metadata(demo_server, **no_people)
    profile = machine_profile(demo_server, flow=None)
    assert sign_in(Person(), profile, client_secret="demo-ci-secret").flow == "client-credentials"


def test_a_profile_without_a_client_is_a_usage_error(demo_server: FaultyServer) -> None:
    """The missing setting is named, and nothing is asked."""
    with pytest.raises(UsageError, match="client_id"):
        sign_in(Person(), profile_of(demo_server, client_id=None))
    assert demo_server.requests == []


@pytest.mark.parametrize("flow", ["browser", "device"])
def test_memory_is_for_machines(demo_server: FaultyServer, flow: str) -> None:
    """Nobody signs in for a store that forgets at once."""
    with pytest.raises(UsageError, match="memory"):
        sign_in(Person(), profile_of(demo_server, flow=flow, store="memory"))
    assert demo_server.count("/authorize") + demo_server.count("/device_authorization") == 0


@pytest.mark.parametrize("flow", ["browser", "client-credentials"])
def test_a_missing_endpoint_is_named(demo_server: FaultyServer, flow: str) -> None:
    """A server that lacks what the flow needs is refused by name."""
    lacking = {"browser": "authorization_endpoint", "client-credentials": "token_endpoint"}[flow]
    change_metadata(demo_server, **{lacking: None})
    with pytest.raises(Refused, match=lacking.replace("_", " ")):
        sign_in(Person(), machine_profile(demo_server, flow=flow), client_secret="demo-ci-secret")


# -- ID token --------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "EdDSA", "Ed25519"])
def test_id_tokens_are_signed_as_the_metadata_says(demo_server: FaultyServer, algorithm: str) -> None:
    """Whatever listed algorithm signs the ID token, it is verified with the issuer's key."""
    demo_server.overrides |= {
        OPENID: rewritten(demo_server, id_token_signing_alg_values_supported=[algorithm]),
        "/jwks": lambda request: json_reply({"keys": [public(key(algorithm), kid="one")]}),
        "/token": resigned(demo_server, algorithm),
    }
    session = sign_in(Person(), profile_of(demo_server))
    assert (session.subject, session.id_token_algorithms) == ("user-ada", (algorithm,))


def test_an_id_token_by_an_unlisted_algorithm_is_refused(demo_server: FaultyServer) -> None:
    """A good signature by a listed key does not help an algorithm that is not listed."""
    demo_server.overrides |= {
        "/jwks": lambda request: json_reply({"keys": [public(key("ES256"), kid="one")]}),
        "/token": resigned(demo_server, "ES256"),
    }
    refused(demo_server, "not allowed")


def resigned(server: FaultyServer, algorithm: str) -> Any:
    """Answer as usual, with the ID token signed another way."""

    def override(request: Received) -> Reply:
        document = server.answer(request).document
        claims = {name: value for name, value in unverified_claims(document["id_token"]).items() if name != "at_hash"}
        return json_reply(document | {"id_token": signed(claims, algorithm)})

    return override


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "another"}, "aud"),
        ({"azp": "another"}, "azp"),
        ({"exp": 1}, "expired"),
        ({"iat": 1}, "iat"),
        ({"sub": None}, "sub"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "another"}, "nonce"),
        ({"at_hash": "AAAA"}, "at_hash"),
    ],
)
def test_a_bad_id_token_ends_the_sign_in(demo_server: FaultyServer, changes: dict[str, Any], reason: str) -> None:
    """Whatever is wrong with the ID token, nothing is kept."""
    demo_server.overrides["/token"] = reclaimed(demo_server, **changes)
    refused(demo_server, reason)


def reclaimed(server: FaultyServer, **changes: Any) -> Any:
    """Answer as usual, with other claims in the ID token; None takes one out."""

    def override(request: Received) -> Reply:
        document = server.answer(request).document
        claims = unverified_claims(document["id_token"]) | changes
        token = server.sign_id_token({name: value for name, value in claims.items() if value is not None})
        return json_reply(document | {"id_token": token})

    return override


@pytest.mark.parametrize("auth_time", [None, 1])
def test_max_age_is_checked_where_it_was_asked_for(demo_server: FaultyServer, auth_time: int | None) -> None:
    """A server that passes over max_age does not sign anybody in; unasked, nobody looks."""
    assert sign_in(Person(), profile_of(demo_server, params={"max_age": "60"})).account == "ada"
    demo_server.overrides["/token"] = reclaimed(demo_server, auth_time=auth_time)
    assert sign_in(Person(), profile_of(demo_server)).account == "ada"
    refused(demo_server, "auth_time", params={"max_age": "60"})


def test_max_age_is_of_the_moment_of_the_request(demo_server: FaultyServer) -> None:
    """Two minutes at the consent page after the password do not make a new sign-in too old."""
    now, gone_there = int(time.time()), threading.Event()

    def visit(url: str) -> None:
        gone_there.set()
        fetch(url)

    demo_server.overrides["/token"] = reclaimed(demo_server, auth_time=now - 100)
    person = Person(visit=visit, clock=SetClock(lambda: now if gone_there.is_set() else now - 120))
    assert sign_in(person, profile_of(demo_server, params={"max_age": "0"})).account == "ada"


def test_max_age_needs_an_id_token(demo_server: FaultyServer) -> None:
    """Without an ID token nobody knows when the sign-in was."""
    demo_server.overrides["/token"] = rewritten(demo_server, id_token=None)
    refused(demo_server, "max_age", params={"max_age": "60"})


@pytest.mark.parametrize("token", ["opaque", "a.b.c", 7])
def test_what_is_no_id_token_ends_the_sign_in(demo_server: FaultyServer, token: object) -> None:
    """An ID token of another form is not passed over."""
    demo_server.overrides["/token"] = rewritten(demo_server, id_token=token)
    refused(demo_server, "ID token|id_token")


def test_without_keys_an_id_token_is_refused(demo_server: FaultyServer) -> None:
    """What cannot be verified is not believed."""
    change_metadata(demo_server, jwks_uri=None)
    refused(demo_server, "publishes no keys")


def refused(server: FaultyServer, reason: str, **members: Any) -> None:
    """Sign in, be refused, and see that nothing was kept."""
    kept = Kept()
    with pytest.raises(Refused, match=reason):
        sign_in(Person(), profile_of(server, **members), keep=kept)
    assert kept == []


# -- keeping ---------------------------------------------------------------------------------------


def test_the_session_is_kept_before_the_browser_is_told(demo_server: FaultyServer) -> None:
    """A sign-in whose session cannot be kept does not end on a page that says all is well."""
    from urllib.request import ProxyHandler, build_opener

    pages: list[str] = []

    def visit(url: str) -> None:
        with build_opener(ProxyHandler({})).open(url, timeout=LONG) as answer:
            pages.append(answer.read().decode())

    def keep(session: Session) -> Session:
        raise StoreUnavailable("no keyring")

    with pytest.raises(StoreUnavailable):
        sign_in(Person(visit=visit), profile_of(demo_server), keep=keep)
    assert "did not finish" in pages[0]


def test_an_opaque_access_token_is_as_good(demo_server: FaultyServer) -> None:
    """Nothing is decided on what an access token says."""
    demo_server.signing_key.opaque_access_tokens = True
    assert "." not in sign_in(Person(), profile_of(demo_server)).access_token


def test_a_narrower_scope_is_told(demo_server: FaultyServer, capsys: pytest.CaptureFixture[str]) -> None:
    """What the server did not grant is said, and the session knows what it has."""
    demo_server.overrides["/token"] = rewritten(demo_server, scope="openid")
    session = sign_in(Person(), profile_of(demo_server))
    assert session.scope == "openid"
    assert "did not grant: api\n" in capsys.readouterr().err


@pytest.mark.parametrize("scope", ["api", "api,admin", ["api"], "", None, "https://api.example/api"])
def test_scopes_about_the_id_token_may_be_left_out(
    demo_server: FaultyServer, capsys: pytest.CaptureFixture[str], scope: object
) -> None:
    """A server that lists only what the access token is for has refused nothing."""
    demo_server.overrides["/token"] = rewritten(demo_server, scope=scope)
    sign_in(Person(), profile_of(demo_server, scope="openid profile email offline_access api"))
    assert "did not grant" not in capsys.readouterr().err


@pytest.mark.parametrize("scope", [None, 7])
def test_without_a_scope_in_the_answer_it_is_the_one_asked_for(demo_server: FaultyServer, scope: object) -> None:
    """RFC 6749 section 5.1: no scope means the one requested."""
    demo_server.overrides["/token"] = rewritten(demo_server, scope=scope)
    assert sign_in(Person(), profile_of(demo_server)).scope == SCOPE


def test_every_session_has_its_own_seal_key(demo_server: FaultyServer) -> None:
    """The key that will seal what leaves the keyring is 32 fresh bytes."""
    import base64

    seals = {sign_in(Person(), profile_of(demo_server)).seal_key for _ in range(2)}
    assert len(seals) == 2
    assert all(len(base64.b64decode(seal or "")) == 32 for seal in seals)
