"""Work that survives its caller: in a process of its own where that can be, else with signals put off.

Between a server's commit and ours a refresh token exists in one process only. On POSIX that process is a
worker with a session of its own: neither Ctrl-C, nor a closed terminal, nor SIGKILL of the caller reaches
it, and it inherits the lock. A new interpreter, not a fork: a fork would share threads, D-Bus
connections and frameworks that cannot be shared. Elsewhere a lock cannot be inherited: there only the
signals that can be put off are, and whoever kills the process outright in that moment may cost a login.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from pathlib import Path

SURVIVES = os.name == "posix"
"""Whether a worker can outlive its caller here, and inherit the lock."""
HERE = str(Path(__file__).parent.parent)
"""Where this package is found, should it not be where Python looks by itself."""
LONGEST = 150.0
"""Seconds until a worker is given up: all its requests' deadlines, and some more."""


def run(module: str, task: str, environ: Mapping[str, str], lock: int) -> str | None:
    """Run `python -m module` apart from us; what it writes to stdout, or None when it ended before its end.

    The task goes through a pipe: it holds secrets. `lock` is the descriptor of the lock that the worker
    goes on holding if we end first.
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


@contextlib.contextmanager
def signals_put_off() -> Iterator[None]:
    """Put off the signals that ask us to end until the block is over; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, _: types.FrameType | None) -> None:
        came.append(number)

    before = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)
