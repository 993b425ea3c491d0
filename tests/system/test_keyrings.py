"""The whole command over real keyrings: sign in, renew, sign out, and what happens when the keyring changes meanwhile."""

import json
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.keepassxc import KeePassXC
from tests.servers.keyrings import RealKeyring
from tests.servers.secret_service import LOGIN, SecretService
from tests.support.attended import attended
from tests.support.commandline import Home

pytestmark = [pytest.mark.real, pytest.mark.slow]  # fixtures that are asked for by name mark nothing
MANY = 200


def home_of(tmp_path: Path, service: RealKeyring, server: FaultyServer) -> Home:
    """A HOME whose profile names the keyring's backend."""
    home = Home(tmp_path / "home", service.environ, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{server.issuer}"\nclient_id = "tokenctl-demo"\n'
        f'scope = "openid offline_access"\nkeyring_backend = "{service.backend}"\n'
    )
    return home


def pinned(home: Home) -> str:
    """The collection that the last login chose."""
    (file,) = (Path(home.environ["TOKENCTL_STATE_DIR"]) / "t").glob("store*.json")
    (found,) = (each["collection"] for each in json.loads(file.read_text())["stores"] if each["use"] == "current")
    return str(found)


@pytest.mark.parametrize("name", ["kwallet", "kwallet_own", "keepassxc", "password_store"])
def test_a_session_lives_and_ends_in_each_keyring(
    request: pytest.FixtureRequest, tmp_path: Path, demo_server: FaultyServer, name: str
) -> None:
    """Sign in, renew and sign out, with nothing but the answer on the streams."""
    service = request.getfixturevalue(name)
    home = home_of(tmp_path, service, demo_server)
    login = home.login(demo_server.issuer)
    assert login.status == 0, login.stderr
    assert home.run("refresh").status == 0
    token = home.run("token")
    assert (token.status, token.stderr) == (0, "")
    assert json.loads(service.lookup("tokenctl:t", "session"))["access_token"] == token.stdout.strip()
    assert home.run("revoke").status == 0
    assert service.lookup("tokenctl:t", "session") is None
    assert home.run("token").status == 4
    assert demo_server.reuse_detections == 0


@pytest.mark.parametrize("name", ["kwallet", "kwallet_own", "keepassxc", "password_store"])
def test_a_locked_keyring_is_exit_3_with_a_way_out(
    request: pytest.FixtureRequest, tmp_path: Path, demo_server: FaultyServer, name: str
) -> None:
    """No command takes it for a person who is not signed in, and no hint names an option that the command lacks."""
    service = request.getfixturevalue(name)
    home = home_of(tmp_path, service, demo_server)
    assert home.login(demo_server.issuer).status == 0
    service.lock()
    asked = len(demo_server.requests)
    for command in ("token", "show", "refresh", "revoke"):
        result = home.run(command)
        assert (result.status, result.stdout) == (3, ""), result
        assert "hint: " in result.stderr and "Traceback" not in result.stderr
        assert " use --store" not in result.stderr
    assert len(demo_server.requests) == asked
    service.unlock()
    assert home.run("token").status == 0


def test_a_person_signs_out_of_a_keyring_that_asks(
    tmp_path: Path, demo_server: FaultyServer, confirming_keepassxc: KeePassXC
) -> None:
    """KeePassXC asks about each entry and each deletion; the person at the terminal allows it, and all is gone."""
    service = confirming_keepassxc
    home = home_of(tmp_path, service, demo_server)
    assert home.login(demo_server.issuer).status == 0
    with service.somebody_allows():
        assert attended(home, "revoke").status == 0
    assert home.run("token").status == 4


