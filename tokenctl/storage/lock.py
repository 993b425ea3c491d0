"""The profile's lock: one process at a time between reading a refresh token and saving its successor.

It is a lock of the kernel (`flock`), which ends with the process that holds it, so a stale lock is impossible. The
lock has a file of its own, which is never removed or truncated: all processes must lock the same file. The file has
the last holder's process id, for messages only.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from tokenctl.adapters.private_files import open_private
from tokenctl.errors import Busy, StoreUnavailable, UsageError
from tokenctl.storage.state_dir import profile_dir

DEADLINE = 60.0
"""Seconds until a waiting process gives up (exit 7). The lock is never broken."""
_POLL = 0.025

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        # Byte 2**30, because nobody can read a locked byte on Windows, and the process id must stay readable.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        # flock, not lockf: a lockf lock ends when the process closes any other descriptor of the file.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def exclusive(
    path: Path, deadline: float = DEADLINE, report_waiting: Callable[[int | None], None] = lambda pid: None
) -> Iterator[int]:
    """Hold the lock at `path` until the block ends. The block gets the lock's descriptor.

    A process that inherits the descriptor holds the lock too, until it ends. So the lock is released by closing the
    descriptor, never by unlocking. After a second of waiting `report_waiting` is called once, with the holder's
    process id if it is known. Raises Busy after `deadline` seconds, StoreUnavailable when the file cannot be opened,
    UsageError when its file system has no locks.
    """
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    except OSError as reason:
        raise StoreUnavailable(
            f"{path} cannot be opened: {reason.strerror}",
            hint="tokenctl keeps its locks there; set TOKENCTL_STATE_DIR to a folder of yours on a writable disk",
        ) from None
    try:
        start = time.monotonic()
        reported = False
        while not _acquire(descriptor, path):
            waited = time.monotonic() - start
            if waited >= deadline:
                raise Busy(
                    f"another tokenctl{_process_in_words(_holder(descriptor))} has been renewing this session for {deadline:.0f} s",
                    hint="try again; if that process is stopped, continue it or end it (the lock ends with it)",
                )
            if waited > 1 and not reported:
                reported = True
                report_waiting(_holder(descriptor))
            time.sleep(_POLL)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with contextlib.suppress(OSError):  # a full disk; the process id is only for messages
            os.write(descriptor, b"%-10d\n" % os.getpid())
        yield descriptor
    finally:
        os.close(descriptor)


def exclusive_config(environ: Mapping[str, str]) -> AbstractContextManager[int]:
    """Hold the lock of the config file until the block ends. Raises as `exclusive` does."""
    return exclusive(profile_dir(environ, ".config") / "lock")  # no profile has such a name


def _acquire(descriptor: int, path: Path) -> bool:
    try:
        return _try_lock(descriptor)
    except OSError as reason:
        raise UsageError(
            f"{path} cannot be locked: {reason.strerror}",
            hint="its file system has no locks; set TOKENCTL_STATE_DIR to a folder on a local disk",
        ) from None


def _holder(descriptor: int) -> int | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with contextlib.suppress(ValueError, OSError):
        return int(os.read(descriptor, 11))
    return None


def _process_in_words(pid: int | None) -> str:
    return f" (process {pid})" if pid else ""
