"""A worker: a process that does its work to the end, whatever becomes of the process that started it.

It has a process session of its own, so neither Ctrl-C, nor a closed terminal, nor SIGKILL of the caller
reaches it, and it inherits the lock. It is a new interpreter and not a fork, because a fork would share
threads, D-Bus connections and frameworks that cannot be shared. Windows locks are not inherited, so there
is no worker there.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

POSSIBLE = os.name == "posix"
"""Whether a worker can outlive its caller on this platform, and inherit the lock."""
HERE = str(Path(__file__).parents[2])
"""The folder that holds this package, in case Python would not look there."""
LONGEST = 150.0
"""Seconds until a worker is given up: all its requests' deadlines, and some more."""


def run(module: str, task: str, environ: Mapping[str, str], lock: int) -> str | None:
    """Run `python -m module` in a process session of its own.

    Returns what the worker writes to stdout, or None when the worker died, or took longer than LONGEST. The
    task goes through a pipe, because it holds secrets. `lock` is the descriptor of the lock: the worker still
    holds that lock when this process ends first. Raises OSError when no process can be started.
    """
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, (environ.get("PYTHONPATH"), HERE)))},
        pass_fds=(lock,),
        start_new_session=True,
    )
    try:
        said, _ = worker.communicate(task.encode(), timeout=LONGEST)
    except BaseException as reason:
        worker.returncode = 0  # it goes on without us
        for pipe in (worker.stdin, worker.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe is not None else None
        if isinstance(reason, subprocess.TimeoutExpired):
            return None
        raise
    return said.decode() if worker.returncode == 0 else None
