"""What can become of a file: damages and disguises, and how to tell that nobody touched it since."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

NOBODY = 65534
ROOT = os.name == "posix" and os.geteuid() == 0


REDO_LOG = "tokenctl-redo 2 "


def newer(path: Path) -> None:
    text = path.read_text()
    if text.startswith(REDO_LOG):
        path.write_text(text.replace(REDO_LOG, "tokenctl-redo 99 ", 1))
        return
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))


def without_version(path: Path) -> None:
    text = path.read_text()
    if text.startswith(REDO_LOG):
        path.write_text(text.replace(REDO_LOG, "tokenctl-redo ", 1))
        return
    path.write_text(
        json.dumps({name: value for name, value in json.loads(path.read_text()).items() if name != "version"})
    )


def one_character(path: Path) -> None:
    """Change one character in the middle: in the redo log that is in the sealed text."""
    text = path.read_text()
    middle = len(text) // 2
    path.write_text(text[:middle] + ("A" if text[middle] != "A" else "B") + text[middle + 1 :])


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def second_name(path: Path) -> None:
    path.with_name("elsewhere").hardlink_to(path)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


Damage = Callable[[Path], object]

DAMAGE: dict[str, Damage] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "empty": lambda path: path.write_bytes(b""),
    "garbled": lambda path: path.write_bytes(b"\x00\xff garbage \xfe" * 50),
    "nested": lambda path: path.write_text("[" * 100_000),
    "a string": lambda path: path.write_text('"a string"'),
    "newer": newer,
    "without version": without_version,
}
"""What makes a file unreadable: exit 3."""
DISGUISE: dict[str, Damage] = {
    "a link": link,
    "two names": second_name,
    "a dangling link": dangling,
    "a FIFO": fifo,
    "a folder": folder,
    "world-readable": lambda path: path.chmod(0o644),
    "group-writable": lambda path: path.chmod(0o620),
    **({"somebody else's": lambda path: os.chown(path, NOBODY, NOBODY)} if ROOT else {}),
}
"""What makes a file one that somebody else could have put there: exit 2."""


def seen(path: Path) -> tuple[object, ...]:
    """Tell all that could be changed of a file."""
    found = path.lstat()
    what = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found.st_mode, found.st_ino, found.st_uid, found.st_mtime_ns, found.st_nlink, what


def put_back(path: Path, content: bytes) -> None:
    """Make the file what it was."""
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    path.with_name("elsewhere").unlink(missing_ok=True)
    path.touch(0o600)
    path.write_bytes(content)
