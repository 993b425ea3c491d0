"""The profile's lock: one process at a time between reading a refresh token and saving its successor.

It is a lock of the kernel (`flock`), which ends with the process that holds it, so a stale lock is impossible. The
lock has a file of its own, which is never removed or truncated: all processes must lock the same file. The file has
the last holder's process id, for messages only.
"""

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tokenctl.adapters.private_files import open_private
from tokenctl.errors import Busy, StoreUnavailable, UsageError
from tokenctl.storage.mounts import local_locks
from tokenctl.storage.state_dir import profile_dir

DEADLINE = 60.0
"""Seconds until a waiting process gives up (exit 7). The lock is never broken."""
LONGEST_HELD = 45
"""Seconds that all work under the lock may take: who waits for longer waits for a process that is stopped."""
_POLL = 0.025
"""Seconds between two tries to take the lock."""

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
    path: Path,
    deadline: float = DEADLINE,
    report_waiting: Callable[[int | None], None] = lambda pid: None,
    poll: float = _POLL,
) -> Iterator[int]:
    """Hold the lock at `path` until the block ends. The block gets the lock's descriptor.

    A process that inherits the descriptor holds the lock too, until it ends. So the lock is released by closing the
    descriptor, never by unlocking. After a second of waiting `report_waiting` is called once, with the holder's
    process id if it is known. `poll` is the seconds between two tries. Raises Busy after `deadline` seconds, StoreUnavailable when the file cannot be opened,
    UsageError when its file system has no locks.
    """
    ends = time.monotonic() + deadline
    while True:
        descriptor = _opened(path)
        _check_file_system(descriptor, path)
        held.add(descriptor)
        try:
            _wait(descriptor, path, deadline, ends, report_waiting, poll)
            if not holds(descriptor, path):
                continue  # the file was removed or replaced while this process waited: others lock the new one
            os.lseek(descriptor, 0, os.SEEK_SET)
            with contextlib.suppress(OSError):  # a full disk; the process id is only for messages
                os.write(descriptor, b"%-10d\n" % os.getpid())
            yield descriptor
            return
        finally:
            if descriptor in held:  # not in a forked child, which has closed it already
                held.discard(descriptor)
                os.close(descriptor)


def holds(descriptor: int, path: Path) -> bool:
    """Tell whether the descriptor's file is still the one at the path: only then the lock keeps others out."""
    try:
        ours, there = os.fstat(descriptor), os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _opened(path: Path) -> int:
    """Open the lock's file, at a descriptor that no standard stream uses.

    Where the caller closed a standard stream, the next file gets its number. A worker's pipe would then take the
    lock's place.
    """
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        if descriptor > 2 or sys.platform == "win32":
            return descriptor
        try:
            return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
        finally:
            os.close(descriptor)
    except OSError as reason:
        raise StoreUnavailable(
            f"{path} cannot be opened: {reason.strerror}",
            hint="tokenctl keeps its locks there; set TOKENCTL_STATE_DIR to a folder of yours on a writable disk",
        ) from None


def _check_file_system(descriptor: int, path: Path) -> None:
    system = local_locks(descriptor)
    if system is not None:
        os.close(descriptor)
        raise not_seen_elsewhere(path, system)


def not_seen_elsewhere(path: Path, system: str) -> UsageError:
    """Make the error for a lock on a file system whose locks hold on this machine only."""
    return UsageError(
        f"{path} is on a file system ({system}) whose locks other machines do not see, as it is mounted here",
        hint="set TOKENCTL_STATE_DIR to a folder of yours on a local disk, or mount it with locks",
        page="troubleshooting",
    )


def _wait(
    descriptor: int,
    path: Path,
    deadline: float,
    ends: float,
    report_waiting: Callable[[int | None], None],
    poll: float,
) -> None:
    """Wait for the lock. Raises Busy when the time `ends` (monotonic seconds) has passed."""
    report_at = time.monotonic() + 1
    while not _acquire(descriptor, path):
        now = time.monotonic()
        if now >= ends:
            holder = _holder(descriptor)
            raise Busy(
                f"another tokenctl{_process_in_words(holder)} has been renewing this session for {deadline:.0f} s",
                hint="try again; if that process is stopped, continue it or end it (the lock ends with it)",
                holder=holder,
            )
        if now > report_at:
            report_at = math.inf
            report_waiting(_holder(descriptor))
        time.sleep(poll)


held: set[int] = set()
"""The descriptors of the locks that this process holds."""


def _close_in_child() -> None:
    """Close the locks in a forked child: it would hold them for as long as it lives, and knows nothing of them."""
    for descriptor in held:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


@contextlib.contextmanager
def exclusive_config(environ: Mapping[str, str]) -> Iterator[None]:
    """Hold the lock of the config file until the block ends. Raises as `exclusive` does."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(profile_dir(environ, ".config") / "lock"))  # no profile has such a name
        except Busy:
            raise Busy("another tokenctl is changing the config file", hint="try again") from None
        yield


def _acquire(descriptor: int, path: Path) -> bool:
    try:
        return _try_lock(descriptor)
    except OSError as reason:
        raise UsageError(
            f"{path} cannot be locked: {reason.strerror}",
            hint="its file system has no locks; set TOKENCTL_STATE_DIR to a folder on a local disk",
            page="troubleshooting",
        ) from None


def _holder(descriptor: int) -> int | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with contextlib.suppress(ValueError, OSError):
        return int(os.read(descriptor, 11))
    return None


def _process_in_words(pid: int | None) -> str:
    return f" (process {pid})" if pid else ""
