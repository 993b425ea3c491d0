"""Each kind of anomaly by real runs, and what looks like one and is none. Theft has a file of its own."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import jwt
import pytest

from tests.killing.scene import Scene, wait_until
from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.servers.secret_service import SecretService
from tests.support.attended import attended
from tests.support.audited import anomalies, events, names
from tests.support.commandline import COMMAND, LONG, Home, Started
from tests.support.demo_server import Make
from tests.support.faulty_ring import ERROR
from tests.support.paths import ROOT
from tests.support.real_parts import Missing, available, program

pytestmark = pytest.mark.slow

DAY = 86400


def clocks(*, wall: int = 0, boot: int = 0) -> dict[str, str]:
    """Shift the clocks of a command by seconds."""
    shifted = str(ROOT / "tests/support/shifted_clocks")
    return {"PYTHONPATH": shifted, "WALL_SHIFT": str(wall), "BOOT_SHIFT": str(boot)}


def sign_in(home: Home, server: FaultyServer, environ: Mapping[str, str] = {}) -> None:
    """Sign in without an ID token: those of a server whose time is another one are refused."""
    result = home.login(server.issuer, "--scope", "offline_access", environ=environ)
    assert result.status == 0, result


@pytest.fixture
def keyring_home(tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer) -> Home:
    """A HOME whose session is in the real Secret Service."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    assert home.login(demo_server.issuer).status == 0
    return home


def refresh(home: Home, status: int = 0, environ: Mapping[str, str] = {}) -> None:
    """Renew, and expect an exit status."""
    result = home.run("refresh", environ=environ)
    assert result.status == status, result


# -- a refresh token that is refused, and no thief ------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "lost"), [(Reply(drop_after=True), 1), (Reply(status=502), 2)], ids=["once", "twice"]
)
def test_a_refusal_after_a_lost_answer_is_no_theft(
    home: Home, demo_server: FaultyServer, answer: Reply, lost: int
) -> None:
    """The server has given the successor to nobody, and calls the second presentation a reuse."""
    sign_in(home, demo_server)
    left = [answer] * lost

    def lose(request: Received) -> Reply | None:
        demo_server.answer(request)
        return left.pop() if left and "refresh_token" in request.form else None

    demo_server.overrides["/token"] = lose
    if lost == 2:
        refresh(home, 6)
    wait_until(lambda: home.run("refresh").status == 4)
    assert len(events(home, "dead")) == 1 and names(home) == []


# -- a session that is changed outside ------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("changed", ["a newer generation", "other tokens"])
def test_an_entry_that_another_program_changed(
    keyring_home: Home, demo_server: FaultyServer, secret_service: SecretService, changed: str
) -> None:
    """The keyring's own tool writes a newer generation, or the tokens of another session into this one."""
    kept = json.loads(secret_service.lookup("tokenctl:t", "session") or "")
    if changed == "other tokens":
        assert keyring_home.login(demo_server.issuer, profile="u").status == 0
        other = json.loads(secret_service.lookup("tokenctl:u", "session") or "")
        kept |= {name: other[name] for name in ("access_token", "refresh_token")}
    else:
        kept["generation"] += 9
    secret_service.store("tokenctl:t", "session", json.dumps(kept))
    for _ in range(2):
        assert keyring_home.run("refresh", "-p", "t").status == 0
        (found,) = anomalies(keyring_home)
        assert found["name"] == "session-changed-outside" and changed in found["sentence"]


