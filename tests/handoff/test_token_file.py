"""The file of `exec --token-file`: it is there while its command runs, and however that ends it is gone."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.killing.damage import NOBODY, ROOT
from tests.killing.folders import fill, small_disk
from tests.killing.scene import wait_until
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import LONG, Home, Started
from tests.support.demo_server import Make
from tokenctl.handoff.token_folder import UNFINISHED, token_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks and signals of POSIX")


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in, with a runtime folder of its own."""
    assert home.login(demo_server.issuer).status == 0
    with_runtime_folder(home, home.folder / "run")
    return home


def with_runtime_folder(home: Home, folder: Path) -> None:
    """Let token files be made there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    home.environ["XDG_RUNTIME_DIR"] = str(folder)


def folders(home: Home) -> list[Path]:
    """List what is in the runtime folder."""
    return list(Path(home.environ["XDG_RUNTIME_DIR"]).iterdir())


CHILD = 'echo $$ > "$HOME/child.new"; mv "$HOME/child.new" "$HOME/child"; exec sleep 600'


@contextlib.contextmanager
def running(home: Home, child: str = CHILD) -> Iterator[Started]:
    """Run a command with a token file; the block begins when the command has started."""
    (home.folder / "child").unlink(missing_ok=True)
    with home.start("exec", "--token-file", "--", "sh", "-c", child) as process:
        wait_until(lambda: (home.folder / "child").exists() or process.poll() is not None)
        yield process


def child_of(home: Home) -> int | None:
    """Tell the process id of the command, if it has started."""
    path = home.folder / "child"
    return int(path.read_text()) if path.exists() else None


def alive(process: int) -> bool:
    """Tell whether a process runs."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_killed_run_left_is_removed_by_the_next_one(signed_in: Home) -> None:
    """The file is not fresh any more, and its token lives for a while."""
    with running(signed_in) as process:
        (left,) = folders(signed_in)
        assert (left / "access_token").read_text()
        process.kill()
        process.wait(LONG)
        child = child_of(signed_in)
        assert child is not None
        os.kill(child, signal.SIGKILL)
    assert folders(signed_in) == [left]
    assert signed_in.run("exec", "--token-file", "--", "true").status == 0
    assert folders(signed_in) == []


def test_a_file_in_use_is_not_removed(signed_in: Home) -> None:
    """Other runs come and go, also at the same time, and each removes its own alone."""
    with running(signed_in) as process:
        (used,) = folders(signed_in)
        show = 'test -s "$ACCESS_TOKEN_FILE" && sleep 0.2 && cat "$ACCESS_TOKEN_FILE"'
        results = signed_in.race(6, "exec", "--token-file", "--", "sh", "-c", show)
        assert {(each.status, each.stdout) for each in results} == {(0, (used / "access_token").read_text())}
        assert folders(signed_in) == [used]
        process.terminate()
        assert process.wait(LONG) == 128 + signal.SIGTERM
    assert folders(signed_in) == []


def test_only_what_is_surely_ours_is_removed(signed_in: Home, tmp_path: Path) -> None:
    """Not what a link leads to, not what has another name or is open to others, and not another user's."""
    runtime = Path(signed_in.environ["XDG_RUNTIME_DIR"])
    elsewhere = tmp_path / "elsewhere"
    for folder in (
        elsewhere,
        runtime / "tokenctl-token-open",
        runtime / "tokenctl-other",
        runtime / "tokenctl-token-x",
    ):
        folder.mkdir(mode=0o700)
        (folder / "access_token").write_text("x")
    (runtime / "tokenctl-token-open").chmod(0o755)
    (runtime / "tokenctl-token-link").symlink_to(elsewhere)
    (runtime / "tokenctl-token-file").write_text("x")
    kept = {"tokenctl-token-open", "tokenctl-other", "tokenctl-token-link", "tokenctl-token-file"}
    if ROOT:
        os.chown(runtime / "tokenctl-token-x", NOBODY, NOBODY)
        kept.add("tokenctl-token-x")
    assert signed_in.run("exec", "--token-file", "--", "true").status == 0
    assert {each.name for each in folders(signed_in)} == kept
    assert (elsewhere / "access_token").exists()


