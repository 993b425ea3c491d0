"""A session and what happens to its store: two names for one keyring, another state directory, a write without an answer."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home, Result
from tests.support.paths import ROOT

RING = "tests.support.ring.Ring"
SECRET = "demo-ci-secret"


@pytest.fixture
def keyring_home(tmp_path: Path) -> Home:
    """A HOME with a keyring that the test can read, and a passphrase for the file store."""
    paths = f"{ROOT / 'tests' / 'killing'}:{ROOT}"
    environ = {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": paths, "TOKENCTL_PASSPHRASE": "some words"}
    return Home(tmp_path / "home", environ, store="keyring")


def write_profile(home: Home, server: FaultyServer, backend: str = RING, more: str = "", **members: str) -> None:
    """Write the profile."""
    members = {"client_id": "tokenctl-demo", "scope": "openid offline_access", **members}
    lines = "".join(f'{name} = "{value}"\n' for name, value in members.items())
    home.write_config(f'[profiles.t]\nissuer = "{server.issuer}"\nkeyring_backend = "{backend}"\n{lines}{more}')


def entries(home: Home) -> dict[str, str]:
    """Read the keyring."""
    return dict(json.loads(Path(home.environ["TEST_RING"]).read_text()))


def kept(home: Home) -> dict[str, Any]:
    """Read the session in the keyring."""
    return dict(json.loads(entries(home)["tokenctl:t\nsession"]))


def subject(server: FaultyServer, result: Result) -> str | None:
    """Say whose the token is that a command printed; None where the server does not take it."""
    claims = server.sessions.access_claims(result.stdout.strip())
    return None if claims is None else str(claims["sub"])


AS_GRACE = 'params = { login_hint = "grace" }\n'


# -- one keyring with two names --------------------------------------------------------------------


def killed(home: Home, server: FaultyServer, at: str, *words: str, fails: bool = False) -> None:
    """Sign in, and be killed (or fail) before the last change whose line in the log ends so."""
    folder, ring = Path(home.environ["TOKENCTL_STATE_DIR"]) / "t", Path(home.environ["TEST_RING"])
    log = ring.with_name("log")
    watch = {"KILL_BELOW": f"{folder}:{ring.parent}/ring.", "KILL_LOG": str(log)}
    before = {path: path.read_bytes() for path in (*folder.glob("*"), ring) if path.is_file()}
    assert home.login(server.issuer, *words, environ=watch).status == 0
    lines = log.read_text().splitlines()
    log.unlink()
    for path in (*folder.iterdir(), ring):
        if path not in before:
            path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    number = max(index for index, line in enumerate(lines, 1) if line.endswith(at))
    watch |= {"KILL_AT": f"caller:{number}"} | ({"KILL_WITH": "EAGAIN"} if fails else {})
    assert home.login(server.issuer, *words, visit=_visit, environ=watch).status == (3 if fails else -9)


def _visit(url: str) -> None:
    from tests.support.fetch import fetch

    try:
        fetch(url)
    except OSError:  # who waited for the callback was killed
        pass


def test_a_login_by_another_name_can_be_killed_anywhere(keyring_home: Home, demo_server: FaultyServer) -> None:
    """It removes the copy in the earlier store last, and that one is the session itself."""
    write_profile(keyring_home, demo_server)
    assert keyring_home.login(demo_server.issuer).status == 0
    write_profile(keyring_home, demo_server, "tests.support.ring.Alias")
    killed(keyring_home, demo_server, "rename ring.json")
    assert subject(demo_server, keyring_home.run("token")) == "user-ada"


def test_another_name_costs_no_secret(keyring_home: Home, demo_server: FaultyServer) -> None:
    """The machine's secret is in the same keyring, and stays there."""
    for backend in (RING, "tests.support.ring.Alias"):
        write_profile(
            keyring_home, demo_server, backend, client_id="tokenctl-demo-ci", scope="api", flow="client-credentials"
        )
        assert keyring_home.run("login", "--client-secret-stdin", stdin=SECRET).status == 0
    assert entries(keyring_home)["tokenctl:t\nsecret"] == SECRET
    assert keyring_home.run("refresh").status == 0