@pytest.mark.real
@pytest.mark.parametrize("words", [("refresh",), ("login",)], ids="".join)
def test_another_state_directory_with_the_same_keyring(
    keyring_home: Home, demo_server: FaultyServer, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Whoever renews or signs in there changes the session here, and says so there in no alarm."""
    there = {"TOKENCTL_STATE_DIR": str(tmp_path / "there")}
    if words == ("login",):
        assert keyring_home.login(demo_server.issuer, environ=there).status == 0
    else:
        moved = attended(keyring_home, "refresh", environ=there, answers=[("from now on?", b"y\n")])
        assert moved.status == 0, moved
    refresh(keyring_home, 2)
    assert names(keyring_home) == ["session-changed-outside"] and names(keyring_home, there) == []


@pytest.mark.real
def test_a_session_that_moves_is_not_changed_outside(keyring_home: Home) -> None:
    """`store migrate` to the encrypted file and back is no alarm."""
    passphrase = {"TOKENCTL_PASSPHRASE_FILE": str(keyring_home.folder / "passphrase")}
    for kind in ("file", "keyring"):
        moved = keyring_home.run("store", "migrate", "--to", kind, environ=passphrase)
        assert moved.status == 0, moved
        refresh(keyring_home, environ=passphrase)
    assert names(keyring_home) == []


# -- another person -------------------------------------------------------------------------------------


def test_an_answer_about_another_person(home: Home, demo_server: FaultyServer) -> None:
    """The server answers a renewal with an ID token of somebody else."""
    assert home.login(demo_server.issuer).status == 0

    def another_person(request: Received) -> Reply:
        answer = demo_server.answer(request).document
        claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
        return json_reply(answer | {"id_token": demo_server.sign_id_token(claims | {"sub": "mallory"})})

    demo_server.overrides["/token"] = another_person
    refresh(home, 5)
    assert names(home) == ["subject-changed"]


# -- clocks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wall", "direction"), [(7200, "ahead"), (-7200, "back")])
def test_a_clock_that_jumps(home: Home, demo_server: FaultyServer, wall: int, direction: str) -> None:
    """The wall clock moves, the clock since boot does not, and the server's clock says that ours is wrong."""
    sign_in(home, demo_server)
    refresh(home)
    refresh(home, environ=clocks(wall=wall))
    (found,) = anomalies(home)
    assert found["name"] == "clock-jumped" and f"jumped {direction}" in found["sentence"]


def test_a_clock_in_a_time_namespace(home: Home, demo_server: FaultyServer) -> None:
    """A container whose boot clock is ahead looks like a wall clock that goes back."""
    sign_in(home, demo_server)
    with available():
        unshare = [program("unshare"), *([] if os.geteuid() == 0 else ["--map-current-user"])]
        unshare += ["--time", "--boottime", "7200"]
        if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
            raise Missing("a kernel that allows time namespaces")
    refresh(home)
    subprocess.run([*unshare, *COMMAND, "refresh"], env=home.environ, check=True, capture_output=True, timeout=LONG)
    (found,) = anomalies(home)
    assert found["name"] == "clock-jumped" and "agrees with the server's clock" in found["sentence"]


@pytest.mark.parametrize("wrong", [{"wall": 3 * DAY, "boot": 3 * DAY}, {"wall": 7200}, {"wall": -7200}], ids=str)
def test_time_that_passed_and_a_clock_that_is_put_right_are_no_jump(
    home: Home, demo_server: FaultyServer, wrong: dict[str, int]
) -> None:
    """Both clocks go on together for days; or the clock was wrong from the start, and then it is right."""
    sign_in(home, demo_server, {} if "boot" in wrong else clocks(**wrong))
    refresh(home, environ=clocks(**wrong))
    if "boot" not in wrong:
        refresh(home)
    assert names(home, clocks(**wrong) if "boot" in wrong else {}) == []


# -- too many renewals, and who asks --------------------------------------------------------------------


def script(folder: Path, name: str, line: str) -> str:
    """Write a script of that name, which runs tokenctl as `$TOKENCTL`."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def run_script(home: Home, *words: str) -> None:
    """Run a program that calls tokenctl."""
    environ = home.environ | {"TOKENCTL": " ".join(COMMAND)}
    subprocess.run(words, env=environ, check=True, capture_output=True, timeout=LONG)


def test_a_script_that_renews_too_often_is_named(home: Home, make_server: Make, tmp_path: Path) -> None:
    """Ten renewals of a token that lives for ten hours need no explanation, and more do."""
    server = make_server(access_token_lifetime=36_000)
    sign_in(home, server)
    loop = script(tmp_path, "sync-photos", 'for n in $(seq "$1"); do $TOKENCTL refresh || exit 1; done')
    run_script(home, loop, "10")
    assert names(home) == []
    run_script(home, loop, "2")
    (found,) = anomalies(home)
    assert found["name"] == "too-many-renewals" and "sync-photos" in found["sentence"]


def test_an_event_names_the_program_that_asked_and_no_argument(home: Home, demo_server: FaultyServer) -> None:
    """A script by its own name, a shell and Python by theirs, whatever stands behind them."""
    sign_in(home, demo_server)
    python = "import os, subprocess; subprocess.run([*os.environ['TOKENCTL'].split(), 'refresh'], check=True)"
    callers: Sequence[tuple[str, ...]] = (
        (script(home.folder, "nightly-backup", "$TOKENCTL refresh; exit $?"), "--key=secret"),
        (sys.executable, "-c", python, "--key=secret"),
        ("sh", "-c", "$TOKENCTL refresh --key=secret | cat; $TOKENCTL refresh | cat"),
    )
    for words in callers:
        run_script(home, *words)
    shell, interpreter = (Path(each).resolve().name for each in ("/bin/sh", sys.executable))
    asked = [each.asked_by for each in events(home, "renewal")]
    assert asked == ["nightly-backup", interpreter, shell]
    log = next(Path(home.environ["TOKENCTL_STATE_DIR"]).glob(".events/*.jsonl")).read_text()
    assert "secret" not in log


# -- a keyring that fails, a lock that is held ------------------------------------------------------------


@pytest.mark.real
def test_a_keyring_that_does_not_answer(keyring_home: Home, secret_service: SecretService) -> None:
    """Three failures in a row are an alarm, which ends by itself when the keyring works again."""
    secret_service.pause()
    assert [each.status for each in keyring_home.race(2, "refresh")] == [3, 3]
    assert names(keyring_home) == []
    refresh(keyring_home, 3)
    assert names(keyring_home) == ["keyring-failing"]
    secret_service.go_on()
    refresh(keyring_home)
    assert names(keyring_home) == []


def test_a_keyring_that_takes_nothing(tmp_path: Path, make_server: Make) -> None:
    """The renewals go on, and no copy of them is in the keyring."""
    scene = Scene(tmp_path / "scene", make_server(), backend="tests.support.faulty_ring.FaultyRing")
    for _ in range(3):
        refresh(scene.home, environ={"FAULT": f"{ERROR}:set"})
    assert names(scene.home) == ["keyring-failing"]
    refresh(scene.home)
    assert names(scene.home) == []


def test_a_lock_that_a_stopped_process_holds(tmp_path: Path, make_server: Make) -> None:
    """Commands at three hours of a day wait for it until they give up; the test takes as long as one of them."""
    scene = Scene(tmp_path / "scene", make_server())
    asked = scene.refreshes
    scene.server.overrides["/token"] = lambda request: Reply(delay=LONG)
    with ExitStack() as stack:
        holder = stack.enter_context(scene.home.start("refresh"))
        wait_until(lambda: scene.refreshes > asked)
        stopped = (holder.pid, scene.worker() or 0)
        assert all(stopped)
        for each in stopped:
            os.kill(each, signal.SIGSTOP)
            stack.callback(os.kill, each, signal.SIGKILL)
        waiting = [_begins_to_wait(stack, scene.home, clocks(wall=hour, boot=hour)) for hour in (3600, 7200, 10800)]
        assert [each.wait(LONG) for each in waiting] == [7, 7, 7]
    (found,) = anomalies(scene.home)
    assert found["name"] == "lock-waits" and str(holder.pid) in found["sentence"]


def _begins_to_wait(stack: ExitStack, home: Home, environ: Mapping[str, str]) -> Started:
    process = stack.enter_context(home.start("refresh", environ=environ))
    assert process.stderr is not None and "waiting for another tokenctl" in process.stderr.readline()
    return process


# -- a session that nobody uses ---------------------------------------------------------------------------


def test_a_session_that_nobody_used_for_a_month(home: Home, demo_server: FaultyServer) -> None:
    """At a server that does not tell when it ends: an alarm after 30 days, until somebody uses it."""

    def tell_no_end(request: Received) -> Reply:
        answer = demo_server.answer(request).document
        return json_reply({name: value for name, value in answer.items() if name != "refresh_token_expires_in"})

    demo_server.overrides["/token"] = tell_no_end
    sign_in(home, demo_server)
    month = 31 * DAY
    later = clocks(wall=month, boot=month)
    assert names(home) == [] and names(home, clocks(wall=29 * DAY, boot=29 * DAY)) == []
    assert names(home, later) == ["idle-session"]
    refresh(home, environ=later)
    assert names(home, later) == []