DELAYS = [milliseconds / 1000 for milliseconds in (0, 0.3, 0.6, 1, 1.5, 2, 3, 4, 6, 9, 13, 20)]
"""Seconds from the moment that the folder of the file is there: the command starts within some milliseconds of it."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_while_the_command_starts_leaves_nothing(signed_in: Home, number: signal.Signals) -> None:
    """Neither the file nor the command, whenever the signal comes."""
    for delay in DELAYS:
        (signed_in.folder / "child").unlink(missing_ok=True)
        with signed_in.start("exec", "--token-file", "--", "sh", "-c", CHILD) as process:
            while not folders(signed_in) and process.poll() is None:
                pass
            time.sleep(delay)
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=LONG)
        assert process.returncode in (-number, 128 + number) and stdout == "", (process.returncode, stderr)
        assert "Traceback" not in stderr
        child = child_of(signed_in)
        assert child is None or not alive(child), f"the command runs, after {delay} s"
        assert folders(signed_in) == [], f"the file is there, after {delay} s"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM])
def test_a_signal_is_for_the_command(signed_in: Home, number: int) -> None:
    """The command decides what becomes of it, and its exit status is the one."""
    trap = f'trap "exit 42" {int(number)}; echo $$ > "$HOME/child"; while :; do sleep 0.05; done'
    with running(signed_in, trap) as process:
        process.send_signal(number)
        assert process.wait(LONG) == 42
    assert folders(signed_in) == []


def test_a_full_disk_ends_neither_the_command_nor_the_renewals(home: Home, make_server: Make, tmp_path: Path) -> None:
    """The old file stays, one warning is written, and when there is room again the file is fresh again."""
    server = make_server(access_token_lifetime=4)
    assert home.login(server.issuer).status == 0
    with small_disk(tmp_path / "disk") as disk:
        with_runtime_folder(home, disk)
        with running(home) as process:
            (folder,) = (each for each in folders(home) if each.is_dir())
            ballast = fill(disk)
            old = (folder / "access_token").read_text()
            before = server.count("/token", "refresh_token")
            wait_until(lambda: server.count("/token", "refresh_token") >= before + 3)
            assert (folder / "access_token").read_text() == old and process.poll() is None
            ballast.unlink()
            wait_until(lambda: (folder / "access_token").read_text() != old)
            process.terminate()
            _, stderr = process.communicate(timeout=LONG)
        assert stderr.count("could not be renewed") == 1 and "No space left" in stderr, stderr
        assert folders(home) == []
        fill(disk)
        result = home.run("exec", "--token-file", "--", "true")
        assert result.status == 125 and "the token file cannot be written" in result.stderr, result.stderr
        assert "defect" not in result.stderr


def test_a_run_that_was_killed_while_it_made_its_folder(tmp_path: Path) -> None:
    """The folder is empty, and has another name until it is locked: it goes when it is surely not in the making."""
    for age in (0, 3600):
        unfinished = tmp_path / f"{UNFINISHED}{age}"
        unfinished.mkdir(mode=0o700)
        os.utime(unfinished, (time.time() - age, time.time() - age))
    with token_folder({"XDG_RUNTIME_DIR": str(tmp_path)}):
        pass
    assert [each.name for each in tmp_path.iterdir()] == [f"{UNFINISHED}0"]


def test_runs_that_begin_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    """One that looks for leftovers can meet a folder that is made, and not yet locked."""

    def run(_: int) -> bool:
        with token_folder({"XDG_RUNTIME_DIR": str(tmp_path)}) as folder:
            (folder / "access_token").write_text("token")
            os.sched_yield()
            return (folder / "access_token").read_text() == "token"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(400)))
    assert list(tmp_path.iterdir()) == []
