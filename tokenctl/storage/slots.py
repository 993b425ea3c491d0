"""Slots: a document in numbered pieces, for a keyring whose entries have a size limit.

The pieces of the next set are written and read back first; then the entry itself becomes a manifest that
names them. That one write is the switch: whatever fails before it leaves the old document whole, whatever
fails after it the new one. Two sets take turns, so whatever a failure leaves behind is always found again:
a keyring cannot be asked what it holds. Each slot has a service of its own, because Windows moves entries
of one service about.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

LIMITS = {"keyring.backends.Windows.WinVaultKeyring": 1280}
"""Characters an entry may have, by the backend's class: 2,560 bytes in UTF-16. Others say it as `entry_limit`."""
SETS = (1, 2)
"""The sets that take turns."""
_MARK = "tokenctl_slots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What stands in the entry in the document's place."""

    set: int
    count: int
    sha256: str


def limit_of(ring: object) -> int | None:
    """Ask a backend how many characters an entry may have; None: as many as one likes."""
    known = LIMITS.get(f"{type(ring).__module__}.{type(ring).__qualname__}")
    asked = getattr(ring, "entry_limit", None)
    return known or (asked if isinstance(asked, int) and asked > 0 else None)


def fits(document: str, limit: int | None) -> bool:
    """Tell whether the document fits into one entry; a character outside the first plane counts twice."""
    return limit is None or _units(document) <= limit


def pieces(document: str, limit: int) -> list[str]:
    """Cut a document into pieces that fit."""
    found, piece, room = [], "", limit
    for character in document:
        if _units(character) > room:
            found.append(piece)
            piece, room = "", limit
        piece += character
        room -= _units(character)
    return [*found, piece]


def next_set(manifest: Manifest | None) -> int:
    """Choose the set that the next document goes into: not the one that the manifest names."""
    return SETS[1] if manifest is not None and manifest.set == SETS[0] else SETS[0]


def manifest_of(document: str, number: int, count: int) -> str:
    """Write the manifest of a document that lies in set `number`."""
    return json.dumps({_MARK: number, "count": count, "sha256": _digest(document)})


def manifest_in(entry: str | None) -> Manifest | None:
    """Read an entry as a manifest; None when it is the document itself."""
    try:
        found = json.loads(entry or "")
        manifest = Manifest(set=found[_MARK], count=found["count"], sha256=found["sha256"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return manifest if (type(manifest.set), type(manifest.count)) == (int, int) else None


def joined(manifest: Manifest, found: Sequence[str | None]) -> str | None:
    """Put the pieces together; None when one is missing or of another document."""
    document = "".join(piece or "" for piece in found)
    return document if _digest(document) == manifest.sha256 else None


def slot(service: str, username: str, number: int, index: int) -> str:
    """Name the service of a slot, such as `tokenctl:work:session.1.0`."""
    return f"{service}:{username}.{number}.{index}"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()