def test_the_default_collection_moves(tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService) -> None:
    """Every reader and writer stays with the collection of the login, and so does the next login."""
    home = home_of(tmp_path, secret_service, demo_server)
    assert home.login(demo_server.issuer).status == 0
    assert pinned(home) == LOGIN
    other = secret_service.add_collection("other")
    secret_service.move_default(other)
    assert home.run("token").status == 0 and home.run("refresh").status == 0
    assert home.run("refresh", environ={"KEYRING_PROPERTY_PREFERRED_COLLECTION": other}).status == 0
    assert pinned(home) == LOGIN
    assert home.login(demo_server.issuer).status == 0
    assert pinned(home) == LOGIN
    assert home.run("refresh").status == 0
    assert home.run("revoke").status == 0
    assert secret_service.lookup("tokenctl:t", "session") is None
    assert demo_server.reuse_detections == 0


def test_a_login_after_the_collection_is_gone_uses_the_default_of_now(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """Until then it is exit 3 with what to do, and not a person who is not signed in."""
    home = home_of(tmp_path, secret_service, demo_server)
    other = secret_service.add_collection("other")
    environ = {"KEYRING_PROPERTY_PREFERRED_COLLECTION": other}
    assert home.login(demo_server.issuer, environ=environ).status == 0
    secret_service.remove_collection(other)
    for command in ("token", "show", "refresh", "revoke"):
        result = home.run(command)
        assert (result.status, result.stdout) == (3, "") and f"{other} any more" in result.stderr, result
    login = home.login(demo_server.issuer)
    assert login.status == 0, login.stderr
    assert pinned(home) == LOGIN
    assert home.run("token").status == 0


def test_a_preferred_collection_counts_at_login(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """The keyring library's own setting chooses the collection, and nobody needs it afterwards."""
    home = home_of(tmp_path, secret_service, demo_server)
    other = secret_service.add_collection("other")
    environ = {"KEYRING_PROPERTY_PREFERRED_COLLECTION": other}
    assert home.login(demo_server.issuer, environ=environ).status == 0
    assert pinned(home) == other
    assert home.run("refresh").status == 0 and home.run("token").status == 0


def test_a_session_of_an_older_version_is_found_and_pinned_by_the_next_login(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """A choice without a collection means the default one; a login of the same person keeps one entry."""
    home = home_of(tmp_path, secret_service, demo_server)
    assert home.login(demo_server.issuer).status == 0
    state = Path(home.environ["TOKENCTL_STATE_DIR"]) / "t"
    for file in state.glob("store*.json"):
        file.unlink()
    (state / "store.json").touch(mode=0o600)
    (state / "store.json").write_text(json.dumps({"version": 1, "store": "keyring", "backend": secret_service.backend}))
    assert home.run("token").status == 0 and home.run("refresh").status == 0
    assert home.login(demo_server.issuer).status == 0
    assert pinned(home) == LOGIN
    assert home.run("token").status == 0 and home.run("refresh").status == 0
    assert demo_server.reuse_detections == 0


@pytest.mark.parametrize(
    "address", ["tcp:host=127.0.0.1,port=9", "unixexec:path=/bin/true", "nonce-tcp:", "launchd:env=X"]
)
def test_a_bus_that_cannot_be_used_is_exit_3(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService, address: str
) -> None:
    """With the reason, and never as a defect; a list that has another one works."""
    home = home_of(tmp_path, secret_service, demo_server)
    assert home.login(demo_server.issuer).status == 0
    real = secret_service.environ["DBUS_SESSION_BUS_ADDRESS"]
    result = home.run("token", environ={"DBUS_SESSION_BUS_ADDRESS": address})
    assert (result.status, result.stdout) == (3, "") and "bus" in result.stderr, result
    assert home.run("token", environ={"DBUS_SESSION_BUS_ADDRESS": f"{address};{real}"}).status == 0
    assert home.run("token", environ={"DBUS_SESSION_BUS_ADDRESS": ""}).status == 0  # the runtime directory's


def test_two_hundred_callers_at_once_are_all_answered(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """A machine that is busy is no keyring that does not answer."""
    home = home_of(tmp_path, secret_service, demo_server)
    assert home.login(demo_server.issuer).status == 0
    results = home.race(MANY, "token")
    assert [result for result in results if result.status] == []
    assert len({result.stdout for result in results}) == 1
