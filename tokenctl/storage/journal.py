"""The journal: what happened to a refresh token that was presented. It survives a crash, and has no secret.

The entry is written before the first byte of the request is sent. If the answer is lost, the server can have used up
the refresh token. Nobody can get a lost successor back, so asking again costs nothing: the token is presented once
more at once, and then again after pauses that grow. A refresh token that the server refused is dead, and is never
presented again. An entry is about the one refresh token whose fingerprint it has. "Signing out" is about the session:
from that mark on no command gives its tokens away.

Each session has its own journal, and its name has the session's id, as the redo log's has.
"""

import base64
import contextlib
import hmac
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import StoreDamaged, StoreUnavailable, UsageError
from tokenctl.model.session import Session
from tokenctl.storage import session_files
from tokenctl.storage.session_files import JOURNAL as KIND

VERSION = 2
AT_ONCE = 2
"""How often a refresh token is presented at once when no answer comes; then there are pauses."""
LONGEST_PAUSE = 300
"""Seconds, at most, to wait for `not_before`; a later one means that the clock was set back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known about one refresh token of the session with this id. Times are epoch seconds.

    `tries` counts the presentations without an answer: each can have used it up. No request is sent before
    `not_before`. `refused` is the error message of the last refusal that was not about the token; processes that
    waited for the lock report it.
    """

    session: str
    fingerprint: str
    tries: int = 0
    dead: bool = False
    not_before: int = 0
    failed_at: float = 0.0
    refused: str = ""
    signing_out: bool = False

    def pause(self, now: int) -> int:
        """Return the seconds until the next request can be sent."""
        left = self.not_before - now
        return left if 0 < left <= LONGEST_PAUSE else 0

    @property
    def in_doubt(self) -> bool:
        """Tell whether it was presented without an answer, and can be used up."""
        return self.tries >= AT_ONCE

    @property
    def state(self) -> str:
        """The state: good, dead, or in_doubt (presented, and not answered)."""
        return "dead" if self.dead else "in_doubt" if self.in_doubt else "good"

    def about_to_ask(self, *, presenting: bool) -> "Entry":
        """Make the entry to write before a request; `presenting` tells whether the request has the refresh token."""
        return replace(self, tries=self.tries + presenting, not_before=0, refused="")

    def unanswered(self, now: int) -> "Entry":
        """Make the entry after a presentation without an answer: the next one has to wait, each time twice as long."""
        pause = min(2 ** min(max(0, self.tries - AT_ONCE), 10), LONGEST_PAUSE)
        return replace(self, not_before=now + pause)

    def answered(self) -> "Entry":
        """Make the entry after a whole answer that brought no tokens: the server has the token in its hands and says so."""
        return replace(self, tries=0)


def clean_entry(session: Session) -> Entry:
    """Make the entry of a refresh token about which nothing is known."""
    key = base64.b64decode(session.seal_key)
    return Entry(
        session=session.id, fingerprint=hmac.digest(key, (session.refresh_token or "").encode(), "sha256").hex()
    )


class Journal:
    """The journals in one profile's private folder. `machine` is this machine's id."""

    def __init__(self, folder: Path, machine: str) -> None:
        self._folder = folder
        self._machine = machine

    def path(self, session: Session) -> Path:
        """Return the path of the session's journal."""
        return session_files.path_of(self._folder, KIND, session)

    def read(self, session: Session) -> Entry:
        """Read the entry of the session's refresh token; a clean entry if there is none. Raises StoreDamaged."""
        clean = clean_entry(session)
        path = self.path(session)
        content = read_private(path)
        if content is None:
            return clean
        found = _parse(content, session)
        if found is None:
            raise StoreDamaged(
                f"{path} cannot be read, so it is unknown whether this refresh token was used already",
                hint="nothing was sent; use the tokenctl that wrote it, sign in again, or remove that file to try the"
                " refresh token",
            )
        return found if found.fingerprint == clean.fingerprint else replace(clean, signing_out=found.signing_out)

    def write(self, entry: Entry) -> None:
        """Write the entry, and make sure that it is on the disk. Raises StoreUnavailable."""
        try:
            document = {"version": VERSION, "machine": self._machine, **asdict(entry)}
            replace_private(self._folder / f"{KIND}.{entry.session}", json.dumps(document).encode() + b"\n")
        except OSError as reason:
            raise StoreUnavailable(
                f"{self._folder} cannot be written: {reason.strerror}",
                hint="nothing is lost; free some space there, or make it writable, then try again",
            ) from None

    def remove(self, session: Session) -> None:
        """Remove the entry, when its refresh token has a successor or the session is removed."""
        session_files.remove(self.path(session))

    def remove_others(self, session: Session | None, replaced: str | None) -> None:
        """Remove the journals of this machine, and of the session with the id `replaced`, but not this session's.

        Raises nothing.
        """
        for path in session_files.others(self._folder, KIND, session):
            if path.name == f"{KIND}.{replaced}" or self._is_of_this_machine(path):
                session_files.remove(path)

    def _is_of_this_machine(self, path: Path) -> bool:
        with contextlib.suppress(StoreUnavailable, UsageError, ValueError, RecursionError, AttributeError):
            return bool(json.loads(read_private(path) or b"null").get("machine", self._machine) == self._machine)
        return False


def _parse(content: bytes, session: Session) -> Entry | None:
    """Read an entry of this version or of the first one; None when it is neither."""
    try:
        document = json.loads(content)
        version = document.pop("version")
        if version == 1 and type(version) is int:
            document["session"] = session.id
        document.pop("machine", None)
        found = Entry(**document)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    members = (
        found.session,
        found.tries,
        found.dead,
        found.not_before,
        found.failed_at,
        found.refused,
        found.signing_out,
    )
    valid = [type(each) for each in members] == [str, int, bool, int, float, str, bool]
    return found if valid and type(version) is int and version in (1, VERSION) and found.session == session.id else None


class MemoryJournal(Journal):
    """The journal of a memory vault."""

    def __init__(self) -> None:
        self._entry: Entry | None = None

    def read(self, session: Session) -> Entry:
        """Read the entry of the session's refresh token; a clean entry if there is none."""
        clean = clean_entry(session)
        return self._entry if self._entry is not None and self._entry.fingerprint == clean.fingerprint else clean

    def write(self, entry: Entry) -> None:
        """Keep the entry until the process ends."""
        self._entry = entry

    def remove(self, session: Session) -> None:
        """Remove the entry."""
        self._entry = None
