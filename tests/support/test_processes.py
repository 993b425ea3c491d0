"""What the tests themselves leave: no process, whatever becomes of a test or of pytest, and no signal ignored."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.killing.scene import wait_until
from tests.support import processes
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(not processes.LINUX, reason="subreapers and /proc are Linux's")

ORPHAN = "setsid sh -c 'echo $$; exec sleep 1000' & read -r _"


def test_an_orphan_in_a_session_of_its_own_is_found_and_ended() -> None:
    """As a worker is whose caller was killed."""
    before = processes.children()
    with subprocess.Popen(["sh", "-c", ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: orphan in processes.children())
    (killed,) = processes.end(before, 0)
    assert killed.endswith("sleep 1000")
    assert not Path(f"/proc/{orphan}").exists()


def test_a_process_that_ends_by_itself_is_not_left() -> None:
    """It has the time it needs."""
    before = processes.children()
    subprocess.run(["sh", "-c", "sleep 0.3 &"], check=True)
    assert processes.end(before, processes.PATIENCE) == []
    assert processes.children() == before


GUARDED = """
import subprocess, time
from tests.support.processes import guarded
with guarded():
    print(subprocess.Popen(["setsid", "sleep", "1000"]).pid, flush=True)
    time.sleep(1000)
"""


def test_what_was_started_ends_when_the_starter_is_killed() -> None:
    """Nobody is left to end it, but the guard."""
    with subprocess.Popen([sys.executable, "-c", GUARDED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        left = int(starter.stdout.readline())
        starter.kill()
    wait_until(lambda: Path(f"/proc/{left}/stat").read_text().rpartition(")")[2].split()[0] == "Z")


OF_THE_C_LIBRARY = 1 << 31 | 1 << 32
"""Signals 32 and 33, which glibc keeps for itself and ignores in what `posix_spawn` starts (Python 3.13 uses that)."""
IGNORING = """
import signal, subprocess, sys
from tests.support.processes import default_signals
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with default_signals():
    subprocess.run(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"], check=True)
    signal.raise_signal(signal.SIGHUP)
assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
"""


def test_a_signal_that_was_ignored_has_its_default_in_what_a_test_starts() -> None:
    """Under `nohup` or in a shell's background, while pytest itself goes on ignoring it."""
    done = subprocess.run([sys.executable, "-c", IGNORING], cwd=ROOT, capture_output=True, text=True, check=True)
    masks = [int(line.split()[1], 16) & ~OF_THE_C_LIBRARY for line in done.stdout.splitlines()]
    assert masks == [0, 0], done.stdout


def test_no_signal_is_ignored_here() -> None:
    """The suite passes under `nohup` and in the background."""
    asked = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
    assert signal.SIG_IGN not in [signal.getsignal(each) for each in asked]
    assert os.environ[processes.MARK].startswith(f"{os.getpid()}-")
