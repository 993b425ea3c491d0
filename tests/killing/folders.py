"""Folders that refuse: a small tmpfs, full or read-only, for tests that run as root on Linux."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kib: int = 256) -> Iterator[Path]:
    """Mount a tmpfs of that size at a folder; where that is not permitted the test is skipped, or in CI as root fails."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    folder.mkdir()
    done = _mount("-t", "tmpfs", "-o", f"size={kib}k,mode=0755", "tmpfs", str(folder))
    if done.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, left: int = 0) -> Path:
    """Fill a disk up to its last byte, then give `left` bytes back; the file that fills it."""
    ballast = disk / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as reason:
                if reason.errno != errno.ENOSPC:
                    raise
        if left:
            file.truncate(file.tell() - left)
    return ballast


def remount(disk: Path, how: str) -> None:
    """Remount a small disk `ro` or `rw`."""
    done = _mount("-o", f"remount,{how}", str(disk))
    assert done.returncode == 0, done.stderr


def _mount(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
