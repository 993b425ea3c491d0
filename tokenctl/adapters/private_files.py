"""Private files: mode 0600, opened without following links, replaced whole. A file of another user is refused."""

import contextlib
import errno
import os
import stat
import time
from pathlib import Path

from tokenctl.errors import StoreUnavailable, UsageError

_POSIX = os.name == "posix"


def open_private(path: Path, flags: int) -> int:
    """Open a file without following links, and return the descriptor. A new file gets mode 0600.

    Raises UsageError when it is a link or a device, belongs to another user, is open to others, or has a second
    hard link. Raises OSError as `os.open` does.
    """
    try:
        descriptor = os.open(path, flags | _NOFOLLOW, 0o600)
    except OSError as reason:
        if reason.errno not in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise
        raise UsageError(f"{path} cannot be opened: {reason.strerror}", hint=_hint(path)) from None
    found = os.fstat(descriptor)
    if _POSIX and flags & os.O_CREAT and found.st_uid == os.geteuid() and found.st_mode & 0o600 != 0o600:
        os.fchmod(descriptor, 0o600)  # the umask took away a right of the owner
        found = os.fstat(descriptor)
    foreign = _POSIX and (found.st_uid != os.geteuid() or found.st_mode & 0o077)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or foreign:
        os.close(descriptor)
        raise UsageError(f"{path} is not a private file of yours", hint=_hint(path))
    return descriptor


# O_NONBLOCK: without it, opening a FIFO would wait for ever.
_NOFOLLOW = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


def _hint(path: Path) -> str:
    return f"if it is a plain file of yours: chmod 600 {path}; else move it away"


def ensure_private_folder(folder: Path) -> None:
    """Make a folder and its missing parents, each of mode 0700 whatever the umask. Raises OSError.

    `Path.mkdir` gives parents the mode that the umask leaves, which can be open to others.
    """
    if not folder.parent.exists():
        ensure_private_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        make_private_folder(folder)


def make_private_folder(folder: Path) -> None:
    """Make a new folder of mode 0700, whatever the umask. Raises FileExistsError, or another OSError."""
    folder.mkdir(mode=0o700)
    if _POSIX and folder.lstat().st_mode & 0o777 != 0o700:  # the umask took away a right of the owner
        folder.chmod(0o700)


def read_private(path: Path) -> bytes | None:
    """Read a private file whole; None when there is none. Raises UsageError or StoreUnavailable."""
    try:
        descriptor = open_private(path, os.O_RDONLY)
        with open(descriptor, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise StoreUnavailable(f"{path} cannot be read: {reason.strerror}", hint=_hint(path)) from None


def replace_private(path: Path, content: bytes) -> None:
    """Replace a private file atomically: a reader sees the old content or the new, also after a crash.

    The writer must hold a lock, because the temporary file has a fixed name. A temporary file that a killed process
    left is overwritten. Raises UsageError as `open_private` does, or OSError.
    """
    _replace(path, content, path.with_name(f".{path.name}.next"), os.O_TRUNC)
    sync_folder(path.parent)


def replace_unlocked(path: Path, content: bytes) -> None:
    """Replace a file by a private one atomically, in a folder that need not be ours. Several writers need no lock.

    A temporary file that a killed process left is removed after a minute. Raises UsageError or OSError.
    """
    _remove_leftovers(path.parent)
    _replace(path, content, path.with_name(f"{_UNFINISHED}{os.urandom(8).hex()}"), os.O_EXCL)


_UNFINISHED = ".tokenctl-unfinished-"
_LONG_AGO = 60
"""Seconds after which a temporary file is a leftover; to write one takes milliseconds."""


def _remove_leftovers(folder: Path) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            with contextlib.suppress(OSError):
                unfinished = entry.name.startswith(_UNFINISHED)
                if unfinished and time.time() - entry.stat(follow_symlinks=False).st_mtime > _LONG_AGO:
                    os.unlink(entry)


def _replace(path: Path, content: bytes, temporary: Path, flag: int) -> None:
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | flag)
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


def check_writable(folder: Path) -> None:
    """Check that a file of a session's size can be written to a folder. Raises StoreUnavailable."""
    trial = folder / f".trial.{os.getpid()}"
    try:
        descriptor = open_private(trial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        if _POSIX:
            trial.unlink()  # now, so that a killed process leaves nothing: the open file needs no name
        try:
            with open(descriptor, "wb") as file:
                file.write(bytes(_TRIAL))
                file.flush()
                os.fsync(file.fileno())
        finally:
            if not _POSIX:
                trial.unlink()
    except OSError as reason:
        raise StoreUnavailable(
            f"{folder} cannot be written to: {reason.strerror}",
            hint="free some space there, or set TOKENCTL_STATE_DIR to a folder of yours on a writable disk",
        ) from None


_TRIAL = 16 * 1024


def sync_folder(folder: Path) -> None:
    """Make sure that the renames in a folder are on the disk."""
    if _POSIX:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
