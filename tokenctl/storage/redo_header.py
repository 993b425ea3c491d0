"""The first line of a redo log: its generation, in clear.

Each reader looks at this line, because the redo log stays beside the store as a mirror. Only when it is newer than
the store's entry, the file is unsealed, which needs a library that a fresh `token` does not load.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

from tokenctl.adapters.private_files import open_private
from tokenctl.errors import StoreDamaged, StoreUnavailable

_VERSION = 2
_WORD = b"tokenctl-redo"
_LONGEST = 100
"""Bytes of the first line, at most."""


class Header(NamedTuple):
    """What the first line says: the generation of the sealed session, and the machine that wrote it."""

    generation: int
    machine: str


def first_line(header: Header) -> bytes:
    """Write the first line, without its end."""
    return b"%s %d %d %s" % (_WORD, _VERSION, header.generation, header.machine.encode())


def read(path: Path) -> Header | None:
    """Read the first line of a redo log; None when there is no such file. Raises StoreDamaged or UsageError."""
    try:
        with open(open_private(path, os.O_RDONLY), "rb", buffering=0) as file:
            found = file.read(_LONGEST) or b""
            if found.startswith(b"{"):
                return _first_version(found + file.readall(), path)
    except FileNotFoundError:
        return None
    except OSError as reason:
        raise StoreUnavailable(f"{path} cannot be read: {reason.strerror}") from None
    return parse(found, path)


def parse(content: bytes, path: Path) -> Header:
    """Parse the first line of a redo log. Raises StoreDamaged; the message names `path`."""
    # No regular expression: to compile it would cost a fresh `token` more than all else here.
    line, end, _ = content[:_LONGEST].partition(b"\n")
    words = line.split(b" ")
    if not end or len(words) != 4 or words[0] != _WORD:
        raise damaged(path)
    _, version, generation, machine = words
    if not (version.isdigit() and generation.isdigit() and machine.isalnum()):
        raise damaged(path)
    if int(version) != _VERSION:
        raise StoreDamaged(f"{path} has version {int(version)}", hint="use the tokenctl that wrote it")
    return Header(int(generation), machine.decode())


def damaged(path: Path) -> StoreDamaged:
    """Make the error for a redo log that cannot be read. It is never removed, because it can be the only copy."""
    return StoreDamaged(
        f"{path} has a renewed session and is damaged",
        hint="nothing was changed; sign in again with 'tokenctl login', or move that file away to continue without it",
    )


def _first_version(content: bytes, path: Path) -> Header:
    """Read the generation of a redo log of version 1, which is one JSON document."""
    try:
        document = json.loads(content)
        if document["version"] == 1 and type(document["generation"]) is int:
            return Header(document["generation"], "")
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    raise damaged(path)
