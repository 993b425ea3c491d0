"""The redo log: a renewed session, sealed, on its way into the keyring.

Renaming it into place is the commit of a renewal: from then on the new tokens cannot be lost, whatever
the keyring does. The key was read from the keyring before the request, so a keyring that fails
afterwards costs nothing; and without the keyring's entry nobody can read this file. One file a
profile, in its private folder. What it cannot read it leaves alone: it may be the only copy.
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

VERSION = 1
NAME = "redo"
RESERVED = 64 * 1024
"""Bytes set aside before the request, or four times the session where that is more."""


class RedoLog:
    """One profile's redo log, in its private folder."""

    def __init__(self, folder: Path, profile: str) -> None:
        self.path = folder / NAME
        self._reserved = folder / "redo.next"
        self._profile = profile

    def read(self, known: Session) -> Session | None:
        """Read the session that is newer than the keyring's `known` one, of the same login; None without one.

        Raises StoreDamaged when it is there and cannot be read.
        """
        content = read_private(self.path)
        if content is None:
            return None
        try:
            document = json.loads(content)
            version, generation = document["version"], document["generation"]
            if version == VERSION and (document["login"] != _login(known) or generation <= known.generation):
                return None
            sealed = base64.b64decode(document["sealed"], validate=True)
            text = unseal(_key(known), sealed, self._bound(document)) if version == VERSION else b""
        except (ValueError, RecursionError, KeyError, TypeError):
            raise StoreDamaged(
                f"{self.path} holds a renewed session and is damaged",
                hint="nothing was changed; sign in again with 'tokenctl login', or move that file away to go on without it",
            ) from None
        if version != VERSION:
            raise StoreDamaged(f"{self.path} has version {version!r:.20}", hint="use the tokenctl that wrote it")
        return sessions.loads(text.decode(), str(self.path))

    def holds(self, session: Session) -> bool:
        """Tell whether this very generation of the session is in it."""
        found = self.read(replace(session, generation=session.generation - 1))
        return found is not None and found.generation == session.generation

    def reserve(self, session: Session) -> None:
        """Take the room that the next session will need, so that a full disk is found out before anything is sent.

        Raises StoreUnavailable.
        """
        size = max(RESERVED, 4 * len(sessions.dumps(session)))
        try:
            with open(open_private(self._reserved, os.O_WRONLY | os.O_CREAT), "wb") as file:
                file.write(bytes(size))  # zeros, not a hole: not every platform can allocate
                file.truncate()
                os.fsync(file.fileno())
        except OSError as reason:
            self.release()
            raise StoreUnavailable(
                f"there is no room to save a renewed session in {self.path.parent}: {reason.strerror}",
                hint="nothing was sent and nothing is lost; make room there, then try again",
            ) from None

    def release(self) -> None:
        """Give the reserved room back."""
        _forget(self._reserved)

    def commit(self, session: Session) -> None:
        """Commit a session, into the room reserved for it. Raises OSError."""
        document: dict[str, Any] = {"version": VERSION, "generation": session.generation, "login": _login(session)}
        sealed = seal(_key(session), sessions.dumps(session).encode(), self._bound(document))
        content = json.dumps(document | {"sealed": base64.b64encode(sealed).decode()}).encode() + b"\n"
        with open(open_private(self._reserved, os.O_RDWR | os.O_CREAT), "r+b") as file:
            file.write(content)  # over the zeros: these blocks are ours already
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._reserved, self.path)
        sync_folder(self.path.parent)

    def remove(self) -> None:
        """Forget it, once the keyring has what is in it."""
        _forget(self.path)

    def _bound(self, document: dict[str, Any]) -> bytes:
        return json.dumps([self._profile, document["version"], document["generation"], document["login"]]).encode()


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _key(session: Session) -> bytes:
    return base64.b64decode(session.seal_key)


def _login(session: Session) -> str:
    """Name the login without its key: what another login sealed is none of this one's business."""
    return hashlib.sha256(b"tokenctl redo log" + _key(session)).hexdigest()[:16]
