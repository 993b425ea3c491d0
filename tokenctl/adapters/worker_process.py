"""A worker: a process that finishes its work even when the process that started it ends.

The worker has its own process session, so Ctrl-C, a closed terminal and SIGKILL of the caller do not end it. It
inherits the lock. It is a new interpreter and not a fork: a fork would share threads, D-Bus connections and system
frameworks that cannot be shared. Windows has no worker, because a process cannot inherit a lock there.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

POSSIBLE = os.name == "posix"
"""Whether a worker can outlive its caller on this platform, and inherit the lock."""
PACKAGE_PATH = str(Path(__file__).parents[2])
"""The folder of this package, in case it is not on the worker's search path."""
TIMEOUT = 60.0
"""Seconds to wait for a worker: more than its work may take."""


class NotStarted(Exception):
    """No worker could be started; the text says why. Nothing was done."""


class LostContact(Exception):
    """The worker did not tell how its work ended: it can have done all, some or none of it."""


def run(module: str, task: str, environ: Mapping[str, str], lock: int) -> str:
    """Run `python -m module` in a process session of its own, and return what it writes to stdout.

    The worker gets `task` through a pipe, because the task has secrets. `lock` is the lock's descriptor: the worker
    keeps the lock when this process ends first. Raises NotStarted or LostContact.
    """
    if not sys.executable:  # a program that embeds Python and does not say where an interpreter is
        raise NotStarted("the interpreter is not known")
    try:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, (environ.get("PYTHONPATH"), PACKAGE_PATH)))},
            pass_fds=(lock,),
            start_new_session=True,
        )
    except (OSError, ValueError) as reason:
        raise NotStarted(getattr(reason, "strerror", None) or str(reason)) from None
    try:
        output, _ = worker.communicate(task.encode(), timeout=TIMEOUT)
    except BaseException as reason:
        worker.returncode = 0  # the worker continues; Popen would warn that it still runs
        for pipe in (worker.stdin, worker.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe is not None else None
        if isinstance(reason, subprocess.TimeoutExpired | OSError):
            raise LostContact from None
        raise
    if worker.returncode != 0:
        raise LostContact
    return output.decode()
