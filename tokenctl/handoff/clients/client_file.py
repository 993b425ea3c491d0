"""The configuration file of a client: its text as it is, and whether we may change it."""

import os
import stat
from pathlib import Path

from tokenctl.adapters import edited_files
from tokenctl.handoff.clients.wanted import Unreadable

_BY_HAND = "'tokenctl helper install ... --dry-run' shows what to write there by hand"


def read(path: Path) -> str | None:
    """Read the text; every byte survives in it, also those that are not UTF-8. None when there is no file.

    Raises UsageError.
    """
    content = edited_files.read(path, "name an ordinary file that you can read with --config-file")
    return None if content is None else content.decode(errors="surrogateescape")


def check(path: Path) -> None:
    """Check that the person wants the file changed: it, or the folder where it will be, is theirs and can be written.

    Raises Unreadable. Programs could replace a read-only file; who made it so has a reason, such as another program
    that writes it.
    """
    there = path if path.exists() else next(each for each in path.parents if each.exists())
    found = there.stat()
    if hasattr(os, "geteuid") and found.st_uid != os.geteuid() and there == path:
        raise Unreadable(f"{path} is not changed: it belongs to user {found.st_uid}", hint=_BY_HAND)
    if there == path and found.st_nlink > 1:
        raise Unreadable(f"{path} is not changed: it has a second name (a hard link)", hint=_BY_HAND)
    if there == path and not found.st_mode & stat.S_IWUSR:
        raise Unreadable(f"{path} is not changed: it is read-only", hint=_BY_HAND)
    folder = there if there != path else path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise Unreadable(f"{path} cannot be changed: no permission to write in {folder}", hint=_BY_HAND)


def replace(path: Path, before: str | None, after: str | None) -> bool:
    """Replace the file if it still is what was read; tell whether it was. None means no file. Raises OSError."""
    return before == after or edited_files.replace(path, _content(before), _content(after))


def _content(text: str | None) -> bytes | None:
    return None if text is None else text.encode(errors="surrogateescape")
