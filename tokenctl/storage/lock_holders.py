"""Who holds a lock: found out from outside, without touching the lock. Only Linux tells it.

The kernel lists the locks of each open file in /proc/PID/fdinfo. So this finds the holder also when it inherited the lock,
and on every file system. Processes of other users, and of other containers, are not seen.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROCESSES = Path("/proc")


class Holder(NamedTuple):
    """A process that holds a lock; `stopped` by a signal such as SIGSTOP or Ctrl-Z."""

    pid: int
    stopped: bool


def holders(path: Path) -> list[Holder] | None:
    """List the processes of this user that hold the lock of the file or folder at a path; None where nobody can tell."""
    if not (_PROCESSES / "self" / "fdinfo").is_dir():
        return None
    try:
        wanted = path.stat()
    except OSError:
        return []
    return [Holder(pid, _is_stopped(pid)) for pid in _pids() if _holds(pid, wanted)]


def _pids() -> Iterator[int]:
    return (int(each.name) for each in _PROCESSES.iterdir() if each.name.isdecimal())


def _holds(pid: int, wanted: os.stat_result) -> bool:
    with suppress(OSError):  # it ended meanwhile, or is another user's
        for each in (_PROCESSES / str(pid) / "fd").iterdir():
            with suppress(OSError):
                found = each.stat()
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino) and _is_locked(pid, each.name):
                    return True
    return False


def _is_locked(pid: int, descriptor: str) -> bool:
    return "\nlock:" in (_PROCESSES / str(pid) / "fdinfo" / descriptor).read_text()


def _is_stopped(pid: int) -> bool:
    with suppress(OSError, IndexError):
        # After the name, which is in brackets and can have anything in it: the state.
        return (_PROCESSES / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] in "Tt"
    return False
