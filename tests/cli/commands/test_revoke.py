"""`tokenctl revoke` and `tokenctl refresh`."""

import json
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import Home
from tests.support.demo_server import Make
from tests.support.flows import change_metadata
from tests.support.paths import ROOT


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


@pytest.mark.quick
def test_refresh_token_first_then_access_token(signed_in: Home, demo_server: FaultyServer) -> None:
    """Both tokens are revoked, the refresh token first, and nothing is left here but profile and lock."""
    result = signed_in.run("revoke", "-v")
    assert (result.status, result.stdout) == (0, "")
    hints = [each.form["token_type_hint"] for each in demo_server.requests if each.path == "/revoke"]
    assert hints == ["refresh_token", "access_token"]
    assert not list(signed_in.folder.rglob("*.sealed"))
    assert signed_in.run("revoke").status == 4


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (Reply(status=503), 6),
        (Reply(drop_before=True), 6),
        (json_reply({"error": "invalid_client"}, 401), 5),
        (Reply(status=401), 5),
        (json_reply({"error": "unsupported_token_type"}, 400), 5),
    ],
)
def test_what_is_not_revoked_is_kept(signed_in: Home, demo_server: FaultyServer, reply: Reply, status: int) -> None:
    """When the server did not revoke the refresh token, the session stays as it was."""
    demo_server.overrides = {"/revoke": lambda _: reply}
    before = signed_in.snapshot()
    result = signed_in.run("revoke")
    assert result.status == status and "revoked at the server" not in result.stderr and "--local" in result.stderr
    assert signed_in.snapshot() == before
    local = signed_in.run("revoke", "--local")
    assert local.status == 0 and "nothing was revoked at the server" in local.stderr
    assert signed_in.run("token").status == 4


def test_an_access_token_that_cannot_be_revoked_is_named(signed_in: Home, demo_server: FaultyServer) -> None:
    """With the refresh token gone, an access token that cannot be revoked is a note, and status 0."""

    def unsupported(request: Received) -> Reply | None:
        return (
            json_reply({"error": "unsupported_token_type"}, 400)
            if request.form["token_type_hint"] == "access_token"
            else None
        )

    demo_server.overrides = {"/revoke": unsupported}
    result = signed_in.run("revoke")
    assert result.status == 0 and "stays valid for" in result.stderr and "revoked at the server" in result.stderr


def test_a_server_without_revocation(home: Home, demo_server: FaultyServer) -> None:
    """Where there is no revocation endpoint, revoke says so, keeps the session, and names --local."""
    change_metadata(demo_server, revocation_endpoint=None)
    assert home.login(demo_server.issuer).status == 0
    result = home.run("revoke")
    assert result.status == 5 and "offers no revocation" in result.stderr and "--local" in result.stderr
    assert home.run("token").status == 0


def test_a_machine_whose_token_cannot_be_revoked(home: Home, demo_server: FaultyServer) -> None:
    """Revoke never claims what the server did not do."""
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci", "--flow", "client-credentials")
    assert home.run("login", "-p", "ci", *options, "--client-secret-stdin", stdin="demo-ci-secret").status == 0
    demo_server.overrides = {"/revoke": lambda _: json_reply({"error": "unsupported_token_type"}, 400)}
    result = home.run("revoke")
    assert result.status == 0
    assert "stays valid for" in result.stderr and "nothing was revoked at the server" in result.stderr


