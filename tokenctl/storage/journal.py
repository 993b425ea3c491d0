"""The journal: what became of a refresh token that was presented. It outlives every crash, and holds no secret.

Written before the first byte is sent. A refresh token whose answer was lost may have been used up, so it
is presented once more and never another time by itself; one that the server refused is dead, and nobody
asks again. An entry counts for the one refresh token whose fingerprint it has: the next one starts clean.
"""

import base64
import contextlib
import hmac
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import StoreDamaged, StoreUnavailable
from tokenctl.model.session import Session

VERSION = 1
MOST_TRIES = 2
"""How often a refresh token is presented whose answer was lost."""
LONGEST_PAUSE = 300
"""Seconds, at most, that a server's Retry-After is honoured: a clock that was set back must not make it longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of one refresh token. Times are epoch seconds: nobody asks the server until `not_before`.

    `tries` counts the presentations that may have used it up. `refused` is what the server said when it last
    refused something else than the token, for those who waited.
    """

    fingerprint: str
    tries: int = 0
    dead: bool = False
    not_before: int = 0
    failed_at: float = 0.0
    refused: str = ""

    def pause(self, now: int) -> int:
        """Seconds until the server may be asked again."""
        left = self.not_before - now
        return left if 0 < left <= LONGEST_PAUSE else 0

    @property
    def in_doubt(self) -> bool:
        """Tell whether it was presented as often as is safe, and may have been used up."""
        return self.tries >= MOST_TRIES

    @property
    def state(self) -> str:
        """Name what is known: good, dead, or in_doubt (presented, and not answered)."""
        return "dead" if self.dead else "in_doubt" if self.in_doubt else "good"

    def about_to_ask(self, *, presenting: bool) -> "Entry":
        """Make the entry for the moment before a request; `presenting` tells whether it has the refresh token in it."""
        return replace(self, tries=self.tries + presenting, not_before=0, refused="")

    def not_sent(self) -> "Entry":
        """Take the last presentation back: the server has not seen it."""
        return replace(self, tries=self.tries - 1)

    def answered(self) -> "Entry":
        """Take the last presentation back: it was answered, and used nothing up.

        Not so after an earlier one that was not answered. The token was presented once more for that, and is never
        presented another time, whatever the answer.
        """
        return replace(self, tries=0) if self.tries == 1 else self


def clean_entry(session: Session) -> Entry:
    """Make the entry of a refresh token of which nothing is known."""
    key = base64.b64decode(session.seal_key)
    return Entry(fingerprint=hmac.digest(key, (session.refresh_token or "").encode(), "sha256").hex())


class Journal:
    """One profile's journal, in its private folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal"

    def read(self, session: Session) -> Entry:
        """Read what is known of the session's refresh token; a clean entry when nothing is. Raises StoreDamaged."""
        clean = clean_entry(session)
        content = read_private(self.path)
        if content is None:
            return clean
        try:
            document = json.loads(content)
            version = document.pop("version")
            found = Entry(**document)
            kinds = [type(each) for each in (found.tries, found.dead, found.not_before, found.failed_at, found.refused)]
            fits = kinds == [int, bool, int, float, str]
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            version, fits = VERSION, False
        if version != VERSION or not fits:
            raise StoreDamaged(
                f"{self.path} cannot be read, so nobody can tell whether this refresh token was used already",
                hint="nothing was sent; use the tokenctl that wrote it, sign in again, or remove that file to try it",
            )
        return found if found.fingerprint == clean.fingerprint else clean

    def write(self, entry: Entry) -> None:
        """Write the entry, and make sure that it is on the disk. Raises StoreUnavailable."""
        try:
            replace_private(self.path, json.dumps({"version": VERSION, **asdict(entry)}).encode() + b"\n")
        except OSError as reason:
            raise StoreUnavailable(
                f"{self.path.parent} cannot be written: {reason.strerror}",
                hint="nothing is lost; make room there, or make it writable, then try again",
            ) from None

    def remove(self) -> None:
        """Forget the entry, when its refresh token has a successor or is nobody's any more."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


class MemoryJournal(Journal):
    """The journal of a vault that keeps nothing."""

    def __init__(self) -> None:
        self._entry: Entry | None = None

    def read(self, session: Session) -> Entry:
        """Read what is known of the session's refresh token."""
        clean = clean_entry(session)
        return self._entry if self._entry is not None and self._entry.fingerprint == clean.fingerprint else clean

    def write(self, entry: Entry) -> None:
        """Keep the entry until the process ends."""
        self._entry = entry

    def remove(self) -> None:
        """Forget the entry."""
        self._entry = None
