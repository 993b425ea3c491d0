"""Many processes at once: one refresh for all of them, nobody loses the session, and nobody waits for another profile."""

import fcntl
import threading
from pathlib import Path

import pytest

from tests.bench.soak import Plan, soak
from tests.servers.faulty_server import FaultyServer, Received, Reply
from tests.servers.secret_service import SecretService
from tests.support.aging import age, age_in
from tests.support.commandline import LONG, Home, Result
from tests.support.real_parts import available

COLD = 100


def expired(home: Home, server: FaultyServer) -> None:
    """Sign in, with an access token that has expired."""
    assert home.login(server.issuer).status == 0
    age(home)


def assert_one_for_all(results: list[Result], server: FaultyServer) -> None:
    """One refresh, one token, and nobody gave up, at the lock's deadline (7) or otherwise."""
    assert [result for result in results if result.status != 0] == []
    assert len({result.stdout for result in results}) == 1 and results[0].stdout.count(".") == 2
    assert (server.count("/token", "refresh_token"), server.reuse_detections) == (1, 0)


@pytest.mark.real
def test_a_hundred_cold_processes_refresh_once(
    tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer
) -> None:
    """A hundred processes that meet an expired session in a real keyring make one refresh and print one token."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    assert home.login(demo_server.issuer).status == 0
    age_in(secret_service)
    assert_one_for_all(home.race(COLD, "token", "-p", "t"), demo_server)


def test_a_hundred_cold_processes_refresh_once_in_the_file_store(home: Home, demo_server: FaultyServer) -> None:
    """The same with the encrypted file, where each of them computes scrypt and holds 32 MiB for it."""
    expired(home, demo_server)
    assert_one_for_all(home.race(COLD, "token", "-p", "t"), demo_server)


@pytest.mark.slow
def test_a_short_soak(tmp_path: Path) -> None:
    """With tokens of one second, six loops of processes and a server without any grace, each expiry is one refresh."""
    figures = soak(Plan(seconds=8, processes=6, life=1), tmp_path)
    assert figures.broken() == [] and set(figures.statuses) == {0}, figures
    assert figures.reuse_detections == figures.lost_sessions == figures.doubted == 0
    assert figures.requests == figures.tokens == figures.expiries > 0, figures


@pytest.mark.slow
@pytest.mark.parametrize("kill", ["TERM", "KILL"])
def test_a_short_soak_with_callers_killed(tmp_path: Path, kill: str) -> None:
    """Callers that are ended in the middle of whatever they do lose no session and present no token twice."""
    figures = soak(Plan(seconds=8, processes=6, life=1, kill=kill, kills=40), tmp_path)
    assert figures.broken() == [], figures
    assert figures.reuse_detections == figures.lost_sessions == figures.doubted == 0
    assert figures.requests == figures.tokens == figures.expiries > 0, figures
    assert figures.killed > 0, figures


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("store", ["gnome-keyring", "kwallet", "kwallet, own interface", "keepassxc"])
def test_a_short_soak_with_a_keyring_that_ends(tmp_path: Path, store: str) -> None:
    """Callers are killed, the keyring is killed and comes back with what it had on the disk, and no session is lost."""
    with available():
        figures = soak(Plan(seconds=10, processes=4, life=1, kill="KILL", kills=20, store=store, ends=5), tmp_path)
    print(*figures.lines(), sep="\n")
    assert figures.broken() == [], figures
    assert figures.reuse_detections == figures.lost_sessions == figures.doubted == 0
    assert figures.keyring_ends > 0 and figures.statuses[0] > 0, figures


def test_two_profiles_do_not_wait_for_each_other(home: Home, demo_server: FaultyServer) -> None:
    """While the server keeps one profile waiting for its new token, another one is renewed."""
    for profile in ("slow", "quick"):
        assert home.login(demo_server.issuer, profile=profile).status == 0
    asked, renewed = threading.Event(), threading.Event()

    def keep_the_first_waiting(request: Received) -> Reply | None:
        if not asked.is_set():
            asked.set()
            renewed.wait(LONG)
        return None

    demo_server.overrides["/token"] = keep_the_first_waiting
    with home.start("refresh", "-p", "slow") as slow:
        assert asked.wait(LONG)
        quick = home.run("refresh", "-p", "quick")
        still_waiting = slow.poll() is None
        renewed.set()
        _, said = slow.communicate(timeout=LONG)
    assert (quick.status, slow.returncode, still_waiting) == (0, 0, True), quick.stderr + said


def test_callers_that_die_before_they_ask_leave_no_doubt(home: Home, demo_server: FaultyServer) -> None:
    """However often callers are killed between the journal and the request, the next one renews: nothing was asked."""
    expired(home, demo_server)
    state = Path(home.environ["TOKENCTL_STATE_DIR"]) / "t"
    for _ in range(3):
        kill_at_the_journal(home, state)
    before = demo_server.count("/token", "refresh_token")
    result = home.run("token")
    assert (result.status, result.stderr) == (0, "")
    # A caller that was hit too late has renewed; then this one only fetched what came of it.
    assert (before, demo_server.count("/token", "refresh_token")) in ((0, 1), (1, 1))
    assert demo_server.reuse_detections == 0


def kill_at_the_journal(home: Home, state: Path) -> None:
    """Kill a caller as soon as it has written its journal, and wait until its lock is free."""

    def written() -> int:
        try:
            return next(iter(state.glob("journal.*"))).stat().st_ino
        except (FileNotFoundError, StopIteration):
            return 0

    before = written()
    with home.start("token") as process:
        while process.poll() is None and written() == before:
            pass  # at once, before there is a worker to go on without it
        process.kill()
        process.communicate()
    with open(state / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
