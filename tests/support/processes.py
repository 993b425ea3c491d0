"""What a test starts ends with it: how to find the processes that are left, and to end them.

On Linux the process that runs the tests becomes a subreaper: who loses its parent becomes its child, also one that has
a session of its own, as the worker of a renewal has. So nothing that a test started can hide. Should the process that
runs the tests be killed itself, a guard ends whatever has `MARK` in its environment.
"""

import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LINUX = sys.platform == "linux"
PATIENCE = 60.0
"""Seconds for processes that are about to end: a worker that has answered, a server that was told to stop."""
MARK = "TESTS_STARTED_BY"
PR_SET_CHILD_SUBREAPER = 36

GUARD = """
read -r _
trap '' HUP INT TERM
for round in 1 2 3; do
  for file in $(grep -lsF "$1" /proc/[0-9]*/environ); do
    process=${file#/proc/}
    kill -9 "${process%/environ}" 2>/dev/null
  done
  sleep 0.2
done
"""
"""Waits for the end of its stdin, which the kernel brings about however the process that runs the tests ends."""


def become_subreaper() -> None:
    """Let orphans below us become our children."""
    if LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def guarded() -> Iterator[None]:
    """Have somebody who ends what we started, should we be killed."""
    if not LINUX:
        yield
        return
    mark = f"{os.getpid()}-{secrets.token_hex(8)}"
    guard = subprocess.Popen(
        ["sh", "-c", GUARD, "guard", f"{MARK}={mark}"],
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.environ[MARK] = mark
    try:
        yield
    finally:
        del os.environ[MARK]
        guard.kill()
        guard.communicate()


def marked() -> dict[str, str]:
    """The mark, for a process whose environment is made from nothing."""
    return {name: value for name, value in os.environ.items() if name == MARK}


@contextmanager
def default_signals() -> Iterator[None]:
    """Let every signal that was ignored when pytest began have its default effect on the programs that tests start.

    `nohup` ignores SIGHUP, a shell ignores SIGINT and SIGQUIT for what it runs in the background, and children inherit
    that. A handler of ours becomes the default in a new program, and lets pytest itself go on as it was told to.
    """
    changed = {}
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP} if os.name == "posix" else set():
        # Python itself ignores SIGPIPE and SIGXFSZ, and subprocess gives children their defaults.
        if signal.getsignal(number) == signal.SIG_IGN and number not in (signal.SIGPIPE, signal.SIGXFSZ):
            handler = signal.default_int_handler if number == signal.SIGINT else _go_on
            changed[number] = signal.signal(number, handler)
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ()) if os.name == "posix" else set()
    try:
        yield
    finally:
        for number, handler_before in changed.items():
            signal.signal(number, handler_before)
        if blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _go_on(number: int, frame: object) -> None:
    """Do nothing about a signal that pytest was told to ignore."""


def children() -> set[int]:
    """Our children, and the orphans that became ours."""
    found: set[int] = set()
    for task in Path("/proc/self/task").glob("*/children") if LINUX else ():
        with contextlib.suppress(OSError):  # the thread has just ended
            found |= {int(each) for each in task.read_text().split()}
    return found


def end(known: set[int], patience: float) -> list[str]:
    """Give children other than the `known` time to end, kill the others with all below them, and tell who those were."""
    until = time.monotonic() + patience
    while (left := _alive(children() - known)) and time.monotonic() < until:
        time.sleep(0.02)
    killed: list[str] = []
    while left:  # who is killed leaves its children to us
        for process in left:
            killed.append(_command(process))
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        for process in left:
            with contextlib.suppress(OSError):
                os.waitpid(process, 0)
        left = _alive(children() - known)
    return killed


def _alive(processes: set[int]) -> set[int]:
    """Leave out those that have ended, which are gone for good then."""
    return {process for process in processes if not _reaped(process)}


def _reaped(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:  # somebody else has waited for it
        return True


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:300]
    except OSError:
        return "?"
