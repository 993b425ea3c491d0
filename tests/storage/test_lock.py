"""The profile's lock, between real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.commandline import LONG
from tokenctl.errors import Busy, StoreUnavailable, UsageError
from tokenctl.storage.lock import exclusive, holds

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and file modes are POSIX's")

HOLDER = """
import sys, time
from pathlib import Path
from tokenctl.storage.lock import exclusive, holds
with exclusive(Path(sys.argv[1]), 300):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""

COUNTER = """
import sys
from pathlib import Path
from tokenctl.storage.lock import exclusive, holds
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(25):
    with exclusive(lock, 300):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


@contextmanager
def holder(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the lock."""
    words = [sys.executable, "-W", "error", "-c", HOLDER, str(path), "1000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_exclude_each_other(tmp_path: Path) -> None:
    """No step of a read-and-write under the lock is lost, however many do it at once."""
    (tmp_path / "counter").write_text("0")
    words = [sys.executable, "-W", "error", "-c", COUNTER, str(tmp_path / "lock"), str(tmp_path / "counter")]
    with ExitStack() as stack:
        processes = [stack.enter_context(subprocess.Popen(words)) for _ in range(4)]
        assert [each.wait(LONG) for each in processes] == [0] * 4
    assert (tmp_path / "counter").read_text() == "100"


def test_a_lock_that_is_held_is_busy_after_the_deadline(tmp_path: Path) -> None:
    """Exit status 7, the holder named, and the lock not broken."""
    with holder(tmp_path / "lock") as other:
        start = time.monotonic()
        for _ in range(2):
            with pytest.raises(Busy, match=f"process {other.pid}") as caught, exclusive(tmp_path / "lock", 0.1):
                pytest.fail("the lock was broken")
            assert caught.value.exit_status == 7
        assert time.monotonic() - start >= 0.2
        assert other.poll() is None


def test_one_process_excludes_itself_too(tmp_path: Path) -> None:
    """A second descriptor of the same file waits like another process."""
    with exclusive(tmp_path / "lock", 1):
        with pytest.raises(Busy, match=str(os.getpid())), exclusive(tmp_path / "lock", 0):
            pytest.fail("held twice")
        (tmp_path / "lock").read_bytes()  # closing it elsewhere frees nothing
        with pytest.raises(Busy), exclusive(tmp_path / "lock", 0):
            pytest.fail("held twice")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_kernel_frees_a_dead_holders_lock(tmp_path: Path, number: int) -> None:
    """There is nothing stale to judge."""
    with holder(tmp_path / "lock") as other:
        other.send_signal(number)
        with exclusive(tmp_path / "lock", LONG):
            assert int((tmp_path / "lock").read_text()) == os.getpid()


def test_a_waiting_process_gets_the_lock_when_it_is_freed(tmp_path: Path) -> None:
    """After a second it says once for whom it waits."""
    waited_for: list[int | None] = []
    with holder(tmp_path / "lock") as other:

        def waiting(pid: int | None) -> None:
            waited_for.append(pid)
            other.kill()

        with exclusive(tmp_path / "lock", LONG, waiting):
            assert waited_for == [other.pid]


def test_an_error_inside_frees_the_lock(tmp_path: Path) -> None:
    """However the block ends."""
    with pytest.raises(KeyError), exclusive(tmp_path / "lock", 1):
        raise KeyError
    with exclusive(tmp_path / "lock", 0):
        pass


def test_the_file_is_never_unlinked_truncated_or_replaced(tmp_path: Path) -> None:
    """Whoever comes later must meet the same one."""
    path = tmp_path / "lock"
    path.touch(0o600)
    path.write_bytes(b"x" * 100)
    before = path.stat()
    for _ in range(2):
        with exclusive(path, 1):
            assert path.stat().st_size == 100
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mode) == (before.st_ino, 100, before.st_mode)
    assert os.listdir(tmp_path) == ["lock"]


def test_a_new_lock_is_private(tmp_path: Path) -> None:
    """Only its owner may even look at it."""
    with exclusive(tmp_path / "lock", 1):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "hard link", "folder", "readable", "absent folder"])
