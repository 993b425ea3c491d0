"""A private folder for the secret of one run, such as a token file: removed at its end, or by the next run if it is killed.

The run locks its folder. The kernel gives the lock back however the run ends, so a folder that is not locked has no
run any more. A process id could not tell: it is used again, and another container in the same /tmp has its own ids.
Windows has no such lock; a folder that a killed run left stays there.
"""

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokenctl.adapters.private_files import make_private_folder
from tokenctl.errors import TokenctlError

if sys.platform != "win32":
    import fcntl

PREFIX = "tokenctl-token-"
"""The beginning of the folders' names."""
UNFINISHED = f".{PREFIX}"
"""The beginning of a folder's name until it is locked, which takes less than a millisecond."""
_LONG_AGO = 60
"""Seconds after which a folder that is still unfinished is a leftover."""


@contextlib.contextmanager
def token_folder(environ: Mapping[str, str], what: str = "the token file") -> Iterator[Path]:
    """Make a private folder for the block, and remove it afterwards with all that is in it. `what` is for the error.

    Also removes the folders that killed runs left. Raises TokenctlError when no folder can be made.
    """
    parents = _parents(environ)
    for parent in parents:
        remove_leftovers(parent)
    try:
        folder, lock = _make(parents[0])
    except OSError as reason:
        raise cannot_write(parents[0], reason, what) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def cannot_write(folder: Path, reason: OSError, what: str = "the token file") -> TokenctlError:
    """Make the error for a file that cannot be written."""
    return TokenctlError(
        f"{what} cannot be written in {folder}: {reason.strerror}",
        hint="free some space there, or set XDG_RUNTIME_DIR to a folder of yours",
    )


def folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """List the folders of all runs of this user, also of those that have ended."""
    if sys.platform == "win32":
        return
    # All folders in which one can be: to find the one where a new one would be made, Python writes a file into it.
    named = [environ.get(each, "") for each in ("XDG_RUNTIME_DIR", "TMPDIR", "TEMP", "TMP")]
    for parent in dict.fromkeys([*filter(os.path.isabs, named), "/tmp", "/var/tmp"]):  # noqa: S108 (only read)
        with contextlib.suppress(OSError), os.scandir(parent) as found:
            for entry in found:
                if (
                    entry.name.startswith((PREFIX, UNFINISHED))
                    and entry.stat(follow_symlinks=False).st_uid == os.geteuid()
                ):
                    yield Path(entry.path)


def _parents(environ: Mapping[str, str]) -> list[Path]:
    """List the folders where token folders are; the first one gets a new one.

    It is the user's runtime folder, which is in memory, or else the system's temporary folder.
    """
    folder = environ.get("XDG_RUNTIME_DIR", "")
    usable = os.path.isabs(folder) and os.access(folder, os.W_OK)
    return [*([Path(folder)] if usable else []), Path(tempfile.gettempdir())]


def _make(parent: Path) -> tuple[Path, int | None]:
    """Make a folder, and lock it; None means that there are no locks here. Raises OSError."""
    name = secrets.token_hex(8)
    unfinished, folder = parent / f"{UNFINISHED}{name}", parent / f"{PREFIX}{name}"
    make_private_folder(unfinished)
    lock = None
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # no locks: there nobody can lock it, and so nobody removes it
            lock = _locked(unfinished)
    # It gets its name when it is locked: a folder of this name without a lock is a leftover at any time.
    return unfinished.rename(folder), lock


def remove_leftovers(parent: Path) -> None:
    """Remove the token folders of runs that have ended. What cannot be removed stays."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(parent) as found:
        for entry in found:
            with contextlib.suppress(OSError):
                old = entry.name.startswith(UNFINISHED) and time.time() - entry.stat().st_mtime > _LONG_AGO
                if old or entry.name.startswith(PREFIX):
                    _remove_unless_locked(Path(entry.path))


def _remove_unless_locked(folder: Path) -> None:
    lock = _locked(folder)
    try:
        found = os.fstat(lock)
        if found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _locked(folder: Path) -> int:
    """Open a folder and lock it, for its descriptor. Raises BlockingIOError when it is locked, or OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
