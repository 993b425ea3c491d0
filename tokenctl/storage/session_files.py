"""The files beside the store that have a session's id in their names: redo logs and journals.

Version 1 had one of each in a profile's folder, named by its kind alone.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tokenctl.model.session import Session

REDO_LOG, JOURNAL = "redo", "journal"
"""The kinds: what the files' names begin with."""


def path_of(folder: Path, kind: str, session: Session) -> Path:
    """Return the path of the session's file of this kind; that of version 1 where there is no other."""
    path, first = folder / f"{kind}.{session.id}", folder / kind
    return first if session.version == 1 and not os.path.lexists(path) and os.path.lexists(first) else path


def rename_first(folder: Path, kind: str, session: Session) -> None:
    """Under the lock: give a file of version 1 the name that it has today. Raises nothing."""
    path = path_of(folder, kind, session)
    if path.name == kind:
        with contextlib.suppress(OSError):
            path.rename(folder / f"{kind}.{session.id}")


def others(folder: Path, kind: str, session: Session | None) -> Iterator[Path]:
    """List the files of this kind, except the session's and the reserved space."""
    kept = {f"{kind}.next", "" if session is None else f"{kind}.{session.id}"}
    for path in [folder / kind, *folder.glob(f"{kind}.*")]:
        if path.name not in kept:
            yield path


def remove(path: Path) -> None:
    """Remove a file. Raises nothing."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
