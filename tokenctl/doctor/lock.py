"""Check: can the profile's lock be taken? It is not taken here: the kernel tells who holds it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import Busy
from tokenctl.storage.lock import DEADLINE, not_seen_elsewhere
from tokenctl.storage.lock_holders import Holder, holders
from tokenctl.storage.mounts import local_locks_of
from tokenctl.storage.state_dir import state_home

NAME = "lock"


def look(case: Case) -> Iterator[Finding]:
    """Look at the file system of the lock, and at who holds it."""
    if case.vault is None or not case.vault.lasting:
        return
    path = state_home(case.runtime.environ) / case.vault.profile.name / "lock"
    system = _file_system(path)
    yield from _held(case, path, holders(path)) if system is None else on_shared(case, path, system)


def _file_system(path: Path) -> str | None:
    """Return the name of the lock's file system if other machines do not see its locks."""
    with suppress(OSError):
        existing = next(each for each in path.parents if os.path.exists(each))
        return local_locks_of(os.stat(existing).st_dev)
    return None


def on_shared(case: Case, path: Path, system: str) -> Iterator[Finding]:
    """Judge a lock that other machines do not see. Only a renewal needs it, and refuses it."""
    yield finding_of(NAME, not_seen_elsewhere(path, system), counts=case.asks_server)


def _held(case: Case, path: Path, found: Sequence[Holder] | None) -> Iterator[Finding]:
    if found is None:
        yield Finding(check=NAME, status="could not check", sentence="only Linux tells who holds a lock")
        return
    stopped = next((each.pid for each in found if each.stopped), None)
    if stopped is not None:
        error = Busy(
            f"process {stopped} holds {path}, and it is stopped: a command that must renew gives up after {DEADLINE:.0f} s",
            hint=f"kill -CONT {stopped}   (or end it: kill -KILL {stopped}; the lock ends with it)",
        )
        yield finding_of(NAME, error, counts=case.asks_server)
    elif found:
        yield Finding(check=NAME, status="ok", sentence=f"process {found[0].pid} renews the session at this moment")
    else:
        yield Finding(check=NAME, status="ok", sentence="nobody holds the lock")
