"""Narrower tokens: got by refresh or by exchange, kept beside the session and never over it, and gone with it."""

import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers import person
from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.servers.oidc_provider import OidcProvider
from tests.support.commandline import LONG, Home
from tests.support.flows import always, rewritten
from tests.support.job_identity import platform
from tests.support.paths import ROOT
from tests.support.real_parts import available
from tokenctl.model import session as sessions
from tokenctl.model.profile import Profile
from tokenctl.oauth.claims import unverified_claims
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.lock import exclusive


@pytest.fixture
def ring_home(tmp_path: Path) -> Home:
    """A HOME with a keyring that the test can read."""
    return Home(tmp_path / "home", {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}, store="keyring")


def write_profile(home: Home, issuer: str, client: str, more: str = "") -> None:
    """Write a profile that uses the test's keyring."""
    home.write_config(
        f'[profiles.t]\nissuer = "{issuer}"\nclient_id = "{client}"\nscope = "openid offline_access api"\n'
        f'keyring_backend = "tests.support.ring.Ring"\n{more}'
    )


def entries(home: Home) -> dict[str, str]:
    """What the keyring has."""
    return dict(json.loads(Path(home.environ["TEST_RING"]).read_text()))


def test_a_narrower_scope_by_refresh(ring_home: Home, demo_server: FaultyServer) -> None:
    """The session keeps its own token and the rotated refresh token; the narrower one is cached, and one request serves all."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    whole = ring_home.run("token").stdout
    results = ring_home.race(5, "token", "--scope", "api")
    assert {each.status for each in results} == {0}, results
    (narrow,) = {each.stdout for each in results}
    assert narrow != whole and unverified_claims(narrow.strip())["scope"] == "api"
    assert demo_server.count("/token", "refresh_token") == 1 and demo_server.reuse_detections == 0
    assert ring_home.run("token").stdout == whole
    assert json.loads(ring_home.run("token", "--scope", "api", "--format", "json").stdout)["scope"] == "api"
    names = [name for name in entries(ring_home) if "@" in name]
    assert len(names) == 1 and "refresh_token" not in json.loads(entries(ring_home)[names[0]])
    # Rights may have changed when a person asks for a renewal: what was narrowed before is not handed out again.
    assert ring_home.run("refresh").status == 0 and demo_server.reuse_detections == 0
    assert [name for name in entries(ring_home) if "@" in name] == []
    assert ring_home.run("token", "--scope", "api").stdout != narrow
    assert ring_home.run("revoke").status == 0
    assert entries(ring_home) == {}


def test_in_the_file_store_they_lie_side_by_side(home: Home, demo_server: FaultyServer) -> None:
    """A narrower token is a file of its own, and goes at sign-out."""
    assert home.login(demo_server.issuer, "--scope", "openid offline_access api").status == 0
    whole = home.run("token").stdout
    narrow = home.run("token", "--scope", "openid").stdout
    assert narrow != whole == home.run("token").stdout and home.run("token", "--scope", "openid").stdout == narrow
    assert len(list(home.folder.rglob("*.sealed"))) == 2
    assert home.run("revoke").status == 0
    assert not list(home.folder.rglob("*.sealed"))


@pytest.mark.quick
def test_a_scope_that_was_not_granted_is_5_and_costs_nothing(ring_home: Home, demo_server: FaultyServer) -> None:
    """What the server refuses leaves the session as it was."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    result = ring_home.run("token", "--scope", "admin")
    assert (result.status, result.stdout) == (5, "") and result.stderr.count("tokenctl: error: ") == 1
    assert ring_home.run("refresh").status == 0 and demo_server.reuse_detections == 0


