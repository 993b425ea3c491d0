"""What killed runs left: temporary files in the profile's folder, and folders with a token."""

import shlex
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.handoff import token_folder
from tokenctl.storage.lock_holders import holders

OLD = 60
"""Seconds after which a file that a renewal writes and renames is a leftover: a renewal takes less."""


def look(check: str, case: Case, folder: Path | None) -> Iterator[Finding]:
    """Look for both. `folder` is that of the profile in use."""
    if folder is not None:
        yield from _files(check, folder)
    yield from _token_folders(check, case)


def _files(check: str, folder: Path) -> Iterator[Finding]:
    files = [each for each in _temporary(folder) if _is_old(each)]
    if files and not holders(folder / "lock"):
        yield Finding(
            check=check,
            status="warning",
            sentence=f"a run that was killed left {_listed(files)}; no command needs it",
            remedy=f"rm {_quoted(files)}   (the next login removes it too)",
        )


def _token_folders(check: str, case: Case) -> Iterator[Finding]:
    folders = [each for each in token_folder.folders(case.runtime.environ) if holders(each) == []]
    if folders:
        yield Finding(
            check=check,
            status="warning",
            sentence=f"a run that was killed left {_listed(folders)}, with a token that may still live",
            remedy=f"rm -r {_quoted(folders)}   (the next 'tokenctl exec --token-file' removes it too)",
        )


def _temporary(folder: Path) -> list[Path]:
    return sorted([*folder.glob(".*.next"), *folder.glob("redo.next"), *folder.glob(".trial.*")])


def _is_old(path: Path) -> bool:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > OLD
    return False


def _listed(paths: list[Path]) -> str:
    return ", ".join(map(str, paths))


def _quoted(paths: list[Path]) -> str:
    return " ".join(shlex.quote(str(each)) for each in paths)
