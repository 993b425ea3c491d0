"""The redo log: a sealed file with the newest session, beside the store.

Renaming the file to its name is the commit of a renewal. After the commit the new tokens cannot be lost, even when
the keyring fails. The file stays as a mirror until the next commit replaces it: some keyrings write to the disk
seconds later, or come back with an older state. The key is in the session: it was read from the keyring before the
request, and without the keyring entry nobody can read the file.

Each session has its own redo log, and its name has the session's id. So a home directory that machines with keyrings
of their own share can have several, and nobody removes the redo log of a session that is not their own. A redo log
that cannot be read is not removed, because it can be the only copy.
"""

import base64
import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path

from tokenctl.adapters.private_files import open_private, read_private, sync_folder
from tokenctl.errors import StoreError, StoreUnavailable, UsageError
from tokenctl.model import session as sessions
from tokenctl.model.session import Session
from tokenctl.storage import redo_header, session_files
from tokenctl.storage.redo_header import Header, damaged
from tokenctl.storage.session_files import REDO_LOG as KIND

RESERVED = 64 * 1024
"""Bytes to reserve before the request, at least; four times the session's size if that is more."""


class RedoLog:
    """The redo logs in one profile's private folder. `machine` is this machine's id."""

    def __init__(self, folder: Path, profile: str, machine: str) -> None:
        self._folder = folder
        self._profile = profile
        self._machine = machine
        self._reserved = folder / "redo.next"

    def path(self, session: Session) -> Path:
        """Return the path of the session's redo log."""
        return session_files.path_of(self._folder, KIND, session)

    def read(self, known: Session) -> Session | None:
        """Read the session if it is newer than `known`; else None. Raises StoreDamaged when the file cannot be read."""
        path = self.path(known)
        content = read_private(path)
        if content is None:
            return None
        try:
            if content.startswith(b"{"):
                text = self._unseal_first_version(content, known)
            else:
                text = self._unseal(content, known, path)
        except (ValueError, RecursionError, KeyError, TypeError):
            raise damaged(path) from None
        return None if text is None else sessions.loads(text.decode(), str(path))

    def _unseal(self, content: bytes, known: Session, path: Path) -> bytes | None:
        if redo_header.parse(content, path).generation <= known.generation:
            return None
        line, _, rest = content.partition(b"\n")
        if rest[-1:] != b"\n":
            raise ValueError("cut off")
        sealed = base64.b64decode(rest[:-1], validate=True)
        return _unsealed(known, sealed, self._associated_data(known, line))

    def _unseal_first_version(self, content: bytes, known: Session) -> bytes | None:
        """Unseal a redo log of version 1: one JSON document with the id of its login."""
        document = json.loads(content)
        generation, login = document["generation"], document["login"]
        if login != known.id or generation <= known.generation:
            return None
        associated = json.dumps([self._profile, document["version"], generation, login]).encode()
        return _unsealed(known, base64.b64decode(document["sealed"], validate=True), associated)

    def holds(self, session: Session) -> bool:
        """Tell whether the file has exactly this generation of the session."""
        found = self.read(replace(session, generation=session.generation - 1))
        return found is not None and found.generation == session.generation

    def reserve(self, session: Session) -> None:
        """Reserve disk space for the next session, so that a full disk stops the renewal before the request.

        Raises StoreUnavailable.
        """
        size = max(RESERVED, 4 * len(sessions.dumps(session)))
        try:
            with open(open_private(self._reserved, os.O_WRONLY | os.O_CREAT), "wb") as file:
                file.write(bytes(size))  # real zeros, because a hole in the file would reserve nothing
                file.truncate()
                os.fsync(file.fileno())
        except OSError as reason:
            self.release()
            raise StoreUnavailable(
                f"there is no space to save a renewed session in {self._folder}: {reason.strerror}",
                hint="nothing was sent and nothing is lost; free some space there, then try again",
            ) from None

    def release(self) -> None:
        """Free the reserved disk space."""
        session_files.remove(self._reserved)

    def commit(self, session: Session) -> None:
        """Commit a session: write it into the reserved space, and rename the file. Raises OSError or UsageError."""
        line = redo_header.first_line(Header(session.generation, self._machine))
        sealed = _sealed(session, self._associated_data(session, line))
        with open(open_private(self._reserved, os.O_RDWR | os.O_CREAT), "r+b") as file:
            file.write(line + b"\n" + base64.b64encode(sealed) + b"\n")  # over the zeros: this needs no new disk space
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._reserved, self._folder / f"{KIND}.{session.id}")
        sync_folder(self._folder)

    def remove_others(self, session: Session | None, replaced: str | None) -> None:
        """Remove the redo logs of this machine, and of the session with the id `replaced`, but not this session's.

        Raises nothing.
        """
        for path in session_files.others(self._folder, KIND, session):
            if path.name == f"{KIND}.{replaced}" or self._is_of_this_machine(path):
                session_files.remove(path)

    def _is_of_this_machine(self, path: Path) -> bool:
        with contextlib.suppress(StoreError, UsageError):
            header = redo_header.read(path)
            return header is not None and header.machine in ("", self._machine)
        return False

    def _associated_data(self, session: Session, line: bytes) -> bytes:
        return json.dumps([self._profile, session.id, line.decode()]).encode()


def _sealed(session: Session, associated_data: bytes) -> bytes:
    # Loaded late: who only reserves space, or reads the first line, needs no library for this.
    from tokenctl.storage.sealing import seal

    return seal(base64.b64decode(session.seal_key), sessions.dumps(session).encode(), associated_data)


def _unsealed(known: Session, sealed: bytes, associated_data: bytes) -> bytes:
    from tokenctl.storage.sealing import unseal

    return unseal(base64.b64decode(known.seal_key), sealed, associated_data)