@pytest.mark.slow
def test_local_forgets_what_a_failed_login_left(tmp_path: Path, demo_server: FaultyServer) -> None:
    """A client secret without a session is no session, and is removed all the same."""
    ring = tmp_path / "ring.json"
    home = Home(tmp_path / "home", {"TEST_RING": str(ring), "PYTHONPATH": str(ROOT)}, store="keyring")
    home.write_config(
        f'[profiles.ci]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\n'
        'flow = "client-credentials"\nkeyring_backend = "tests.support.faulty_ring.FaultyRing"\n'
    )
    log = tmp_path / "calls"
    home.run("login", "--client-secret-stdin", stdin="demo-ci-secret", environ={"FAULT_LOG": str(log)})
    calls = log.read_text().splitlines()
    assert home.run("revoke").status == 0 and json.loads(ring.read_text()) == {}
    fault = {"FAULT": f"error:{calls.index('set session') + 1}"}
    assert home.run("login", "--client-secret-stdin", stdin="demo-ci-secret", environ=fault).status == 3
    assert list(json.loads(ring.read_text())) == ["tokenctl:ci\nsecret"]
    assert home.run("revoke", "--local").status == 4
    assert json.loads(ring.read_text()) == {}


def test_all(home: Home, make_server: Make) -> None:
    """--all goes on after a failure, and its status is the first one's."""
    good, bad = make_server(), make_server()
    home.login(bad.issuer, profile="bad")
    home.login(good.issuer, profile="good")
    bad.overrides = {"/token": lambda _: Reply(status=503), "/revoke": lambda _: Reply(status=503)}
    refresh = home.run("refresh", "--all", "--json")
    assert refresh.status == 6 and "bad: " in refresh.stderr
    assert [each["profile"] for each in json.loads(refresh.stdout)] == ["good"]
    assert home.run("revoke", "--all").status == 6
    assert home.run("token", "-p", "good").status == 4
    assert home.run("token", "-p", "bad").status == 0


def test_refresh_renews_whatever_is_there(signed_in: Home, demo_server: FaultyServer) -> None:
    """Refresh renews a fresh token too, and answers the show document with --json."""
    first = signed_in.run("token").stdout
    result = signed_in.run("refresh", "--json")
    assert json.loads(result.stdout)["generation"] == 2
    assert signed_in.run("token").stdout != first
    assert demo_server.count("/token", "refresh_token") == 1


@pytest.mark.parametrize("words", [("revoke",), ("revoke", "--local")], ids=" ".join)
def test_what_a_profile_kept_before_it_keeps_nothing_can_be_ended(
    tmp_path: Path, demo_server: FaultyServer, words: tuple[str, ...]
) -> None:
    """The memory store of today leaves a session and a secret of yesterday in the keyring."""
    ring = tmp_path / "ring.json"
    home = Home(tmp_path / "home", {"TEST_RING": str(ring), "PYTHONPATH": str(ROOT)}, store="keyring")
    text = (
        f'[profiles.ci]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\n'
        'flow = "client-credentials"\nkeyring_backend = "tests.support.ring.Ring"\n'
    )
    home.write_config(text)
    assert home.run("login", "--client-secret-stdin", stdin="demo-ci-secret").status == 0
    home.write_config(text + 'store = "memory"\n')
    assert home.run(*words).status == 0 and json.loads(ring.read_text()) == {}
    result = home.run(*words)
    assert result.status == 4 or "nothing to revoke" in result.stderr, result


def test_all_passes_over_profiles_that_are_signed_out(signed_in: Home) -> None:
    """Nobody has to know who is signed in to sign everybody out; one note names the others."""
    signed_in.write_config(
        signed_in.config.read_text() + '\n[profiles.u]\nissuer = "https://u.example"\nclient_id = "u"\n'
    )
    for command, done in (("refresh", "renewed t"), ("revoke", "t: the session is revoked")):
        result = signed_in.run(command, "--all")
        assert result.status == 0 and done in result.stderr, result
        assert "tokenctl: not signed in, and passed over: u\n" in result.stderr and "error" not in result.stderr
    result = signed_in.run("revoke", "--all", "-q")
    assert (result.status, result.stdout, result.stderr) == (0, "", "")


def test_quiet_says_nothing_of_a_success(signed_in: Home) -> None:
    """Neither does a worker that renews for the command."""
    for words in (("-q", "refresh"), ("token", "--quiet"), ("revoke", "-q")):
        result = signed_in.run(*words, environ={"TOKENCTL_SCOOP": "x"})
        assert (result.status, result.stderr) == (0, "")
