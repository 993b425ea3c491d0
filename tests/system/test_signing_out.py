"""The mark "signing out": it ends with the next login, stays when a session moves, and is never left for nothing."""

from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import Home
from tests.support.flows import always
from tests.support.paths import ROOT

SECRET = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}


def machine(server: FaultyServer, **more: str) -> str:
    """Write the profile of a machine."""
    members = {"issuer": server.issuer, "client_id": "tokenctl-demo-ci", "flow": "client-credentials", **more}
    return "[profiles.t]\n" + "".join(f'{name} = "{value}"\n' for name, value in members.items())


def lives(server: FaultyServer, token: str) -> bool:
    """Tell whether the server takes the access token."""
    return server.sessions.access_claims(token.strip()) is not None


@pytest.mark.parametrize("by_machine", [True, False])
def test_a_login_ends_it_also_without_a_refresh_token(home: Home, demo_server: FaultyServer, by_machine: bool) -> None:
    """The answer of a sign-out was lost; whoever signs in again is signed in."""

    def login() -> None:
        if by_machine:
            home.write_config(machine(demo_server))
            result = home.run("login", "--client-secret-stdin", stdin="demo-ci-secret\n")
        else:
            result = home.login(demo_server.issuer, "--scope", "openid")
        assert result.status == 0, result.stderr

    login()
    demo_server.overrides["/revoke"] = always(Reply(drop_after=True))
    assert home.run("revoke").status == 6 and home.run("token").status == 4
    login()
    assert lives(demo_server, home.run("token").stdout)


def test_it_is_taken_back_when_nothing_could_be_sent(home: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """The machine's secret is not at hand, or a person's CA file is gone: nothing was sent, and nothing changes."""
    home.write_config(machine(demo_server))
    token = home.run("token", environ=SECRET).stdout
    assert home.run("revoke").status == 4
    assert home.run("token", environ=SECRET).stdout == token and lives(demo_server, token)
    assert home.run("revoke", environ=SECRET).status == 0 and not lives(demo_server, token)
    person = f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\nscope = "openid"\n'
    home.write_config(person)
    assert home.login(demo_server.issuer).status == 0
    home.write_config(person + f'ca_file = "{tmp_path / "gone.pem"}"\n')
    asked = demo_server.count("/revoke")
    assert home.run("revoke").status == 2 and demo_server.count("/revoke") == asked
    home.write_config(person)
    assert lives(demo_server, home.run("token").stdout)


def test_what_is_half_revoked_is_not_handed_out(home: Home, demo_server: FaultyServer) -> None:
    """The refresh token is revoked, and the server redirects when it is to revoke the access token."""

    def redirects(request: Received) -> Reply | None:
        elsewhere = json_reply({}, 302, location="https://other.example/")
        return elsewhere if request.form["token_type_hint"] == "access_token" else None

    assert home.login(demo_server.issuer).status == 0
    demo_server.overrides["/revoke"] = redirects
    result = home.run("revoke")
    assert result.status == 0 and "cannot revoke this access token" in result.stderr
    assert home.run("token").status == 4


@pytest.mark.slow
def test_it_moves_with_a_session_that_the_keyring_does_not_have_yet(tmp_path: Path, demo_server: FaultyServer) -> None:
    """The keyring cannot be written, the answer of the sign-out was lost, and the session moves to another store."""
    ring = tmp_path / "ring.json"
    environ = {"TEST_RING": str(ring), "PYTHONPATH": str(ROOT), "TOKENCTL_PASSPHRASE": "some words"}
    home = Home(tmp_path / "home", environ, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\nscope = "openid offline_access"\n'
        'keyring_backend = "tests.support.ring.ReadOnly"\n'
    )
    assert home.login(demo_server.issuer).status == 0
    ring.with_name("ring.json.read-only").touch()
    assert home.run("refresh").status == 0
    demo_server.overrides["/revoke"] = always(Reply(drop_after=True))
    assert home.run("revoke").status == 6
    moved = home.run("store", "migrate", "--to", "file")
    assert moved.status == 0, moved.stderr
    assert home.run("token").status == 4
