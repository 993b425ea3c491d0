"""Slots: a document in numbered pieces, for a keyring whose entries have a size limit.

First the pieces are written into the slots of the unused set and read back. Then the entry itself is replaced by a
manifest that names this set. This one write is the switch: a failure before it leaves the old document complete, a
failure after it the new one. There are only two sets, so leftover slots can always be found, although a keyring
cannot list its entries. Each slot has its own service, because Windows renames an entry when a second one with the
same service is written.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

LIMITS = {"keyring.backends.Windows.WinVaultKeyring": 1280}
"""Characters (UTF-16 code units; 2,560 bytes) of an entry, by the backend's class. A backend can have `entry_limit`."""
SETS = (1, 2)
"""The two sets: one is in use, the other is for the next document."""
_SET = "tokenctl_slots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the entry has instead of the document: the set, the number of slots, and the document's SHA-256."""

    set: int
    count: int
    sha256: str


def entry_limit(backend: object) -> int | None:
    """Return how many characters an entry of the backend can have; None for no limit."""
    known = LIMITS.get(f"{type(backend).__module__}.{type(backend).__qualname__}")
    own = getattr(backend, "entry_limit", None)
    return known or (own if isinstance(own, int) and own > 0 else None)


def fits(document: str, limit: int | None) -> bool:
    """Tell whether the document fits into one entry. A character above U+FFFF counts twice."""
    return limit is None or _units(document) <= limit


def pieces(document: str, limit: int) -> list[str]:
    """Cut a document into pieces that each fit into one entry."""
    found, piece, room = [], "", limit
    for character in document:
        if _units(character) > room:
            found.append(piece)
            piece, room = "", limit
        piece += character
        room -= _units(character)
    return [*found, piece]


def next_set(manifest: Manifest | None) -> int:
    """Return the set for the next document: the one that the manifest does not name."""
    return SETS[1] if manifest is not None and manifest.set == SETS[0] else SETS[0]


def manifest_of(document: str, number: int, count: int) -> str:
    """Write the manifest of a document in `count` slots of set `number`."""
    return json.dumps({_SET: number, "count": count, "sha256": _digest(document)})


def manifest_in(entry: str | None) -> Manifest | None:
    """Read an entry as a manifest; None when it is the document itself."""
    try:
        found = json.loads(entry or "")
        manifest = Manifest(set=found[_SET], count=found["count"], sha256=found["sha256"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return manifest if (type(manifest.set), type(manifest.count)) == (int, int) else None


def joined(manifest: Manifest, found: Sequence[str | None]) -> str | None:
    """Join the pieces; None when one is missing or belongs to another document."""
    document = "".join(piece or "" for piece in found)
    return document if _digest(document) == manifest.sha256 else None


def slot_service(service: str, username: str, number: int, index: int) -> str:
    """Return the service of a slot, such as `tokenctl:work:session.1.0`."""
    return f"{service}:{username}.{number}.{index}"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()
