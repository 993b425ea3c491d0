"""The event log of real runs: killed, many at once, without room; and what is in it, and what is not."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.killing.folders import fill, remount, small_disk
from tests.killing.matrix import WORKER, read_points
from tests.killing.scene import Scene
from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import COMMAND, LONG, Home
from tests.support.demo_server import Make
from tests.support.disclosure import disclosed
from tests.support.many import sign_in_too
from tests.support.paths import ROOT
from tokenctl.audit.anomaly import END
from tokenctl.audit.kinds import KINDS
from tokenctl.model.event import Event, dumps, sentence
from tokenctl.storage.event_files import KEPT, LARGEST
from tokenctl.storage.event_log import FOLDER, EventLog
from tokenctl.storage.state_dir import DUE

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals and modes of POSIX")]
WARNING = "tokenctl: warning: the event log is not written: "


def log_of(home: Home) -> EventLog:
    """The event log of a HOME."""
    return EventLog(Path(home.environ["TOKENCTL_STATE_DIR"]) / FOLDER)


def anomalies(log: EventLog) -> list[str]:
    """The anomalies that `audit` would name."""
    events = list(log.read())
    last = Event(event=END, profile="", at=events[-1].at + 1)
    return [each.sentence for kind in KINDS for found in kind.detect([*events, last]) for each in found]


def check(log: EventLog) -> None:
    """Expect numbers without a gap, one event for each generation of a session, and no anomaly."""
    events = list(log.read())
    first = events[0].seq
    assert [each.seq for each in events] == list(range(first, first + len(events)))
    renewals = Counter((each.session, each.generation) for each in events if each.event == "renewal")
    assert set(renewals.values()) <= {1}, renewals
    assert anomalies(log) == []


def fill_up(log: EventLog) -> None:
    """Fill the newest file, so that the next event makes each file older."""
    for age in (1, 2, 3, 4):
        log.path(age).touch(0o600)
    *_, newest = log.read()
    event, seq = Event(event="refusal", profile="other", at=newest.at, more={"error": "x" * 1000}), newest.seq
    with log.path().open("ab") as file:
        while file.tell() < LARGEST - 100:
            seq += 1
            file.write(dumps(replace(event, seq=seq)))


def put_back(log: EventLog, files: dict[Path, bytes]) -> None:
    """Make the files of the log what they were."""
    for age in range(KEPT + 1):
        log.path(age).unlink(missing_ok=True)
    for path, content in files.items():
        path.touch(0o600)
        path.write_bytes(content)


def files_of(log: EventLog) -> dict[Path, bytes]:
    """Read the files of the log."""
    return {each: each.read_bytes() for each in map(log.path, range(KEPT + 1)) if each.exists()}


# -- killed ------------------------------------------------------------------------------------------------


def watching(scene: Scene, said: Path) -> dict[str, str]:
    """Make the environment in which a process lists in a file what it changes of the log, to be killed there."""
    state = scene.state.parent
    return {"KILL_BELOW": f"{state / FOLDER}{os.pathsep}{state / DUE}", "KILL_LOG": str(said)}


@pytest.mark.parametrize("full", [False, True], ids=["a line more", "all files become older"])
def test_a_worker_killed_while_it_writes_loses_at_most_its_event(tmp_path: Path, make_server: Make, full: bool) -> None:
    """The next process writes that there was a renewal, the session goes on, and nothing is doubled or an anomaly."""
    scene = Scene(tmp_path / "scene", make_server())
    log = log_of(scene.home)
    if full:
        fill_up(log)
    before = files_of(log)
    scene.age()
    assert scene.token(environ=watching(scene, tmp_path / "dry")).status == 0
    points = [each for each in read_points(tmp_path / "dry") if each.role == WORKER and "connect" not in each.name]
    assert len(points) == (7 if full else 2), points
    for point in points:
        put_back(log, before)
        scene.age()
        killed = scene.token(environ=watching(scene, tmp_path / "log") | {"KILL_AT": f"worker:{point.number}"})
        assert (killed.status, killed.stderr) == (0, ""), (point, killed)
        scene.goes_on()
        check(log)
        found = [(each.result, each.generation) for each in log.read() if each.event == "renewal"]
        assert found == [("recovered", scene.kept["generation"])], point


def test_a_caller_killed_while_it_writes_what_is_missing_writes_it_later(tmp_path: Path, make_server: Make) -> None:
    """After a worker and its caller were killed, and then each process that finds the renewal: once in the end."""
    scene = Scene(tmp_path / "scene", make_server())
    log = log_of(scene.home)
    scene.age()
    environ = {"KILL_BELOW": f"{scene.ring.parent}/ring.", "KILL_AT": "caller:3"}
    assert scene.token(environ=environ).status == -signal.SIGKILL  # before the keyring is written
    *rest, last = log.path().read_bytes().splitlines(keepends=True)
    assert b'"renewal"' in last
    log.path().write_bytes(b"".join(rest))
    kills = 0
    while scene.token(environ=watching(scene, tmp_path / "log") | {"KILL_AT": f"caller:{kills + 1}"}).status == -9:
        kills += 1
        assert kills < 20
    assert kills >= 2, (tmp_path / "log").read_text()
    scene.goes_on()
    check(log)
    assert [each.result for each in log.read() if each.event == "renewal"] == ["recovered"]


# -- many at once ------------------------------------------------------------------------------------------


def test_fifty_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Every line is whole and has its number, each process's events are in their order, also while files get older."""
    folder = tmp_path / FOLDER
    folder.mkdir(0o700)
    words = [sys.executable, "-W", "error", "-m", "tests.killing.many_writers", str(folder), "50", "20", "70000"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    log = EventLog(folder)
    assert log.path(2).exists()
    lines, events = list(log.lines()), list(log.read())
    assert len(lines) == 1000 and [each.seq for each in events] == list(range(1, 1001))
    for number in range(50):
        assert [each.generation for each in events if each.profile == f"p{number}"] == list(range(20))


def test_twenty_commands_that_renew_at_once_each_leave_their_event(home: Home, make_server: Make) -> None:
    """Each session is renewed, every renewal is in the log once, and nobody warns of anything."""
    server = make_server(reuse_grace=LONG)  # the sessions are copies of one
    assert home.login(server.issuer).status == 0
    names = [f"p{number:02}" for number in range(20)]
    sign_in_too(home, names)
    with ExitStack() as stack:
        started = [stack.enter_context(home.start("refresh", "-p", name)) for name in names]
        results = [(*each.communicate(timeout=LONG), each.returncode) for each in started]
    assert [each for each in results if each[2] != 0 or "warning" in each[1]] == []
    check(log_of(home))
    renewed = [each.profile for each in log_of(home).read() if each.event == "renewal"]
    assert sorted(renewed) == names


def test_a_stopped_writer_costs_no_renewal(home: Home, demo_server: FaultyServer) -> None:
    """A process that was stopped while it held the log's lock costs an event and one warning that names it."""
    assert home.login(demo_server.issuer).status == 0
    log = log_of(home)
    words = [sys.executable, "-c", HOLDER, str(log.path().with_name("lock"))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        try:
            before = list(log.read())
            result = home.run("refresh")
            assert (result.status, result.stderr.count(WARNING)) == (0, 1), result
            assert f"process {holder.pid} keeps" in result.stderr
            assert list(log.read()) == before
        finally:
            holder.kill()
    assert WARNING not in home.run("refresh").stderr
    check(log)
    assert len(list(log.read())) == len(before) + 1


HOLDER = """
import sys, time
from pathlib import Path
from tokenctl.storage.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(1000)
"""


# -- without room ------------------------------------------------------------------------------------------


@pytest.fixture
def apart(tmp_path: Path, make_server: Make) -> Iterator[tuple[Scene, Path]]:
    """Somebody who is signed in, and whose event log is on a small disk of its own."""
    state = tmp_path / "state"
    state.mkdir(0o700)
    with small_disk(state / FOLDER) as disk:
        yield (
            Scene(tmp_path / "scene", make_server(), backend="tests.support.faulty_ring.FaultyRing", state=state),
            disk,
        )


@pytest.mark.parametrize("how", ["full", "a few bytes left", "read-only"])
def test_without_room_for_the_log_everything_else_goes_on(apart: tuple[Scene, Path], how: str) -> None:
    """Worker and caller both have something to write, and one of them warns, once; nothing torn stays."""
    scene, disk = apart
    log = log_of(scene.home)
    before = list(log.read())
    if how == "read-only":
        remount(disk, "ro")
    else:
        with log.path().open("ab") as file:  # up to the end of a page, or nearly
            file.write(b"x" * (4095 - file.tell() - (0 if how == "full" else 100)) + b"\n")
        fill(disk)
    scene.age()
    result = scene.token(environ={"FAULT": "error:set"})
    assert (result.status, result.stderr.count(WARNING)) == (0, 1), result
    assert f"{log.path()}: " in result.stderr or f"{disk}/lock" in result.stderr, result.stderr
    assert list(log.read()) == before
    assert scene.home.run("token", "-q").stderr == ""
    if how == "read-only":
        remount(disk, "rw")
    else:
        (disk / "ballast").unlink()
    scene.age()
    scene.goes_on()
    check(log)
    assert list(log.read())[-1].event == "renewal"


def test_a_limit_of_file_sizes_costs_an_event_and_no_renewal(tmp_path: Path, make_server: Make) -> None:
    """As `ulimit -f` sets it: Python ignores the signal, and nothing torn stays."""
    scene = Scene(tmp_path / "scene", make_server())
    log = log_of(scene.home)
    with log.path().open("ab") as file:
        file.write(b"x" * (200 * 1024 - file.tell() - 101) + b"\n")  # 100 bytes fit
    before = log.path().read_bytes()
    scene.age()
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 200; exec "$@"', "bash", *COMMAND, "token"],
        env=scene.home.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (limited.returncode, limited.stderr.count(WARNING)) == (0, 1), limited
    assert "File too large" in limited.stderr
    assert log.path().read_bytes() == before
    scene.age()
    scene.goes_on()
    check(log)


# -- what is in it, and what is not ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["in the config file", "in the environment", "with the memory store"])
def test_who_wants_no_log_has_none(home: Home, demo_server: FaultyServer, how: str) -> None:
    """Not even its folder, and -v says what happened all the same."""
    environ = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}
    machine = {"ISSUER": demo_server.issuer, "CLIENT_ID": "tokenctl-demo-ci", "FLOW": "client-credentials"}
    if how == "in the config file":
        home.write_config(
            f'[profiles.ci]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\n'
            'flow = "client-credentials"\naudit = "off"\n'
        )
    else:
        environ |= {f"TOKENCTL_{name}": value for name, value in machine.items()}
        environ |= {"TOKENCTL_AUDIT": "off"} if how == "in the environment" else {"TOKENCTL_STORE": "memory"}
    result = home.run("token", "-v", environ=environ)
    assert result.status == 0 and "signed in by client-credentials" in result.stderr, result
    state = Path(home.environ["TOKENCTL_STATE_DIR"])
    assert not (state / FOLDER).exists() and not (state / DUE).exists()


def test_no_token_of_a_whole_life_is_in_the_log(home: Home, demo_server: FaultyServer) -> None:
    """Sign-in, renewals, a refusal that echoes the token as its error code, a narrower token, and sign-out."""
    given: list[str] = []

    def remember(request: Received) -> Reply | None:
        reply = demo_server.answer(request)
        names = ("access_token", "refresh_token", "id_token")
        given.extend(reply.document[name] for name in names if name in reply.document)
        return reply

    def echo(request: Received) -> Reply:
        return json_reply({"error": request.form["refresh_token"], "error_description": request.body.decode()}, 400)

    demo_server.overrides["/token"] = remember
    assert home.login(demo_server.issuer).status == 0
    for words in (["refresh"], ["token", "--scope", "openid"], ["refresh"]):
        assert home.run(*words).status == 0, words
    demo_server.overrides["/token"] = echo
    assert home.run("refresh").status == 5
    demo_server.overrides["/token"] = remember
    assert home.run("revoke").status == 0
    log = log_of(home)
    kinds = {each.event for each in log.read()}
    assert kinds >= {"login", "renewal", "refusal", "revocation"} and len(given) >= 8
    assert disclosed(given, log.path().read_text()) == []
    assert "?" not in log.path().read_text()


def test_each_event_is_said_once(home: Home, demo_server: FaultyServer) -> None:
    """With -v, by the command that it belongs to, whether the command or its worker wrote it."""
    log, seen = log_of(home), 0
    for words in (["login"], ["refresh"], ["token", "--scope", "openid"], ["revoke"]):
        verbose = home.login(demo_server.issuer, "-v") if words == ["login"] else home.run(*words, "-v")
        assert verbose.status == 0
        new = list(log.read())[seen:]
        seen += len(new)
        assert new, words
        for event in new:
            assert verbose.stderr.count(f"{sentence(event)}\n") == 1, (event, verbose.stderr)
