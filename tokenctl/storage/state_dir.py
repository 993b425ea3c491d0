"""The state directory: each profile has a private folder in it, for its lock, redo log and journal.

Two processes that use the same keyring must use the same lock. So the path depends on the user, and not on HOME or
XDG variables. `TOKENCTL_STATE_DIR` moves the whole directory (tests, containers). Folders have mode 0700. A folder
that others can write to is refused.
"""

import errno
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from tokenctl.adapters.private_files import ensure_private_folder
from tokenctl.errors import UsageError, explained_on

if sys.platform != "win32":
    import pwd

DUE = ".audit-due"
"""The file in the state directory that tells the next command at a terminal to look for a new anomaly.

It is not in the folder of the event log: so the fast way has no answer, and the ordinary way finds it. Who
looks removes it first: an event that is written meanwhile makes it again.
"""

_POSIX = os.name == "posix"


@explained_on("troubleshooting")
def state_home(environ: Mapping[str, str]) -> Path:
    """Return the state directory. Raises UsageError for an empty or relative `TOKENCTL_STATE_DIR`, or an unknown user."""
    named = environ.get("TOKENCTL_STATE_DIR")
    if named is not None:
        if not os.path.isabs(named):
            raise UsageError("TOKENCTL_STATE_DIR must be an absolute path")
        return Path(named)
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tokenctl"
    try:
        user_home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise UsageError(
            f"user {os.geteuid()} is not in this machine's user database, so its state directory is unknown",
            hint="set TOKENCTL_STATE_DIR to a folder of yours",
        ) from None
    if sys.platform == "darwin":
        return user_home / "Library" / "Application Support" / "tokenctl" / "state"
    return user_home / ".local" / "state" / "tokenctl"


@explained_on("troubleshooting")
def profile_dir(environ: Mapping[str, str], profile: str) -> Path:
    """Make the profile's private folder if it is absent, check it, and return it. Raises UsageError."""
    base = state_home(environ)
    try:
        for folder in (base, base / profile):
            if not os.path.lexists(folder):
                ensure_private_folder(folder)
            _check_folder(folder)
    except OSError as reason:
        raise _unusable(base, reason) from None
    return base / profile


@explained_on("troubleshooting")
def checked_dir(environ: Mapping[str, str], profile: str) -> Path:
    """Check the profile's private folder as `profile_dir` does, and make nothing. Returns it, also if it is absent.

    Raises UsageError, also when the folder is absent and cannot be made.
    """
    base = state_home(environ)
    try:
        for folder in (base, base / profile):
            if os.path.lexists(folder):
                _check_folder(folder)
            else:
                _check_makeable(folder)
    except OSError as reason:
        raise _unusable(base, reason) from None
    return base / profile


def _check_makeable(folder: Path) -> None:
    """Raise OSError when the folder surely cannot be made."""
    parent = next(each for each in folder.parents if os.path.exists(each))
    if not parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        read_only = _POSIX and bool(os.statvfs(parent).f_flag & os.ST_RDONLY)
        code = errno.EROFS if read_only else errno.EACCES
        raise OSError(code, os.strerror(code))


def _unusable(base: Path, reason: OSError) -> UsageError:
    return UsageError(
        f"the state directory {base} cannot be used: {reason.strerror}",
        hint="tokenctl keeps its locks there; set TOKENCTL_STATE_DIR to a folder of yours",
    )


def _check_folder(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError(
            f"{folder} is not a folder (or is a link to one)",
            hint="set TOKENCTL_STATE_DIR to a folder of yours, or move that away: tokenctl makes a new folder",
        )
    if _POSIX and found.st_uid != os.geteuid():
        raise UsageError(
            f"{folder} belongs to user {found.st_uid}, and you are user {os.geteuid()}",
            hint="run tokenctl as that user, or set TOKENCTL_STATE_DIR to a folder of yours",
        )
    if _POSIX and found.st_mode & 0o022:
        raise UsageError(f"others can write to {folder}", hint=f"chmod 700 {folder}")