def test_the_default_collection_can_be_the_one_of_the_session(
    tmp_path: Path, demo_server: FaultyServer, secret_service: SecretService
) -> None:
    """`store migrate` from `session` to `keyring` moves nothing then, and the machine's secret is still there."""
    secret_service.move_default("/org/freedesktop/secrets/collection/session")
    home = Home(tmp_path / "home", {n: v for n, v in secret_service.environ.items() if n != "HOME"}, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\n'
        'flow = "client-credentials"\nstore = "session"\n'
    )
    assert home.run("login", "--client-secret-stdin", stdin=SECRET).status == 0
    assert home.run("store", "migrate", "--to", "keyring").status == 0
    assert secret_service.lookup("tokenctl:t", "secret") == SECRET
    assert home.run("refresh").status == 0


# -- a login that was killed, and the next one that fails ------------------------------------------


def test_a_session_that_was_coming_is_not_forgotten(keyring_home: Home, demo_server: FaultyServer) -> None:
    """The first login was killed when the keyring had its session; the next one goes to another store, and fails."""
    write_profile(keyring_home, demo_server)
    assert keyring_home.login(demo_server.issuer).status == 0
    (choice,) = (Path(keyring_home.environ["TOKENCTL_STATE_DIR"]) / "t").glob("store.*.json")
    choice.write_text(choice.read_text().replace('"current"', '"coming"'))  # as the killed one left it
    token = keyring_home.run("token").stdout
    killed(keyring_home, demo_server, "write .session.sealed.next", "--store", "file", fails=True)
    assert keyring_home.run("token").stdout == token


# -- a write without an answer ---------------------------------------------------------------------


def test_a_session_that_the_keyring_has_is_not_revoked(keyring_home: Home, demo_server: FaultyServer) -> None:
    """The keyring keeps the session of a login, and does not answer when it is read back: its tokens live."""
    write_profile(keyring_home, demo_server, "tests.support.ring.ReadBackFails")
    deaf = Path(f"{keyring_home.environ['TEST_RING']}.deaf")
    deaf.touch()
    assert keyring_home.login(demo_server.issuer).status == 3
    deaf.unlink()
    assert subject(demo_server, keyring_home.run("token")) == "user-ada"
    write_profile(keyring_home, demo_server, "tests.support.ring.ReadBackFails", AS_GRACE)
    deaf.touch()
    assert keyring_home.login(demo_server.issuer, "--switch-account").status == 3
    assert subject(demo_server, keyring_home.run("token")) == "user-grace"


# -- two state directories -------------------------------------------------------------------------


@pytest.mark.parametrize("switch", [True, False])
def test_a_renewal_does_not_replace_a_login_of_another_state_directory(
    keyring_home: Home, demo_server: FaultyServer, tmp_path: Path, switch: bool
) -> None:
    """Its lock is another one, so it can sign in while this one renews: the login stays."""
    write_profile(keyring_home, demo_server)
    assert keyring_home.login(demo_server.issuer).status == 0
    asked, answered = threading.Event(), threading.Event()

    def late(request: Received) -> None:
        if request.form["grant_type"] == "refresh_token" and not asked.is_set():
            demo_server.answer(request)
            asked.set()
            answered.wait()

    demo_server.overrides["/token"] = late
    other = {"TOKENCTL_STATE_DIR": str(tmp_path / "other")}
    with keyring_home.start("refresh") as renewing:
        asked.wait()
        if switch:
            write_profile(keyring_home, demo_server, more=AS_GRACE)
        assert keyring_home.login(demo_server.issuer, "--switch-account", environ=other).status == 0
        answered.set()
        renewing.communicate()
    assert kept(keyring_home)["state_path"] == other["TOKENCTL_STATE_DIR"]
    for words in (("token",), ("refresh",), ("token",)):
        assert keyring_home.run(*words, environ=other).status == 0
    assert subject(demo_server, keyring_home.run("token", environ=other)) == ("user-grace" if switch else "user-ada")
