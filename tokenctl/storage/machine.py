"""What tells a machine and its state directory from others that share a keyring or a home directory.

A session is renewed under the lock of one state directory. Where a second one uses the same keyring (a container, or
another `TOKENCTL_STATE_DIR`), its lock is another one, and both would present the same refresh token. So the session
names the state directory that renews it.
"""

import binascii
import contextlib
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tokenctl.adapters.private_files import open_private
from tokenctl.model.session import Session

_MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id", "/etc/hostid")
_ID_FILE = ".id"
"""The file whose inode and time of creation are the state directory's id. No profile has such a name."""


class StateDir(NamedTuple):
    """A state directory: its id, its path, and the machine on which the path means this directory."""

    id: str
    path: str
    machine: str


@cache
def machine_id() -> str:
    """Return this machine's id: hex digits, the same after a restart. It is "0" where the system has none."""
    for name in _MACHINE_ID_FILES:
        with contextlib.suppress(OSError), open(name, "rb", buffering=0) as file:
            found = (file.read(100) or b"").strip()
            if found:  # in a container's image the file can be empty
                return f"{binascii.crc32(found):08x}"
    return "0"


def state_dir(base: Path) -> StateDir:
    """Describe the state directory at a path. Makes its id when it has none. Raises OSError or UsageError."""
    return StateDir(_read_id(base, os.O_RDONLY | os.O_CREAT), str(base), _where())


def known_state_dir(base: Path) -> StateDir:
    """Do what `state_dir` does, and make nothing: the id is empty where there is none. Raises OSError or UsageError."""
    try:
        return StateDir(_read_id(base, os.O_RDONLY), str(base), _where())
    except FileNotFoundError:
        return StateDir("", str(base), _where())


def _read_id(base: Path, flags: int) -> str:
    descriptor = open_private(base / _ID_FILE, flags)
    try:
        return _id(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def renews(here: StateDir, session: Session) -> bool:
    """Tell whether this state directory may renew the session.

    It may when the session names it, or names none, or names one that was on this machine and is no longer there. A
    copy of a state directory is another one: its files have other inodes.
    """
    if session.state_id is None or session.state_path is None:
        return True
    if session.state_id == here.id:
        return True
    return session.state_machine == here.machine and _is_gone(session.state_path, session.state_id)


def _is_gone(path: str, state_id: str) -> bool:
    """Tell whether the state directory with this id is surely no longer at the path."""
    try:
        return _id(os.stat(os.path.join(path, _ID_FILE))) != state_id
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it cannot be looked at
        return False


def _id(found: os.stat_result) -> str:
    return f"{found.st_ino:x}.{found.st_mtime_ns:x}"


def _where() -> str:
    """Return the machine's id and the identity of its root directory: a container has a root of its own."""
    root = os.stat("/")
    return f"{machine_id()}.{root.st_dev:x}.{root.st_ino:x}"
