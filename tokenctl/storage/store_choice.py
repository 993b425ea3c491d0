"""The store choice: the store and the backend in which the profile's last login put the session.

A session is only read from that store. Only a login and `store migrate` change the choice. It has no secret.
"""

import json
from pathlib import Path

from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import StoreDamaged
from tokenctl.model.profile import LASTING_STORES
from tokenctl.model.store import StoreChoice

VERSION = 1


def read(folder: Path) -> StoreChoice | None:
    """Read the choice in a profile's folder; None when nothing was stored yet. Raises StoreDamaged."""
    content = read_private(folder / "store.json")
    if content is None:
        return None
    try:
        found = json.loads(content)
        if found["version"] == VERSION and found["store"] in LASTING_STORES and isinstance(found["backend"], str):
            collection = found.get("collection")
            return StoreChoice(found["store"], found["backend"], collection if isinstance(collection, str) else None)
    except (ValueError, RecursionError, KeyError, TypeError):
        pass
    raise StoreDamaged(
        f"{folder / 'store.json'} does not say where the session is",
        hint="remove that file: tokenctl then uses the profile's store; the session itself is not changed",
    )


def write(folder: Path, choice: StoreChoice) -> None:
    """Write the choice."""
    document = {"version": VERSION, "store": choice.kind, "backend": choice.backend, "collection": choice.collection}
    replace_private(folder / "store.json", json.dumps(document).encode() + b"\n")
