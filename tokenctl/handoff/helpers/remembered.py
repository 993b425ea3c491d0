"""What the helpers remember in the state directory: a small file for each client, and a few for each profile.

No answer depends on it: what cannot be read is not known. The content is that of `again.Remembered`.
"""

import contextlib
import os
import time
from pathlib import Path

from tokenctl.adapters.private_files import ensure_private_folder
from tokenctl.errors import TokenctlError
from tokenctl.handoff.helpers import again
from tokenctl.runtime import Runtime
from tokenctl.storage import state_dir

_SWEPT = "swept"
"""The file whose time of change tells when the files of clients were looked through."""
_PAUSE = 600
"""Seconds between two such looks. A command such as kubectl is a client, and leaves a file at each call."""
_LONGEST = 86400
"""Seconds after which a client is not expected to ask again, even if it has not ended."""


def read(runtime: Runtime, name: str | None) -> again.Remembered | None:
    """Read what was remembered under the name; None when that is not known."""
    with contextlib.suppress(TokenctlError):
        return None if name is None else again.read(folder(runtime), name)
    return None


def write(runtime: Runtime, name: str, token: again.Remembered) -> None:
    """Remember a token, if that is possible. The folder is made when the first one is."""
    with contextlib.suppress(OSError, TokenctlError):
        path = folder(runtime)
        ensure_private_folder(Path(path))
        again.write(path, name, token)
        _sweep(path)


def folder(runtime: Runtime) -> str:
    """Return the folder of the helpers in the state directory. Raises TokenctlError."""
    return str(state_dir.state_home(runtime.environ) / again.FOLDER)


def _sweep(folder: str) -> None:
    """Remove the files of clients that do not ask again, if nobody did so lately. Raises OSError."""
    now, mark = time.time(), f"{folder}/{_SWEPT}"
    if os.path.lexists(mark) and 0 <= now - os.lstat(mark).st_mtime < _PAUSE:
        return
    Path(mark).touch(mode=0o600)
    for each in os.scandir(folder):
        if each.name.startswith("client."):
            with contextlib.suppress(FileNotFoundError):  # another process sweeps too
                age = now - each.stat(follow_symlinks=False).st_mtime
                if age > _LONGEST or (age > _PAUSE and _has_ended(each.name)):
                    os.unlink(each.path)


def _has_ended(name: str) -> bool:
    """Tell whether the process has ended whose id is in the name of a file; see `again.name_of`."""
    return not os.path.exists(f"/proc/{name.split('.')[1].partition('-')[0]}")
