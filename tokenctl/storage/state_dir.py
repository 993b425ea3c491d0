"""The state directory: one private folder a profile, for its lock and what belongs beside it.

Who reaches the same keyring must meet the same lock, so the path depends on the user alone, not on
HOME or XDG; `TOKENCTL_STATE_DIR` moves everything (tests, containers). Folders are 0700, files
0600, opened without following links; whatever somebody else could have put there is refused.
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from tokenctl.errors import StoreUnavailable, UsageError

if sys.platform != "win32":
    import pwd

_POSIX = os.name == "posix"


def state_home(environ: Mapping[str, str]) -> Path:
    """Say where all profiles' state lives. Raises UsageError for a relative `TOKENCTL_STATE_DIR`."""
    named = environ.get("TOKENCTL_STATE_DIR")
    if named:
        if not os.path.isabs(named):
            raise UsageError("TOKENCTL_STATE_DIR must be an absolute path")
        return Path(named)
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tokenctl"
    try:
        user_home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise UsageError(
            f"user {os.geteuid()} is not in this machine's user database, so there is no place for its state",
            hint="set TOKENCTL_STATE_DIR to a folder of your own",
        ) from None
    if sys.platform == "darwin":
        return user_home / "Library" / "Application Support" / "tokenctl" / "state"
    return user_home / ".local" / "state" / "tokenctl"


def profile_dir(environ: Mapping[str, str], profile: str) -> Path:
    """Make sure of the profile's private folder, and return it. Raises UsageError."""
    base = state_home(environ)
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        for folder in (base, base / profile):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            _check_folder(folder)
    except OSError as reason:
        raise UsageError(
            f"the state directory {base} cannot be used: {reason.strerror}",
            hint="tokenctl keeps its locks there; set TOKENCTL_STATE_DIR to a folder of your own",
        ) from None
    return base / profile


def _check_folder(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{folder} is not a folder (or is a link to one)", hint="remove it; tokenctl makes its own")
    if _POSIX and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
        raise UsageError(
            f"{folder} belongs to another user, or others may write to it",
            hint=f"if it is yours: chmod 700 {folder}",
        )


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
