"""Files of the person that editors and other programs change too: read whole, and replaced only if nobody changed them.

An editor knows no lock. So a file is compared with what was read just before it is replaced.
"""

import contextlib
import os
import stat
import tempfile
import time
from pathlib import Path

from tokenctl.adapters.private_files import ensure_private_folder, sync_folder
from tokenctl.errors import UsageError

_ABANDONED = 3600
"""Seconds after which a temporary file is one that a killed run left."""


def real_path(path: Path) -> Path:
    """Return the path of the file itself: replacing a link into a repository of dotfiles would detach it."""
    return Path(os.path.realpath(path))


def read(path: Path, hint: str) -> bytes | None:
    """Read a file; None when there is none. Raises UsageError, also for a device or a pipe: it must not be replaced."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} cannot be changed: it is not an ordinary file", hint=hint)
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise UsageError(f"{path} cannot be read: {reason.strerror}", hint=hint) from None


def replace(path: Path, before: bytes | None, content: bytes | None) -> bool:
    """Replace the file if it still has the content `before`; tell whether it had. None means that there is no file.

    It keeps its mode; a new one gets 0600, in folders of 0700. Raises OSError, and UsageError as `read` does.
    """
    if content is None:
        if read(path, "") != before:
            return False
        path.unlink(missing_ok=True)
    else:
        ensure_private_folder(path.parent)
        _remove_abandoned(path)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".next", dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if read(path, "") != before:
                return False
            _as_before(path, temporary)
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(FileNotFoundError):  # it has the file's name now
                os.unlink(temporary)
    sync_folder(path.parent)
    return True


def _as_before(path: Path, temporary: str) -> None:
    """Give the new file the group and the mode of the one that it replaces, whatever the umask; else the mode 0600."""
    try:
        found = path.stat()
    except FileNotFoundError:
        os.chmod(temporary, 0o600)
        return
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):  # a group of which the person is no member any more
            os.chown(temporary, -1, found.st_gid)
    os.chmod(temporary, found.st_mode & 0o777)


def _remove_abandoned(path: Path) -> None:
    for each in path.parent.glob(f".{path.name}.*.next"):
        with contextlib.suppress(OSError):
            if each.stat().st_mtime < time.time() - _ABANDONED:
                each.unlink()
