"""The profile's lock: one process at a time between reading a refresh token and saving its successor.

`flock`-like, so the kernel frees it when its holder dies; there is nothing stale to judge. The file
is its own, never unlinked and never truncated: whoever comes later must meet the same one. It
holds the last holder's process id, for the error message and nothing else.
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

    def _try(descriptor: int) -> bool:
        # Byte 2**30: the lock is mandatory there, and the process id must stay readable.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try(descriptor: int) -> bool:
        # flock, not lockf: a lockf lock is lost when the process closes the file anywhere else.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def exclusive(
    path: Path, deadline: float = DEADLINE, waiting: Callable[[int | None], None] = lambda pid: None
) -> Iterator[int]:
    """Hold the lock at `path` for the length of the block, which gets its descriptor.

    A process that inherits the descriptor holds the lock too, until it ends: therefore the lock is
    released by closing and never by unlocking. `waiting` is called once, with the holder's process id
    if known, when it takes over a second. Raises Busy after `deadline` seconds, StoreUnavailable when the file cannot be opened.
    """
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    except OSError as reason:
        raise StoreUnavailable(
            f"{path} cannot be opened: {reason.strerror}",
            hint="tokenctl keeps its locks there; set TOKENCTL_STATE_DIR to a folder of your own on a disk that can be written",
        ) from None
    try:
        start = time.monotonic()
        told = False
        while not _acquired(descriptor, path):
            waited = time.monotonic() - start
            if waited >= deadline:
                raise Busy(
                    f"another tokenctl{_named(_holder(descriptor))} has been renewing this session for {deadline:.0f} s",
                    hint="try again; if that process is stopped, continue or end it (the lock goes with it)",
                )
            if waited > 1 and not told:
                told = True
                waiting(_holder(descriptor))
            time.sleep(_POLL)
        os.lseek(descriptor, 0, os.SEEK_SET)
        with contextlib.suppress(OSError):  # a full disk; the number is a courtesy
            os.write(descriptor, b"%-10d\n" % os.getpid())
        yield descriptor
    finally:
        os.close(descriptor)


def exclusive_config(environ: Mapping[str, str]) -> AbstractContextManager[int]:
    """Hold the lock of the config file for the length of a block. Raises as `exclusive` does."""
    return exclusive(profile_dir(environ, ".config") / "lock")  # no profile has such a name


def _acquired(descriptor: int, path: Path) -> bool:
    try:
        return _try(descriptor)
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


def _named(pid: int | None) -> str:
    return f" (process {pid})" if pid else ""
