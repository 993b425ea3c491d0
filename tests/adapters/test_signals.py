"""Signals that ask the process to end, put off or raised in a block."""

import os
import signal
import subprocess
import sys

import pytest

from tests.support.commandline import LONG
from tests.support.paths import ROOT
from tokenctl.adapters.signals import Relay, number_of
from tokenctl.errors import UsageError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

ENDED = """
import contextlib, os, signal, sys
from tokenctl.adapters.signals import ended_by_signals, postponed

before = getattr(signal, sys.argv[1])
signal.signal(signal.SIGTERM, before)
with ended_by_signals():
    try:
        with postponed() if "postponed" in sys.argv else contextlib.nullcontext():
            os.kill(os.getpid(), signal.SIGTERM)
            print("here")
        print("after")
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        print("cleaned up", flush=True)
"""


FOREIGN = """
import os, signal, subprocess
from tokenctl.adapters.signals import Relay

with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
    os.setresuid(12345, 12345, 12345)
    relay = Relay()
    relay.start(process)
    relay.note(signal.SIGUSR1, None)
    try:
        relay.send(signal.SIGUSR1)
    except OSError as error:
        print(error.strerror)
    process.stdin.close()
    assert relay.wait(process) == 0
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["SIG_DFL"], ["cleaned up"], -signal.SIGTERM),
        (["SIG_DFL", "postponed"], ["here", "cleaned up"], -signal.SIGTERM),
        (["SIG_IGN"], ["here", "after", "cleaned up"], 0),
    ],
    ids=["default", "put off", "ignored"],
)
def test_a_signal_ends_the_block_which_cleans_up(words: list[str], said: list[str], status: int) -> None:
    """The first signal ends the block, a second one does not disturb it, and an ignored one stays ignored."""
    done = subprocess.run(
        [sys.executable, "-c", ENDED, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONG
    )
    assert (done.stdout.split("\n")[:-1], done.returncode) == (said, status), done.stderr


@pytest.mark.parametrize("name", ["HUP", "hup", "SIGHUP", "SigHup", "1"])
def test_a_signal_has_several_names(name: str) -> None:
    """As `kill` takes them: with and without SIG, in small letters, and as a number."""
    assert number_of(name) == signal.SIGHUP


@pytest.mark.parametrize("name", ["", "0", "-1", "1.5", "999", "KILL", "SIGSTOP", "9", "SIGSIGHUP", "HANG UP"])
def test_what_no_program_can_handle_is_no_signal(name: str) -> None:
    """Such a signal would end or stop the command at its first renewal."""
    with pytest.raises(UsageError, match="no signal"):
        number_of(name)


def test_an_ended_process_gets_no_signal() -> None:
    """Its id can be another process's by then; and the status is still there for who waits."""
    relay = Relay()
    with subprocess.Popen(["true"]) as process:
        relay.start(process)
        assert relay.wait(process) == 0
        other = os.getpid()
        process.pid = other  # what the system may do with an id that is free
        before = signal.signal(signal.SIGUSR1, lambda *_: pytest.fail("a signal for another process"))
        try:
            relay.send(signal.SIGUSR1)
            relay.note(signal.SIGUSR1, None)
        finally:
            signal.signal(signal.SIGUSR1, before)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_another_users_process_is_no_defect() -> None:
    """A command that became another user's cannot be signalled; a signal to this process must not break the wait."""
    done = subprocess.run([sys.executable, "-c", FOREIGN], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Operation not permitted\n"), done.stderr
