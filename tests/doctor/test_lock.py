"""The lock is looked at from outside, and never taken."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.doctor.conftest import Setup
from tests.support.paths import ROOT
from tokenctl.doctor import lock
from tokenctl.doctor.finding import Finding

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a lock")

HOLD = """
import sys
from pathlib import Path
from tokenctl.storage.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Let another process hold the lock in the block, and name it."""
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        try:
            yield process.pid
        finally:
            process.kill()


def looked(setup: Setup) -> Finding:
    """What the check finds."""
    (found,) = lock.look(setup.case())
    return found


def test_nobody_holds_it(setup: Setup) -> None:
    """Before it is there, and when nobody has it any more."""
    setup.sign_in()
    assert looked(setup).sentence == "nobody holds the lock"
    (setup.state / "t" / "lock").touch(0o600)
    assert looked(setup).sentence == "nobody holds the lock"


def test_a_process_that_renews_is_no_problem(setup: Setup) -> None:
    """It is named."""
    setup.sign_in(-1)
    with held(setup.state / "t" / "lock") as pid:
        found = looked(setup)
    assert found.status == "ok" and found.sentence.startswith(f"process {pid} ")


@pytest.mark.parametrize(("left", "status", "number"), [(900, "warning", 0), (-1, "failed", 7)])
def test_a_process_that_is_stopped(setup: Setup, left: int, status: str, number: int) -> None:
    """Nobody can renew until it goes on or ends: `token` would end with 7 where it has to."""
    setup.sign_in(left)
    with held(setup.state / "t" / "lock") as pid:
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED)
        found = looked(setup)
    assert (found.status, found.exit_status) == (status, number)
    assert f"process {pid} " in found.sentence and f"kill -CONT {pid}" in (found.remedy or "")


@pytest.mark.parametrize(("left", "status", "number"), [(900, "warning", 0), (-1, "failed", 2)])
def test_a_file_system_whose_locks_are_local(setup: Setup, left: int, status: str, number: int) -> None:
    """A renewal refuses it, in these words."""
    setup.sign_in(left)
    (found,) = lock.on_shared(setup.case(), setup.state / "t" / "lock", "nfs4")
    assert (found.status, found.exit_status) == (status, number) and "(nfs4)" in found.sentence
