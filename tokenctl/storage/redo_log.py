"""The redo log: a sealed file with a renewed session that the store does not have yet.

Renaming the file to its name is the commit of a renewal. After the commit the new tokens cannot be lost, even when
the keyring fails. The key is in the session: it was read from the keyring before the request, and without the
keyring entry nobody can read the file. Each profile has one redo log in its private folder. A redo log that cannot
be read is not removed, because it can be the only copy.
"""

import base64
import contextlib
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenctl.adapters.private_files import open_private, read_private, sync_folder
from tokenctl.errors import StoreDamaged, StoreUnavailable
from tokenctl.model import session as sessions
from tokenctl.model.session import Session
from tokenctl.storage.sealing import seal, unseal
from tokenctl.storage.state_dir import REDO_LOG

VERSION = 1
RESERVED = 64 * 1024
"""Bytes to reserve before the request, at least; four times the session's size if that is more."""


class RedoLog:
    """One profile's redo log, in its private folder."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.path = folder / REDO_LOG
        self._reserved = folder / "redo.next"
        self._profile = profile

    def read(self, known: Session) -> Session | None:
        """Read the session if it is of the same login as `known`, and newer; else None.

        Raises StoreDamaged when the file cannot be read.
        """
        content = read_private(self.path)
        if content is None:
            return None
        try:
            document = json.loads(content)
            version, generation = document["version"], document["generation"]
            if version == VERSION and (document["login"] != _login_id(known) or generation <= known.generation):
                return None
            sealed = base64.b64decode(document["sealed"], validate=True)
            text = unseal(_key(known), sealed, self._associated_data(document)) if version == VERSION else b""
        except (ValueError, RecursionError, KeyError, TypeError):
            raise StoreDamaged(
                f"{self.path} has a renewed session and is damaged",
                hint="nothing was changed; sign in again with 'tokenctl login', or move that file away to continue without it",
            ) from None
        if version != VERSION:
            raise StoreDamaged(f"{self.path} has version {version!r:.20}", hint="use the tokenctl that wrote it")
        return sessions.loads(text.decode(), str(self.path))

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
                f"there is no space to save a renewed session in {self.path.parent}: {reason.strerror}",
                hint="nothing was sent and nothing is lost; free some space there, then try again",
            ) from None

    def release(self) -> None:
        """Free the reserved disk space."""
        _remove_file(self._reserved)

    def commit(self, session: Session) -> None:
        """Commit a session: write it into the reserved space, and rename the file. Raises OSError or UsageError."""
        document: dict[str, Any] = {"version": VERSION, "generation": session.generation, "login": _login_id(session)}
        sealed = seal(_key(session), sessions.dumps(session).encode(), self._associated_data(document))
        content = json.dumps(document | {"sealed": base64.b64encode(sealed).decode()}).encode() + b"\n"
        with open(open_private(self._reserved, os.O_RDWR | os.O_CREAT), "r+b") as file:
            file.write(content)  # over the zeros: this needs no new disk space
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._reserved, self.path)
        sync_folder(self.path.parent)

    def remove(self) -> None:
        """Remove the file, when the store has its session."""
        _remove_file(self.path)

    def _associated_data(self, document: dict[str, Any]) -> bytes:
        return json.dumps([self._profile, document["version"], document["generation"], document["login"]]).encode()


def _remove_file(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _key(session: Session) -> bytes:
    return base64.b64decode(session.seal_key)


def _login_id(session: Session) -> str:
    """Make an id of the login from its key, so that a redo log of another login is recognized without unsealing it."""
    return hashlib.sha256(b"tokenctl redo log" + _key(session)).hexdigest()[:16]
