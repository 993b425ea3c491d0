"""The life of a session at a server with GitHub's habits: forms, errors with 200, commas, tokens that end early."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.faulty_server import Received
from tests.servers.github_like import CLIENT_ID, LIFETIME, REFRESH_LIFETIME, SECRET, GithubLike
from tests.support import broker
from tests.support.fetch import fetch
from tests.support.flows import PassingClock, Person, SetClock, profile_of
from tokenctl.errors import LoginRequired, Refused
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

Make = Callable[..., GithubLike]


@pytest.fixture
def make(signing_key: rsa.RSAPrivateKey) -> Iterator[Make]:
    """Make such servers; they stop when the test ends."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(GithubLike(signing_key=signing_key, **settings))


def profile(server: GithubLike, **members: object) -> Profile:
    """What a user has: the issuer, the client ID, and scopes."""
    return profile_of(server, **{"client_id": CLIENT_ID, "scope": "repo gist user user:email", **members})


def signed_in(server: GithubLike, secret: str = SECRET, **members: object) -> Session:
    """Sign in with the browser and the client secret."""
    return broker.sign_in(Person(), profile(server, **members), client_secret=secret)


def kept(session: Session) -> MemoryStore:
    """A store with the session and its client's secret."""
    store = MemoryStore()
    store.write("t", session)
    store.write_secret("t", SECRET)
    return store


forms = pytest.mark.parametrize("forms_only", [False, True])


@forms
def test_an_oauth_app_is_signed_in(make: Make, forms_only: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Its token has no end and nothing that renews it; no scope is reported that another one includes."""
    server = make(forms_only=forms_only)
    session = signed_in(server)
    assert (session.issuer, session.scope, session.token_type) == (server.issuer, "gist repo user", "Bearer")
    assert (session.expires_at, session.refresh_token) == (None, None)
    assert "did not grant" not in capsys.readouterr().err
    assert fetch(f"{server.base}/user", session.access_token) == 200
    found = broker.current(Runtime(store=kept(session)), profile(server))
    assert found == session and server.count("/login/oauth/access_token") == 1


@forms
def test_a_github_app_is_signed_in_and_renewed(make: Make, forms_only: bool) -> None:
    """Both tokens rotate, and the older access token ends at once."""
    server = make(app=True, forms_only=forms_only)
    session = signed_in(server, scope=None)
    assert (session.lifetime, session.scope) == (LIFETIME, None)
    assert session.refresh_token_expires_at == session.obtained_at + REFRESH_LIFETIME
    store = kept(session)
    late = Runtime(store=store, clock=SetClock(lambda: session.obtained_at + LIFETIME - 30))
    newer = broker.current(late, profile(server, scope=None))
    assert newer.access_token != session.access_token and newer.refresh_token != session.refresh_token
    assert fetch(f"{server.base}/user", newer.access_token) == 200
    assert fetch(f"{server.base}/user", session.access_token) == 401


@forms
def test_a_dead_refresh_token_is_a_login(make: Make, forms_only: bool) -> None:
    """`bad_refresh_token` comes with 200, and means what `invalid_grant` means: exit status 4, and the session is kept."""
    server = make(app=True, forms_only=forms_only)
    store = kept(signed_in(server, scope=None))
    server.refresh_tokens.clear()
    with pytest.raises(LoginRequired, match="bad_refresh_token: The refresh token passed is incorrect or expired"):
        broker.renew(Runtime(store=store), profile(server, scope=None))
    assert store.read("t") is not None


@forms
def test_a_wrong_secret_is_named(make: Make, forms_only: bool) -> None:
    """The error has a name of its own, and comes with 200."""
    with pytest.raises(Refused, match="incorrect_client_credentials") as caught:
        signed_in(make(forms_only=forms_only), "another")
    assert "client secret" in (caught.value.hint or "") and caught.value.exit_status == 5


@pytest.mark.parametrize("error", ["access_denied", "redirect_uri_mismatch", "application_suspended"])
def test_an_error_of_the_callback_is_told(make: Make, error: str) -> None:
    """It has our state and the issuer, so it ends the sign-in."""
    server = make()

    def refusing(request: Received) -> None:
        reply = server.answer(request)
        location = reply.headers["Location"].replace("code=", f"error={error}&error_description=no+way&x=")
        reply.headers["Location"] = location  # type: ignore[index]
        return

    server.overrides["/login/oauth/authorize"] = refusing
    with pytest.raises(Refused, match=f"{error}: no way"):
        signed_in(server)
    assert server.count("/login/oauth/access_token") == 0


@forms
def test_a_device_is_signed_in(make: Make, forms_only: bool) -> None:
    """Every answer to a poll comes with 200, and `slow_down` names the new interval."""
    clock = PassingClock()
    server = make(forms_only=forms_only, clock=clock.now)
    server.polls = [
        {"error": "authorization_pending", "error_description": "not yet"},
        {"error": "slow_down", "interval": "12"},
        {"error": "authorization_pending"},
    ]
    runtime = Runtime({}, send=clock.send, clock=clock, store=MemoryStore())
    began = clock.now()
    device = {"flow": "device", "device_authorization_endpoint": f"{server.base}/login/device/code"}
    session = broker.sign_in(runtime, profile(server, **device), timeout=900)
    assert (session.flow, session.expires_at, session.scope) == ("device", None, "gist repo user")
    assert clock.now() - began == 5 + 5 + 12 + 12


@forms
def test_the_device_flow_can_be_off(make: Make, forms_only: bool) -> None:
    """The error says what to switch on."""
    server = make(forms_only=forms_only)
    error = {"error": "device_flow_disabled", "error_description": "Device Flow must be explicitly enabled"}
    server.overrides["/login/device/code"] = lambda request: server.reply_with(request, error)
    device = {"flow": "device", "device_authorization_endpoint": f"{server.base}/login/device/code"}
    with pytest.raises(Refused, match="device_flow_disabled") as caught:
        broker.sign_in(Person(), profile(server, **device))
    assert "--flow browser" in (caught.value.hint or "")


def test_signing_out_says_what_is_left(make: Make) -> None:
    """The metadata names no revocation endpoint: the session is kept, and `--local` is the way out."""
    server = make()
    store = kept(signed_in(server))
    with pytest.raises(Refused, match="no revocation") as caught:
        broker.revoke(Runtime(store=store), profile(server))
    assert "--local" in (caught.value.hint or "") and store.read("t") is not None
