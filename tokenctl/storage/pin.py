"""The pin: which store and which backend a profile's session was put into at login.

A session is looked for where it was put and nowhere else; the choice changes at the next login and
never silently. No secret is in it.
"""

import json
from pathlib import Path
from typing import NamedTuple

from tokenctl.errors import StoreDamaged
from tokenctl.storage.state_dir import read_private, replace_private

VERSION = 1


class Pin(NamedTuple):
    """The kind of store (`keyring`, `session`, `file`), and the class that keeps the entry."""

    store: str
    backend: str


def read(folder: Path) -> Pin | None:
    """Read the pin in a profile's folder; None when nothing was stored yet. Raises StoreDamaged."""
    content = read_private(folder / "store.json")
    if content is None:
        return None
    try:
        found = json.loads(content)
        if (
            found["version"] == VERSION
            and found["store"] in ("keyring", "session", "file")
            and isinstance(found["backend"], str)
        ):
            return Pin(found["store"], found["backend"])
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    raise StoreDamaged(
        f"{folder / 'store.json'} does not say where the session is",
        hint="remove that file: tokenctl then looks where the profile says; the session itself is not touched",
    )


def write(folder: Path, pin: Pin) -> None:
    """Write the pin."""
    replace_private(folder / "store.json", json.dumps({"version": VERSION, **pin._asdict()}).encode() + b"\n")


def remove(folder: Path) -> None:
    """Forget the pin, when the session is gone."""
    (folder / "store.json").unlink(missing_ok=True)
