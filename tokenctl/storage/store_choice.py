"""The store choice: which stores have a copy of the session, and which of them counts.

A login and `store migrate` write here first where the session is going to be, then write it there, and then write here
that it is there. So a run that is killed on the way leaves no session that no command finds. Earlier stores stay
listed until their copies are gone.

The file's name has the machine's id: machines that share a home directory have keyrings of their own. The file store
is in the folder itself, so every machine that shares the folder finds its session.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import StoreDamaged
from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.store import StoreChoice

VERSION = 2
FIRST_NAME = "store.json"
"""The name of the file of version 1, which has no machine id in it, and one store."""


class Choices(NamedTuple):
    """The stores of a session.

    `current` has the session. `coming` is where a login or `store migrate` writes it; a killed run leaves this mark.
    `earlier` can still have copies, which no longer count.
    """

    current: StoreChoice | None = None
    coming: StoreChoice | None = None
    earlier: tuple[StoreChoice, ...] = ()

    @property
    def listed(self) -> tuple[StoreChoice, ...]:
        """The stores in which the session can be, in the order in which to look for it."""
        return tuple(each for each in (self.current, self.coming) if each is not None)

    @property
    def all(self) -> tuple[StoreChoice, ...]:
        """Every store that can have a copy."""
        return (*self.listed, *self.earlier)

    def begun(self, choice: StoreChoice) -> "Choices":
        """Make the choices for a session that is going to be written to a store.

        Where there is no current store, the one that was coming can have a session, and is the current one.
        """
        current, left = next(iter(self.listed), None), self.listed[1:]
        return Choices(current, choice, _without(choice, (*left, *self.earlier)))

    def settled(self, choice: StoreChoice) -> "Choices":
        """Make the choices for a session that was written to a store."""
        return Choices(choice, None, _without(choice, self.all))

    def cleared(self, choice: StoreChoice) -> "Choices":
        """Make the choices when an earlier store has no copy any more."""
        return self._replace(earlier=_without(choice, self.earlier))


def read(folder: Path, machine: str) -> Choices:
    """Read the choices in a profile's folder; empty ones when nothing was stored yet. Raises StoreDamaged."""
    path = folder / f"store.{machine}.json"
    content = read_private(path)
    if content is not None:
        return _parse(content, path)
    path = folder / FIRST_NAME
    content = read_private(path)
    if content is not None:
        return _parse(content, path)
    for path in sorted(folder.glob("store.*.json")):  # of another machine, or of this one before it got another id
        found = _parse(read_private(path) or b"", path)
        if found.current is not None and found.current.kind == "file":
            return found
    return Choices()


def write(folder: Path, machine: str, choices: Choices) -> None:
    """Write the choices. Raises OSError."""
    stores = [
        *_members("current", choices.current),
        *_members("coming", choices.coming),
        *(member for each in choices.earlier for member in _members("earlier", each)),
    ]
    document = json.dumps({"version": VERSION, "stores": stores})
    replace_private(folder / f"store.{machine}.json", document.encode() + b"\n")
    (folder / FIRST_NAME).unlink(missing_ok=True)


def _without(choice: StoreChoice, others: tuple[StoreChoice, ...]) -> tuple[StoreChoice, ...]:
    return tuple(each for each in dict.fromkeys(others) if not each.means(choice))


def _members(use: str, choice: StoreChoice | None) -> list[dict[str, Any]]:
    if choice is None:
        return []
    return [{"use": use, "store": choice.kind, "backend": choice.backend, "collection": choice.collection}]


def _parse(content: bytes, path: Path) -> Choices:
    try:
        found = json.loads(content)
        if type(found["version"]) is int:
            if found["version"] == 1:
                return Choices(current=_choice(found))
            if found["version"] == VERSION:
                return _choices(found["stores"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        pass
    raise StoreDamaged(
        f"{path} does not say where the session is",
        hint="remove that file: tokenctl then uses the profile's store; the session itself is not changed",
    )


def _choices(stores: list[dict[str, Any]]) -> Choices:
    uses: dict[str, list[StoreChoice]] = {"current": [], "coming": [], "earlier": []}
    for each in stores:
        uses[each["use"]].append(_choice(each))
    if len(uses["current"]) > 1 or len(uses["coming"]) > 1:
        raise ValueError
    current, coming = (next(iter(uses[use]), None) for use in ("current", "coming"))
    return Choices(current, coming, tuple(uses["earlier"]))


def _choice(found: dict[str, Any]) -> StoreChoice:
    """Read one store. Raises ValueError, KeyError or TypeError."""
    kind, backend = found["store"], found["backend"]
    if kind not in LASTING_STORES or not isinstance(backend, str):
        raise ValueError
    collection = found.get("collection")
    if not isinstance(collection, str | None):
        raise TypeError
    return StoreChoice(kind, backend, collection)
