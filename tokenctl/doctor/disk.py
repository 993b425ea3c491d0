"""The disk of the state directory: whether a renewed session can be written there."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.storage.redo_log import RESERVED

if sys.platform != "win32":
    import resource

LITTLE = 1024 * 1024
"""Bytes of free space below which it is said: a session, its journal and the event log need less, for days."""


def look(check: str, case: Case, home: Path) -> Iterator[Finding]:
    """Look at the disk of the state directory. A renewal that has no space for its answer sends nothing (exit 3)."""
    if sys.platform == "win32":
        return
    with suppress(OSError, StopIteration):
        folder = next(each for each in (home, *home.parents) if os.path.exists(each))
        found = os.statvfs(folder)
        free = found.f_frsize * (found.f_bavail if os.geteuid() else found.f_bfree)
        if found.f_flag & os.ST_RDONLY or not os.access(folder, os.W_OK | os.X_OK):
            yield _failure(check, case, f"{folder} cannot be written, so no session can be renewed", "make it writable")
        elif (found.f_blocks and free < RESERVED) or (found.f_files and not found.f_ffree):
            yield _failure(
                check, case, f"the disk of {folder} is full, so no session can be renewed", "free some space"
            )
        elif 0 <= resource.getrlimit(resource.RLIMIT_FSIZE)[0] < RESERVED:
            yield _failure(
                check, case, "no file of this process may be as large as a session needs", "raise the limit (ulimit -f)"
            )
        elif found.f_blocks and free < LITTLE:
            yield Finding(
                check=check,
                status="warning",
                sentence=f"the disk of {folder} has {free // 1024} KiB left",
                remedy="free some space",
            )


def _failure(check: str, case: Case, sentence: str, remedy: str) -> Finding:
    """Make the finding; as long as the token lives, it is a warning."""
    other = "set TOKENCTL_STATE_DIR to a folder of yours on another disk"
    if case.profile is not None and case.session is not None:  # another state directory renews it only when told to
        other += f" and run 'tokenctl refresh -p {case.profile.name}' at a terminal"
    return Finding(
        check=check,
        status="failed" if case.asks_server else "warning",
        sentence=sentence,
        remedy=f"{remedy}, or {other}",
        exit_status=3 if case.asks_server else 0,
    )
