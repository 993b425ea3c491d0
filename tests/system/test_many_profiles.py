"""`show --all` with many profiles: the keyring is asked for many at once, and each one is shown as it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.hung_bus import StallingBus
from tests.servers.keepassxc import KeePassXC
from tests.servers.keyrings import RealKeyring
from tests.servers.secret_service import LOGIN, SecretService
from tests.support.commandline import Home, Result
from tests.support.many import sign_in_too

pytestmark = [pytest.mark.real, pytest.mark.slow]
TOGETHER = ("kwallet", "keepassxc")
"""The keyrings that give several secrets at once."""
NAMES = [f"p{number:03}" for number in range(119)]


def signed_in(tmp_path: Path, service: RealKeyring, server: FaultyServer) -> Home:
    """A HOME that is signed in to profile `t`, in this keyring."""
    home = Home(tmp_path / "home", service.environ, store="keyring")
    login = home.login(server.issuer)
    assert login.status == 0, login.stderr
    return home


def shown(result: Result) -> dict[str, dict[str, Any]]:
    """The documents by profile; without what changes from second to second."""
    found = json.loads(result.stdout)
    for each in found:
        if each["access_token"] is not None:
            each["access_token"].pop("expires_in")
    assert len({each["profile"] for each in found}) == len(found)
    return {each["profile"]: each for each in found}


def test_many_sessions_are_read_with_few_calls(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """One connection, one search a profile, one call for the secrets of fifty; every profile, in the file's order."""
    home = signed_in(tmp_path, secret_service, demo_server)
    sign_in_too(home, NAMES)
    with StallingBus(secret_service.environ["DBUS_SESSION_BUS_ADDRESS"]) as bus:
        result = home.run("show", "--all", "--json", environ=bus.environ)
        assert (result.status, result.stderr, bus.connections) == (0, "", 1)
    calls = {name: bus.sent.count(name) for name in set(bus.sent)}
    assert calls == {"Hello": 1, "OpenSession": 1, "SearchItems": 120, "GetSecrets": 3}
    found = shown(result)
    assert list(found) == ["t", *NAMES] and {each["state"] for each in found.values()} == {"fresh"}
    alone = json.loads(home.run("show", "-p", NAMES[70], "--json").stdout)
    alone["access_token"].pop("expires_in")
    assert found[NAMES[70]] == alone


def test_profiles_that_are_signed_out_cost_a_search_each(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """What the default collection is, and whether it is locked, is asked once for all of them."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    home.write_config("".join(f'[profiles.{each}]\nissuer = "{demo_server.issuer}"\n' for each in NAMES[:40]))
    with StallingBus(secret_service.environ["DBUS_SESSION_BUS_ADDRESS"]) as bus:
        result = home.run("show", "--all", "--json", environ=bus.environ)
        found = shown(result)
    assert (result.status, list(found)) == (0, NAMES[:40]), result.stderr
    assert {each["state"] for each in found.values()} == {"logged_out"}
    assert (bus.sent.count("SearchItems"), bus.sent.count("ReadAlias"), bus.sent.count("Get")) == (40, 1, 1)


def test_one_that_fails_does_not_stop_the_others(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """A locked collection, a damaged entry, a newer second one, one that is gone, and a profile with a mistake."""
    home = signed_in(tmp_path, secret_service, demo_server)
    other = secret_service.add_collection("other")
    sign_in_too(home, ["damaged", "twice", "gone", "last"])
    sign_in_too(home, ["locked"], {"KEYRING_PROPERTY_PREFERRED_COLLECTION": other})
    home.write_config(f"{home.config.read_text()}\n[profiles.mistaken]\nport = 0\n")
    kept = secret_service.lookup("tokenctl:twice", "session")
    assert kept is not None
    for name in ("damaged", "gone"):
        secret_service.clear(f"tokenctl:{name}", "session")
    secret_service.store("tokenctl:damaged", "session", "not a session")
    attributes = {"service": "tokenctl:twice", "username": "session", "application": "another"}
    secret_service.add_item(LOGIN, attributes, json.dumps(json.loads(kept) | {"generation": 7}))
    secret_service.lock(other)
    result = home.run("show", "--all", "--json")
    found = shown(result)
    assert [(name, each["state"]) for name, each in found.items()] == [
        *(("t", "fresh"), ("twice", "fresh"), ("gone", "logged_out"), ("last", "fresh")),
    ]
    assert found["twice"]["generation"] in (1, 7)  # both are of this second
    errors = [line for line in result.stderr.splitlines() if "error:" in line]
    assert [line.split(": ")[2] for line in errors] == ["damaged", "locked", "mistaken"]
    assert "locked" in errors[1] and "port" in errors[2] and result.status == 3


@pytest.mark.parametrize("name", ["kwallet", "keepassxc", "confirming_keepassxc"])
def test_each_keyring_says_the_same_of_many_as_of_one(
    request: pytest.FixtureRequest, tmp_path: Path, demo_server: FaultyServer, name: str
) -> None:
    """Also one that asks a person for each entry, or that is locked: nobody is asked here, and nothing is shown."""
    service = request.getfixturevalue(name)
    home = Home(tmp_path / "home", service.environ, store="keyring")
    settings = f'issuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\nkeyring_backend = "{service.backend}"\n'
    home.write_config("".join(f"[profiles.{each}]\n{settings}" for each in NAMES[:3]))
    for each in NAMES[:3]:
        assert home.login(demo_server.issuer, profile=each).status == 0
    for locked in (False, True):
        if locked:
            service.lock()
        with StallingBus(service.environ["DBUS_SESSION_BUS_ADDRESS"]) as bus:
            every = home.run("show", "--all", "--json", environ=bus.environ)
            assert locked or name not in TOGETHER or "GetSecret" not in bus.sent
        alone = {each: home.run("show", "--json", "-p", each) for each in NAMES[:3]}
        assert every.status == max(each.status for each in alone.values())
        assert [each for each in alone if alone[each].status == 0] == list(shown(every))
        assert every.stderr.count("tokenctl: error: ") == sum(each.status != 0 for each in alone.values())
        assert not locked or every.status == 3
        assert locked or isinstance(service, KeePassXC) or every.status == 0


def test_a_keyring_that_stops_to_answer_is_exit_3(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """It is as if each session was read alone: nothing is shown, and each profile's error says why."""
    home = signed_in(tmp_path, secret_service, demo_server)
    with StallingBus(secret_service.environ["DBUS_SESSION_BUS_ADDRESS"], 3) as bus:
        result = home.run("show", "--all", "--json", environ=bus.environ)
        assert bus.stalled_at == "GetSecrets"
    assert (result.status, json.loads(result.stdout)) == (3, [])
    assert result.stderr.startswith("tokenctl: error: t: the keyring did not answer within 3 s")
