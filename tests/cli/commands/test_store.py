"""`tokenctl store`: where sessions are, and moving them."""

import json
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home
from tests.support.paths import ROOT


@pytest.fixture
def ring_home(tmp_path: Path, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in, with a keyring that the test can read, and a passphrase for the file store."""
    home = Home(tmp_path / "home", {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}, store="keyring")
    home.environ["TOKENCTL_PASSPHRASE_FILE"] = str(home.folder / "passphrase")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\n'
        'scope = "openid offline_access"\nkeyring_backend = "tests.support.ring.Ring"\n'
    )
    assert home.login(demo_server.issuer).status == 0
    return home


def ring(home: Home) -> dict[str, str]:
    """The entries of the keyring."""
    return dict(json.loads(Path(home.environ["TEST_RING"]).read_text()))


@pytest.mark.parametrize("named", ["file", "memory"])
def test_what_the_environment_names_does_not_stop_a_move(ring_home: Home, named: str) -> None:
    """A person who exported the new store's name moves the session into it."""
    token = ring_home.run("token").stdout
    moved = ring_home.run("store", "migrate", "--to", "file", environ={"TOKENCTL_STORE": named})
    assert moved.status == 0, moved.stderr
    assert ring(ring_home) == {} and ring_home.run("token").stdout == token


def test_there_and_back(ring_home: Home, demo_server: FaultyServer) -> None:
    """A session moves to the file store and back, with its tokens, and nothing stays behind."""
    token = ring_home.run("token").stdout
    moved = ring_home.run("store", "migrate", "--to", "file")
    assert (
        moved.status == 0
        and "now kept in an encrypted file; it was in tests.support.ring" in moved.stderr
        and moved.stdout == ""
    )
    assert ring(ring_home) == {}
    assert ring_home.run("token").stdout == token
    assert 'store = "file"' in ring_home.config.read_text()
    assert ring_home.run("refresh").status == 0
    assert ring_home.run("store", "migrate", "--to", "keyring").status == 0
    assert list(ring(ring_home)) == ["tokenctl:t\nsession"]
    assert not list(ring_home.folder.rglob("*.sealed"))
    assert ring_home.run("refresh").status == 0
    assert demo_server.reuse_detections == 0


@pytest.mark.quick
def test_moving_to_where_it_is_changes_nothing(ring_home: Home) -> None:
    """It says so, and that is all."""
    before = ring(ring_home)
    result = ring_home.run("store", "migrate", "--to", "keyring")
    assert result.status == 0 and "already" in result.stderr
    assert ring(ring_home) == before


def test_a_store_that_cannot_take_it_leaves_it_where_it_is(ring_home: Home) -> None:
    """Without a passphrase nothing can be written to the file store: exit 3, and nothing was removed."""
    ring_home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    before = ring(ring_home)
    result = ring_home.run("store", "migrate", "--to", "file")
    assert (result.status, result.stdout) == (3, "") and "passphrase" in result.stderr
    assert ring(ring_home) == before and ring_home.run("token").status == 0
    assert "store =" not in ring_home.config.read_text()


def test_there_is_nothing_to_move(ring_home: Home) -> None:
    """A profile without a session is 4, and the memory store is no place to move to."""
    assert ring_home.run("revoke").status == 0
    assert ring_home.run("store", "migrate", "--to", "file").status == 4
    assert ring_home.run("store", "migrate", "--to", "memory").status == 2


def test_show_says_where_it_is(ring_home: Home) -> None:
    """Kind, backend, entry, and whether the session can be read there; in lines, and as JSON."""
    lines = ring_home.run("store", "show").stdout
    assert "entry: service tokenctl:t, username session\n" in lines and "session: yes\n" in lines
    assert "backend: tests.support.ring.Ring\n" in lines
    assert ring_home.run("store", "migrate", "--to", "file").status == 0
    places = json.loads(ring_home.run("store", "show", "--all", "--json").stdout)
    assert [(each["store"], each["session"], each["session_problem"]) for each in places] == [("file", True, None)]
    assert places[0]["copy_pending"] is False and all(name.replace("_", "").isalpha() for name in places[0])
    assert Path(places[0]["entry"]).exists()
    ring_home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    locked = {"TOKENCTL_PASSPHRASE": "wrong"}
    wrong = ring_home.run("store", "show", environ=locked)
    assert wrong.status == 0 and "session: unknown: " in wrong.stdout
    (place,) = json.loads(ring_home.run("store", "show", "--all", "--json", environ=locked).stdout)
    assert place["session"] is None and f"session: unknown: {place['session_problem']}\n" in wrong.stdout


def test_the_passphrase_may_come_from_a_command(ring_home: Home) -> None:
    """The profile names a program that prints it; when that fails, the file store is locked, and untouched."""
    ring_home.environ.pop("TOKENCTL_PASSPHRASE_FILE")
    text = ring_home.config.read_text()
    ring_home.config.write_text(text + f'passphrase_command = ["cat", "{ring_home.folder}/passphrase"]\n')
    assert ring_home.run("store", "migrate", "--to", "file").status == 0
    assert ring_home.run("token").status == 0
    before = ring_home.snapshot()
    for command in ('["false"]', '["true"]', '["/nonexistent"]', '["echo", "wrong"]'):
        ring_home.config.write_text(text + f'store = "file"\npassphrase_command = {command}\n')
        result = ring_home.run("token")
        assert (result.status, result.stdout) == (3, ""), command
        assert result.stderr.count("tokenctl: error: ") == 1 and "Traceback" not in result.stderr
    after = ring_home.snapshot()
    sealed = {name for name in before if name.endswith(".sealed")}
    assert sealed and all(after[name] == before[name] for name in sealed)


@pytest.mark.real
def test_a_session_that_ends_with_the_desktops(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """`--store session` keeps it in the Secret Service's session collection: after a restart of that it is gone."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    login = home.login(demo_server.issuer, "--store", "session")
    assert login.status == 0 and "until you log out" in login.stderr, login.stderr
    assert home.run("token").status == 0 and home.run("refresh").status == 0
    assert json.loads(home.run("show", "--json").stdout)["store"]["kind"] == "session"
    secret_service.restart()
    assert home.run("token").status == 4
    assert home.login(demo_server.issuer).status == 0
    assert home.run("store", "migrate", "--to", "keyring").status == 0
    secret_service.restart()
    assert home.run("token").status == 0
    assert demo_server.reuse_detections == 0