def test_a_new_login_has_none_of_the_old_ones(ring_home: Home, demo_server: FaultyServer) -> None:
    """What was narrowed from another sign-in is not handed out."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    narrow = ring_home.run("token", "--scope", "api").stdout
    assert ring_home.login(demo_server.issuer).status == 0
    assert [name for name in entries(ring_home) if "@" in name] == []
    assert ring_home.run("token", "--scope", "api").stdout != narrow


def test_a_machine_asks_for_less(home: Home, demo_server: FaultyServer) -> None:
    """With client credentials a narrower token is asked for anew, with and without a store."""
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci", "--flow", "client-credentials")
    assert home.run("login", "-p", "ci", *options, "--client-secret-stdin", stdin="demo-ci-secret\n").status == 0
    narrow = home.run("token", "-p", "ci", "--scope", "api")
    assert narrow.status == 0 and unverified_claims(narrow.stdout.strip())["scope"] == "api", narrow.stderr
    assert home.run("token", "-p", "ci", "--scope", "api").stdout == narrow.stdout
    environ = {
        "TOKENCTL_STORE": "memory",
        "TOKENCTL_CLIENT_SECRET": "demo-ci-secret",
        "TOKENCTL_ISSUER": demo_server.issuer,
    }
    environ |= {"TOKENCTL_CLIENT_ID": "tokenctl-demo-ci", "TOKENCTL_FLOW": "client-credentials"}
    alone = home.run("token", "-p", "env", "--scope", "api", environ=environ)
    assert alone.status == 0 and unverified_claims(alone.stdout.strip())["scope"] == "api", alone.stderr


@pytest.mark.real
@pytest.mark.parametrize("words", [("--audience", "urn:other", "--scope", "read"), ("--scope", "read")])
def test_by_token_exchange_at_a_certified_server(ring_home: Home, words: tuple[str, ...]) -> None:
    """RFC 8693: the access token is exchanged, no refresh token is presented, and the session stays as it is."""
    with available(), OidcProvider(platform=platform()) as provider:
        write_profile(ring_home, provider.issuer, "native", 'narrow_by = "token-exchange"\n')
        login = ring_home.login(provider.issuer, visit=person.sign_in)
        assert login.status == 0, login.stderr
        before = entries(ring_home)["tokenctl:t\nsession"]
        result = ring_home.run("token", *words)
        assert result.status == 0, result.stderr
        claims = unverified_claims(result.stdout.strip())
        assert claims["scope"] == "read" and claims["aud"] == ("urn:other" if "--audience" in words else "urn:api")
        assert entries(ring_home)["tokenctl:t\nsession"] == before
        assert ring_home.run("token", *words).stdout == result.stdout
        assert provider.count(grant_type="refresh_token") == 0


@pytest.mark.real
def test_by_refresh_at_a_certified_server(ring_home: Home, oidc_provider: OidcProvider) -> None:
    """The certified server narrows a refresh as well, and rotates its token once."""
    write_profile(ring_home, oidc_provider.issuer, "native")
    login = ring_home.login(oidc_provider.issuer, visit=person.sign_in)
    assert login.status == 0, login.stderr
    result = ring_home.run("token", "--scope", "openid")
    assert result.status == 0, result.stderr
    assert oidc_provider.count(grant_type="refresh_token", status=200) == 1
    assert ring_home.run("refresh").status == 0


def test_a_scope_without_consent_does_not_end_the_session(ring_home: Home, demo_server: FaultyServer) -> None:
    """Some servers answer invalid_grant for a scope nobody consented to: 5, and the session renews as before."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0

    def no_consent(request: Received) -> Reply | None:
        return json_reply({"error": "invalid_grant"}, 400) if "scope" in request.form else None

    demo_server.overrides["/token"] = no_consent
    result = ring_home.run("token", "--scope", "api")
    assert (result.status, result.stdout) == (5, "") and result.stderr.count("tokenctl: error: ") == 1
    assert ring_home.run("token").status == 0 and ring_home.run("refresh").status == 0
    assert demo_server.reuse_detections == 0


def test_a_dead_refresh_token_is_found_out_and_remembered(ring_home: Home, demo_server: FaultyServer) -> None:
    """invalid_grant for a narrower token and for an ordinary renewal: dead, and nobody asks again."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    demo_server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    for scope in ("api", "openid", "api openid"):
        result = ring_home.run("token", "--scope", scope)
        assert (result.status, result.stdout) == (4, "") and "tokenctl login" in result.stderr
    assert demo_server.count("/token", "refresh_token") == 2


def test_more_than_was_granted_is_not_asked_for(ring_home: Home, demo_server: FaultyServer) -> None:
    """RFC 6749 section 6: the scope of a refresh is within the session's; how to get more is said."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    asked = len(demo_server.requests)
    result = ring_home.run("token", "--scope", "api admin")
    assert (result.status, result.stdout) == (5, "") and "'admin'" in result.stderr and "--scope" in result.stderr
    assert len(demo_server.requests) == asked


@pytest.mark.parametrize("given", ["openid offline_access api", "openid"], ids=["more", "less"])
def test_a_token_for_something_else_is_not_handed_out(ring_home: Home, demo_server: FaultyServer, given: str) -> None:
    """A server that ignores the scope, or gives less, is not passed over in silence; what rotated is kept."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    demo_server.overrides["/token"] = rewritten(demo_server, scope=given)
    result = ring_home.run("token", "--scope", "api")
    assert (result.status, result.stdout) == (5, "") and given in result.stderr
    assert [name for name in entries(ring_home) if "@" in name] == []
    demo_server.overrides.clear()
    assert ring_home.run("refresh").status == 0 and demo_server.reuse_detections == 0


def test_a_refusal_after_a_lost_answer_settles_it(ring_home: Home, demo_server: FaultyServer) -> None:
    """The server has answered, so an ordinary renewal tells whether it means the target or the session; then no more."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    answers = iter([Reply(drop_before=True)])
    refused = json_reply({"error": "invalid_grant"}, 400)
    demo_server.overrides["/token"] = lambda _: next(answers, refused)
    for _ in range(2):
        assert ring_home.run("token", "--scope", "api").status == 4
        assert demo_server.count("/token", "refresh_token") == 3