def test_a_file_that_others_could_have_put_there_is_refused(tmp_path: Path, kind: str) -> None:
    """At once, and nothing is made where a link leads."""
    folder = tmp_path / "p"
    folder.mkdir()
    path, target = folder / "lock", tmp_path / "target"
    if kind in ("link", "hard link"):
        target.touch(0o600)
    if kind in ("link", "dangling link"):
        path.symlink_to(target)
    elif kind == "hard link":
        path.hardlink_to(target)
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        path.mkdir()
    elif kind == "readable":
        path.touch()
        path.chmod(0o644)
    else:
        folder.rmdir()
    error = StoreUnavailable if kind == "absent folder" else UsageError
    with pytest.raises(error), exclusive(path, 1):
        pytest.fail("it was taken")
    assert kind != "dangling link" or not target.exists()


@pytest.mark.parametrize("content", [b"", b"not a number", b"\xff" * 20, b"-" * 11])
def test_a_holder_that_left_no_number_is_not_named(tmp_path: Path, content: bytes) -> None:
    """The number is for the message and decides nothing."""
    with exclusive(tmp_path / "lock", 1):
        (tmp_path / "lock").write_bytes(content)
        with pytest.raises(Busy, match="another tokenctl has been"), exclusive(tmp_path / "lock", 0):
            pytest.fail("held twice")


FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n" + HOLDER


def test_a_full_disk_does_not_take_the_lock_away(tmp_path: Path) -> None:
    """The number in it is a courtesy; the lock works without."""
    words = [sys.executable, "-W", "error", "-c", FULL, str(tmp_path / "lock"), "0"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=LONG, check=False)
    assert (ended.returncode, ended.stdout) == (0, "held\n")


CLOSED = """
import os, sys
for number in map(int, sys.argv[3:]):
    os.close(number)
""" + HOLDER.replace("import sys, time", "import time").replace(
    'print("held", flush=True)', 'Path(sys.argv[1] + ".number").write_text(str(lock))'
).replace("300):", "300) as lock:")


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]], ids=str)
def test_the_lock_never_has_the_number_of_a_standard_stream(tmp_path: Path, closed: list[int]) -> None:
    """Where the caller closed some, a pipe to a worker would otherwise replace the lock."""
    words = [sys.executable, "-c", CLOSED, str(tmp_path / "lock"), "0", *map(str, closed)]
    assert subprocess.run(words, timeout=LONG, check=False).returncode == 0
    assert int((tmp_path / "lock.number").read_text()) > 2


def removed(path: Path) -> None:
    """Remove the file."""
    path.unlink()


def replaced(path: Path) -> None:
    """Put another file in its place."""
    (path.parent / "new").touch(0o600)
    (path.parent / "new").rename(path)


def moved_folder(path: Path) -> None:
    """Put an empty folder in the place of the file's folder."""
    path.parent.rename(path.parent.with_name("old"))
    path.parent.mkdir(0o700)


@pytest.mark.parametrize("change", [removed, replaced, moved_folder], ids=lambda change: change.__name__)
def test_a_lock_whose_file_is_gone_no_longer_holds(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Another process would lock the new file."""
    path = tmp_path / "folder" / "lock"
    path.parent.mkdir()
    with exclusive(path, 1) as lock:
        assert holds(lock, path)
        change(path)
        assert not holds(lock, path)


@pytest.mark.parametrize("change", [removed, replaced, moved_folder], ids=lambda change: change.__name__)
def test_a_process_that_waited_for_a_file_that_is_gone_locks_the_new_one(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """What it gets in the end is the lock that those who come later meet."""
    path = tmp_path / "folder" / "lock"
    path.parent.mkdir()

    def waiting(pid: int | None) -> None:
        change(path)
        other.kill()

    with holder(path) as other, exclusive(path, LONG, waiting) as lock:
        assert holds(lock, path)
        with pytest.raises(Busy), exclusive(path, 0):
            pytest.fail("held twice")


def test_a_forked_child_does_not_hold_the_lock(tmp_path: Path) -> None:
    """A program that uses this package forks in another thread; its child lives on."""
    path = tmp_path / "lock"
    program = HOLDER.replace('print("held", flush=True)', "import os; child = os.fork(); child or time.sleep(1000)")
    words = [sys.executable, "-c", program.replace("time.sleep(float(sys.argv[2]))", "print(child)"), str(path), "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            assert parent.wait(LONG) == 0
            with exclusive(path, 0):
                os.kill(child, 0)  # it lives, and holds nothing
        finally:
            os.kill(child, signal.SIGKILL)
