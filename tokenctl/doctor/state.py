"""Check: the state directory: whose it is, who can read it, and what killed runs left in it."""

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tokenctl.doctor import disk, leftovers
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import UsageError
from tokenctl.storage.event_log import FOLDER
from tokenctl.storage.state_dir import state_home

NAME = "state"
OPENED = ("lock", "redo.next")
"""The files that each renewal opens. It ends with 2 when one of them is not private."""


def look(case: Case) -> Iterator[Finding]:
    """Look at the directory, and at the folder of the profile in use."""
    problem = case.failed_at("state")
    if problem is not None:
        yield finding_of(NAME, problem)
        return
    try:
        home = state_home(case.runtime.environ)
    except UsageError as error:  # no profile was found before, so `token` does not come to this
        yield finding_of(NAME, error, counts=False)
        return
    folder = None if case.vault is None else home / case.vault.profile.name
    yield _where(home)
    yield from disk.look(NAME, case, home)
    for each in _existing(home, home / FOLDER, folder):
        yield from _not_private(case, each)
    yield from leftovers.look(NAME, case, folder)


def _where(home: Path) -> Finding:
    if not os.path.isdir(home):
        return Finding(check=NAME, status="ok", sentence=f"{home} is not there yet; the first login makes it")
    found = home.stat()
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    return Finding(
        check=NAME,
        status="ok",
        sentence=f"the state directory is {home}, with mode {mode}",
        more={"path": str(home), "mode": mode, "owner": found.st_uid},
    )


def _existing(home: Path, *folders: Path | None) -> Iterator[Path]:
    """List the state directory, these folders in it, and their files."""
    yield from (each for each in [home] if os.path.isdir(each))
    for folder in folders:
        with suppress(OSError):
            if folder is not None and os.path.isdir(folder):
                yield from (folder, *sorted(folder.iterdir()))


def _not_private(case: Case, path: Path) -> Iterator[Finding]:
    """Find out whether a file is one that no command opens: others can read it, or it is no plain file of this user."""
    flaw = _flaw(path) if os.name == "posix" else None
    if flaw is not None:
        counts = case.asks_server and path.name in OPENED
        yield finding_of(NAME, flaw, counts=counts)


def _flaw(path: Path) -> UsageError | None:
    found = path.lstat()
    is_folder = stat.S_ISDIR(found.st_mode) and path.name not in OPENED
    if not is_folder and not (stat.S_ISREG(found.st_mode) and found.st_nlink == 1):
        return UsageError(f"{path} is a link, or is no plain file: no command opens it", hint="move it away")
    if found.st_uid != os.geteuid():
        hint = _OWNER if is_folder else "move it away"
        return UsageError(f"{path} belongs to user {found.st_uid}, and you are user {os.geteuid()}", hint=hint)
    if found.st_mode & 0o077:
        chmod = f"chmod {'700' if is_folder else '600'} {shlex.quote(str(path))}"
        return UsageError(f"other users have rights to {path}", hint=chmod)
    return None


_OWNER = "run tokenctl as that user, or set TOKENCTL_STATE_DIR to a folder of yours"
