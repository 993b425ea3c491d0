"""Private files: 0600, opened without following links, written whole; what somebody else could have put there is refused."""

import contextlib
import errno
import os
import stat
from pathlib import Path

from tokenctl.errors import StoreUnavailable, UsageError

_POSIX = os.name == "posix"


def open_private(path: Path, flags: int) -> int:
    """Open a file of ours without following links, made 0600 if it is new, and return the descriptor.

    Raises UsageError when it is a link or a device, not private, not ours, or has a second name; OSError, as
    `os.open` does, when it is absent or the disk says no.
    """
    try:
        descriptor = os.open(path, flags | _NOFOLLOW, 0o600)
    except OSError as reason:
        if reason.errno not in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise
        raise UsageError(f"{path} cannot be opened: {reason.strerror}", hint=_NOT_OURS) from None
    found = os.fstat(descriptor)
    foreign = _POSIX and (found.st_uid != os.geteuid() or found.st_mode & 0o077)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or foreign:
        os.close(descriptor)
        raise UsageError(f"{path} is not a private file of yours", hint=_NOT_OURS)
    return descriptor


# O_NONBLOCK: opening a FIFO that somebody put there must not hang.
_NOFOLLOW = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_NOT_OURS = "tokenctl wants it to be a plain file of yours that only you may read (chmod 600): look at what it is"


def read_private(path: Path) -> bytes | None:
    """Read a private file whole; None when there is none. Raises UsageError or StoreUnavailable."""
    try:
        descriptor = open_private(path, os.O_RDONLY)
        with open(descriptor, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise StoreUnavailable(f"{path} cannot be read: {reason.strerror}", hint=_NOT_OURS) from None


def replace_private(path: Path, content: bytes) -> None:
    """Write a private file so that a reader sees the old content or the new, and a crash leaves one of them.

    Whoever writes holds a lock, so the temporary file has one name, and what a killed process left of it is
    written over.
    """
    temporary = path.with_name(f".{path.name}.next")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def check_writable(folder: Path) -> None:
    """Find out whether a file the size of a session can be written to a folder. Raises StoreUnavailable."""
    trial = folder / f".trial.{os.getpid()}"
    try:
        descriptor = open_private(trial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            with open(descriptor, "wb") as file:
                file.write(bytes(_TRIAL))
                file.flush()
                os.fsync(file.fileno())
        finally:
            trial.unlink()
    except OSError as reason:
        raise StoreUnavailable(
            f"{folder} cannot be written to: {reason.strerror}",
            hint="make room there, or set TOKENCTL_STATE_DIR to a folder of your own on a disk that can be written",
        ) from None


_TRIAL = 16 * 1024


def sync_folder(folder: Path) -> None:
    """Make sure that what was renamed in a folder is on the disk."""
    if _POSIX:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
