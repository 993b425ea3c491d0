"""The redo log as a mirror of the store: what it tells of a session that somebody else renewed or replaced.

A renewal and a login here write to both. So a store that is newer than the mirror was written from elsewhere. A store
that is older is ordinary: some keyrings come back with an older state.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from tokenctl.errors import StoreError, UsageError
from tokenctl.model.session import Session
from tokenctl.storage import redo_header, session_files
from tokenctl.storage.redo_header import Header
from tokenctl.storage.redo_log import RedoLog


def moved_apart(folder: Path, session: Session, state_id: str) -> str | None:
    """Say how the store's session is newer than the mirror, or another one than the mirror's; else None.

    `folder` is the profile's, `state_id` the state directory's. A mirror that cannot be read tells nothing.
    """
    with _unless_unreadable():
        header = _header(folder, session)
        if header is not None:
            return "a newer generation" if header.generation < session.generation else None
        others = map(os.path.lexists, session_files.others(folder, session_files.REDO_LOG, session))
        if session.state_id not in (None, state_id) and any(others):
            return "another session"
    return None


def differs(redo_log: RedoLog, session: Session) -> bool:
    """Tell whether the mirror has this generation with other tokens. A mirror that cannot be read tells nothing."""
    with _unless_unreadable():
        mirror = redo_log.read(replace(session, generation=session.generation - 1))
        if mirror is None or mirror.generation != session.generation:
            return False
        # A renewal commits twice, and a full disk can take the first commit alone: it has the older access token.
        half = mirror.refresh_token == session.refresh_token and _renewed(mirror) < _renewed(session)
        return _tokens(mirror) != _tokens(session) and not half
    return False


def remove_older(folder: Path, session: Session) -> None:
    """Remove a mirror that could not be written, so that it is older than the store: it is of no use any more."""
    with _unless_unreadable():
        header = _header(folder, session)
        if header is not None and header.generation < session.generation:
            session_files.remove(session_files.path_of(folder, session_files.REDO_LOG, session))


def _unless_unreadable() -> contextlib.suppress:
    """Whoever reads the session reports it."""
    return contextlib.suppress(StoreError, UsageError)


def _header(folder: Path, session: Session) -> Header | None:
    return redo_header.read(session_files.path_of(folder, session_files.REDO_LOG, session))


def _renewed(session: Session) -> tuple[int, int]:
    """Tell when the access token was got: by a renewal, and at all; a token of the same second may be of a login."""
    return session.refreshed_at or 0, session.obtained_at


def _tokens(session: Session) -> tuple[str, str | None]:
    return session.access_token, session.refresh_token
