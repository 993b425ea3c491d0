"""The sudden death of this process, as far as the disk can see it: from one change on, nothing is changed any more."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.truncate": 0}
"""Audit event -> which of its arguments is the path that changes."""


class Killed(BaseException):
    """The process died here."""


class _Death:
    """Counts the changes below a folder; from the last one on, each raises Killed."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.left = 0
        self.listens = False

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Be told of an audit event, before it takes place."""
        if self.folder is None:
            return
        if event == "open":
            path = arguments[0] if arguments[2] & _WRITING else None
        else:
            path = arguments[_CHANGES[event]] if event in _CHANGES else None
        if isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(self.folder):
            self.left -= 1
            if self.left <= 0:
                raise Killed


_death = _Death()


@contextmanager
def dying_at(change: int, folder: Path) -> Iterator[None]:
    """Let the block die just before that change below the folder: it raises Killed, and changes nothing after that."""
    if not _death.listens:
        sys.addaudithook(_death.heard)  # there is no way to remove one
        _death.listens = True
    _death.folder, _death.left = str(folder), change
    try:
        yield
    finally:
        _death.folder = None
