"""A real gnome-keyring that fails between the read and the write of a renewal: nothing is lost, and it is said."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply
from tests.servers.secret_service import SecretService
from tests.support.commandline import LONG, Home

pytestmark = pytest.mark.real

PROFILES = [f"p{number}" for number in range(6)]
ROUNDS = 3


@pytest.fixture
def keyring_home(tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer) -> Home:
    """A HOME whose session is in the real Secret Service, and has expired; its successor lives longer."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    demo_server.change(access_token_lifetime=1)
    assert home.login(demo_server.issuer).status == 0
    demo_server.change(access_token_lifetime=900)
    time.sleep(max(0.0, kept(secret_service)["expires_at"] - time.time()) + 0.1)
    return home


def kept(service: SecretService, profile: str = "t") -> dict[str, Any]:
    """The session in the keyring, as another program finds it."""
    return dict(json.loads(service.lookup(f"tokenctl:{profile}", "session") or "{}"))


def committed(home: Home) -> int:
    """The generation in the redo log."""
    (redo_log,) = (Path(home.environ["TOKENCTL_STATE_DIR"]) / "t").glob("redo.*")
    return int(redo_log.read_bytes().split(b" ", 3)[2])


def while_asked(server: FaultyServer, happens: Callable[[], None]) -> None:
    """Let something happen to the keyring once, while the server answers a refresh request."""
    once = threading.Event()

    def answer(request: Received) -> Reply | None:
        if request.form.get("grant_type") == "refresh_token" and not once.is_set():
            once.set()
            happens()
        return None

    server.overrides["/token"] = answer


def assert_copied(home: Home, service: SecretService, server: FaultyServer, before: dict[str, Any]) -> str:
    """The next healthy run has copied the one renewed session to the keyring, and it lives on; returns its token."""
    healthy = home.run("token")
    assert (healthy.status, healthy.stderr) == (0, "")
    after = kept(service)
    assert after["access_token"] == healthy.stdout.strip() != before["access_token"]
    assert after["generation"] == before["generation"] + 1
    assert committed(home) == after["generation"]
    assert server.count("/token", "refresh_token") == 1
    assert home.run("refresh").status == 0  # with the refresh token that was copied
    assert server.reuse_detections == 0
    return healthy.stdout


@pytest.mark.quick
@pytest.mark.parametrize("command", ["token", "refresh"])
@pytest.mark.parametrize(("happens", "reason"), [("lock", "the keyring is locked"), ("kill", "cannot be used")])
def test_a_keyring_that_is_lost_between_read_and_write(
    keyring_home: Home,
    secret_service: SecretService,
    demo_server: FaultyServer,
    happens: str,
    reason: str,
    command: str,
) -> None:
    """The renewal succeeds with a warning, and the next run with a healthy keyring copies it there."""
    before = kept(secret_service)
    while_asked(demo_server, getattr(secret_service, happens))
    result = keyring_home.run(command)
    assert result.status == 0, result.stderr
    assert "is safe, but it is not in the keyring yet" in result.stderr and reason in result.stderr
    secret_service.restart()
    assert kept(secret_service) == before and committed(keyring_home) == before["generation"] + 1
    token = assert_copied(keyring_home, secret_service, demo_server, before)
    assert command == "refresh" or result.stdout == token


def test_a_keyring_that_stays_lost(
    keyring_home: Home, secret_service: SecretService, demo_server: FaultyServer
) -> None:
    """While the keyring is gone the sealed session stays closed (3, never 4), and nothing is asked of the server."""
    before = kept(secret_service)
    while_asked(demo_server, secret_service.kill)
    assert keyring_home.run("token").status == 0
    for command in ("token", "show", "refresh", "revoke"):
        result = keyring_home.run(command)
        assert (result.status, result.stdout) == (3, ""), result.stderr
    secret_service.restart()
    assert_copied(keyring_home, secret_service, demo_server, before)


def test_a_keyring_that_is_restarted_between_read_and_write(
    keyring_home: Home, secret_service: SecretService, demo_server: FaultyServer
) -> None:
    """A daemon that went and came back is written to, at once or by the next run."""
    before = kept(secret_service)
    while_asked(demo_server, secret_service.restart)
    result = keyring_home.run("token")
    assert result.status == 0, result.stderr
    assert not result.stderr or "is safe, but it is not in the keyring yet" in result.stderr
    assert assert_copied(keyring_home, secret_service, demo_server, before) == result.stdout


def test_six_profiles_are_written_at_once(
    tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer
) -> None:
    """Six processes that write six entries at the same time, three times over, all succeed without a warning."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    for profile in PROFILES:
        assert home.login(demo_server.issuer, profile=profile).status == 0
    before = {profile: kept(secret_service, profile)["generation"] for profile in PROFILES}
    for _ in range(ROUNDS):
        started = [home.start("refresh", "-p", profile) for profile in PROFILES]
        for profile, process in zip(PROFILES, started, strict=True):
            _, said = process.communicate(timeout=LONG)
            assert process.returncode == 0 and "warning" not in said, said
            assert f"renewed {profile}" in said
    for profile in PROFILES:
        assert kept(secret_service, profile)["generation"] == before[profile] + ROUNDS
        assert home.run("token", "-p", profile).stdout.strip() == kept(secret_service, profile)["access_token"]
    assert demo_server.count("/token", "refresh_token") == len(PROFILES) * ROUNDS
    assert demo_server.reuse_detections == 0