def test_who_waits_for_another_scope_is_not_refused_with_it(ring_home: Home, demo_server: FaultyServer) -> None:
    """A narrower token that the server refuses says nothing of what others ask for."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    assert ring_home.login(demo_server.issuer).status == 0
    come = threading.Event()

    def refuse(request: Received) -> Reply | None:
        if request.form.get("scope") != "openid":
            return None
        come.set()
        return replace(json_reply({"error": "invalid_scope"}, 400), delay=1)

    demo_server.overrides["/token"] = refuse
    with ring_home.start("token", "--scope", "openid") as first:
        assert come.wait(LONG)
        results = ring_home.race(2, "refresh")
        assert ring_home.run("token", "--scope", "api").status == 0
        first.communicate(timeout=LONG)
    assert first.returncode == 5 and {each.status for each in results} == {0}, results


def test_a_scope_that_the_server_did_not_mention_may_be_asked_for(ring_home: Home, demo_server: FaultyServer) -> None:
    """Many servers leave openid out when they say what was granted."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo")
    demo_server.overrides["/token"] = rewritten(demo_server, scope="api")
    assert ring_home.login(demo_server.issuer).status == 0
    assert ring_home.run("token", "--scope", "openid api").status == 0


def test_another_machine_gets_no_narrower_token_of_the_first(home: Home, demo_server: FaultyServer) -> None:
    """A narrower token is for the machine whose session it was made in, as the session is."""
    environ = {
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_STORE": "file",
    }
    environ |= {"TOKENCTL_SCOPE": "api read"}
    mine, theirs = ({"TOKENCTL_CLIENT_SECRET": secret} for secret in ("demo-ci-secret", "of another machine"))
    words = ("token", "--scope", "read")
    assert home.run(*words, environ=environ | mine).status == 0
    other = home.run(*words, environ=environ | theirs)
    assert (other.status, other.stdout) == (5, "")


def test_a_machine_begins_another_session_for_a_narrower_token(home: Home, demo_server: FaultyServer) -> None:
    """The profile's target has changed: `token --scope` does what `token` does."""
    environ = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}
    profile = (
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\nflow = "client-credentials"\n'
    )
    for scope in ("api read", "api write"):
        home.write_config(profile + f'scope = "{scope}"\n')
        assert home.run("token", "--scope", "api", environ=environ).status == 0


def test_nothing_is_exchanged_after_a_sign_out_has_begun(ring_home: Home, demo_server: FaultyServer) -> None:
    """A command waits for the lock, and finds under it that the session is signing out."""
    write_profile(ring_home, demo_server.issuer, "tokenctl-demo", 'narrow_by = "token-exchange"\n')
    assert ring_home.login(demo_server.issuer).status == 0
    folder = Path(ring_home.environ["TOKENCTL_STATE_DIR"]) / "t"
    exchanges = demo_server.count("/token")
    with ExitStack() as stack:
        with exclusive(folder / "lock"):
            waiting = stack.enter_context(ring_home.start("token", "--scope", "api"))
            assert waiting.stderr is not None and "waiting for another tokenctl" in waiting.stderr.readline()
            runtime = Runtime({"TOKENCTL_STATE_DIR": str(folder.parent)})
            session = sessions.loads(entries(ring_home)["tokenctl:t\nsession"])
            journal = vaults.open(runtime, Profile(name="t")).journal
            journal.write(replace(journal.read(session), signing_out=True))
        stdout, stderr = waiting.communicate()
    assert (waiting.returncode, stdout) == (4, "") and "is signing out" in stderr
    assert demo_server.count("/token") == exchanges


def test_a_sign_out_ends_narrower_tokens_too(home: Home, demo_server: FaultyServer) -> None:
    """A machine's tokens have nothing in common at the server: each is revoked."""
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\nscope = "api read"\n'
        'flow = "client-credentials"\n'
    )
    environ = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}
    tokens = [home.run(*words, environ=environ).stdout.strip() for words in (("token",), ("token", "--scope", "read"))]
    assert all(demo_server.sessions.access_claims(each) for each in tokens)
    assert home.run("revoke", environ=environ).status == 0
    assert not any(demo_server.sessions.access_claims(each) for each in tokens)
