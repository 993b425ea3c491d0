"""A worker: a process that finishes its work even when the process that started it ends.

The worker has its own process session, so Ctrl-C, a closed terminal and SIGKILL of the caller do not end it. It
inherits the lock. It is a new interpreter and not a fork: a fork would share threads, D-Bus connections and system
frameworks that cannot be shared. Windows has no worker, because a process cannot inherit a lock there.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from weakref import WeakSet

POSSIBLE = os.name == "posix"
"""Whether a worker can outlive its caller on this platform, and inherit the lock."""
PACKAGE_PATH = str(Path(__file__).absolute().parents[2])
"""The folder of this package, in case it is not on the caller's search path. For a zipapp it is the archive."""
TIMEOUT = 60.0
"""Seconds to wait for a worker: more than its work may take."""
TRIAL = 20.0
"""Seconds for an interpreter that only loads the worker's modules: it takes half a second."""


class NotStarted(Exception):
    """No worker could be started; the text says why. Nothing was done."""


class LostContact(Exception):
    """The worker did not tell how its work ended: it can have done all, some or none of it."""


class Worker:
    """A worker that was started, and that waits for its one task: it loads its modules meanwhile.

    It runs the function `main` of a module, in a process session of its own. `lock` is the lock's descriptor: the worker
    keeps the lock when this process ends first.
    """

    def __init__(self, module: str, environ: Mapping[str, str], lock: int) -> None:
        """Start it. Raises NotStarted."""
        _check_interpreter()
        self._told = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, *_FLAGS, "-c", _START, module, *search_path(sys.path, environ)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environ,
                pass_fds=(lock,),
                start_new_session=True,
                bufsize=0,  # so that a forked child can close the pipes: a buffer has a lock
            )
        except (OSError, ValueError) as reason:
            raise NotStarted(getattr(reason, "strerror", None) or str(reason)) from None
        _started.add(self)

    def work(self, task: str) -> str:
        """Give the worker its task, and return what it writes to stdout. Raises LostContact.

        The task goes through a pipe, because it has secrets. Both pipes carry UTF-8.
        """
        process = self._process
        try:
            self._told = True
            output, _ = process.communicate(task.encode(), timeout=TIMEOUT)
        except BaseException as reason:
            process.returncode = 0  # the worker continues; Popen would warn that it still runs
            self._close()
            if isinstance(reason, subprocess.TimeoutExpired | OSError):
                raise LostContact from None
            raise
        if process.returncode != 0:
            raise LostContact
        try:
            return output.decode()
        except ValueError:  # not the answer of a worker of ours
            raise LostContact from None

    def dismiss(self) -> None:
        """End a worker that got no task, and wait for its end: then it holds the lock no longer. Else do nothing.

        It is killed, because it can be in the middle of loading its modules. It has done nothing.
        """
        if not self._told:
            self._told = True
            self._process.kill()
            self._process.wait()
            self._close()

    def _close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close() if pipe is not None else None


def try_start(module: str, environ: Mapping[str, str]) -> None:
    """Start an interpreter as a worker is started, let it load the worker's modules, and wait for its end.

    It has no lock, and gets no task. Raises NotStarted when no process could be started, and LostContact, with the
    reason, when it could not load the modules.
    """
    _check_interpreter()
    try:
        tried = subprocess.run(
            [sys.executable, *_FLAGS, "-c", _LOAD, module, *search_path(sys.path, environ)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environ,
            start_new_session=True,
            timeout=TRIAL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LostContact(f"it was not ready within {TRIAL:.0f} s") from None
    except (OSError, ValueError) as reason:
        raise NotStarted(getattr(reason, "strerror", None) or str(reason)) from None
    if tried.returncode != 0:
        last = tried.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise LostContact(last[:200] or f"it ended with status {tried.returncode}")


def _check_interpreter() -> None:
    if not sys.executable:  # a program that embeds Python and does not say where an interpreter is
        raise NotStarted("the interpreter is not known")
    if getattr(sys, "frozen", False):  # the "interpreter" is the program itself, which would start once more
        raise NotStarted("this program has no interpreter of its own")


_started: "WeakSet[Worker]" = WeakSet()
"""The workers of this process."""


def _close_in_child() -> None:
    """Close the pipes in a forked child: while it has them open, the worker waits for the end of its task."""
    for worker in _started:
        worker._close()
    _started.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


def search_path(path: Sequence[object], environ: Mapping[str, str]) -> list[str]:
    """Return the worker's `sys.path`: the absolute entries of the caller's, so that it finds the same libraries.

    What PYTHONPATH added comes last: a backport that another program needs must not take a library's place. But the
    folder of this package keeps its place also when PYTHONPATH names it, because then the libraries are there too.
    """
    named = "" if sys.flags.ignore_environment else environ.get("PYTHONPATH", "")
    late = {_absolute(name) for name in (named.split(os.pathsep) if named else ())} - {PACKAGE_PATH}
    # A relative entry means the current directory, or depends on it. Python makes those of PYTHONPATH absolute. But
    # the archive of a zipapp can be named by a relative path.
    entries = [(entry, _absolute(entry)) for entry in path if isinstance(entry, str)]  # Python skips all others too
    found = [full for entry, full in entries if full == PACKAGE_PATH or os.path.isabs(entry)]
    if PACKAGE_PATH not in found:
        found.append(PACKAGE_PATH)
    return [entry for entry in found if entry not in late] + [entry for entry in found if entry in late]


def _absolute(entry: str) -> str:
    try:
        return os.path.abspath(entry)
    except OSError:  # the current directory is gone
        return entry


_FLAGS = ("-I", *(("-B",) if sys.dont_write_bytecode else ()))
"""`-I`: no variable of the environment counts, no current directory, and no user's `site-packages` but the caller's."""
_LOAD = (
    "import gc, sys; gc.set_threshold(100_000); sys.path[:] = sys.argv[2:]; __import__(sys.argv[1], fromlist=['main'])"
)
_START = f"{_LOAD}.main()"
"""What the worker's interpreter does. It has no `-m`, because the module must be found on the caller's `sys.path`.

It hardly looks for garbage: loading the libraries makes many objects and no garbage, and the worker ends soon.
"""
