"""The vault: everything that is stored for one profile: lock, store, redo log, journal.

A renewal commits to the redo log first. Until the store has its copy, readers prefer the redo log, and
whoever holds the lock next finishes the copy.

There are two kinds. A `LocalVault` is a keyring or an encrypted file with a private folder beside it; a
`MemoryVault` keeps nothing. A vault for many machines would be a third kind: its `exclusive` would be a
database's row lock, its `commit` conditional on the generation.
"""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from tokenctl.model.profile import LASTING_STORES, Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage.local_vault import LocalVault, LoginVault

if TYPE_CHECKING:
    from tokenctl.storage.journal import Journal


class Vault(Protocol):
    """Everything that is stored for one profile."""

    @property
    def profile(self) -> Profile:
        """The profile it is for."""

    @property
    def lasting(self) -> bool:
        """Tell whether a session outlives this process here."""

    @property
    def store(self) -> Store:
        """The store that keeps the session. Raises UsageError or StoreError when it cannot be opened."""

    @property
    def previous(self) -> Store | None:
        """The store that the last login chose, where a login may choose another one; None before the first login."""

    @property
    def entry(self) -> str:
        """Say where a person finds the session's entry."""

    @property
    def journal(self) -> "Journal":
        """What is known of the session's refresh token."""

    @property
    def unfinished(self) -> bool:
        """Tell whether a committed session may be on its way to the store, without loading what reads it."""

    def newest(self) -> Session | None:
        """Read the newest session there is: the store's, or the committed one that the store has yet to get."""

    def exclusive(self, patience: float | None = None) -> AbstractContextManager[int | None]:
        """Hold the lock for a block. Waits `patience` seconds at most, or the lock's own deadline. Raises Busy.

        The block gets the lock's descriptor: a process that inherits it holds the lock too. None means that
        the lock cannot be inherited.
        """

    def recover(self) -> Session | None:
        """Under the lock: read the newest session, and finish what a run before this one left undone."""

    def reserve(self, session: Session) -> None:
        """Take the room that the session's successor will need. Raises StoreUnavailable: then nothing may be sent."""

    def release(self) -> None:
        """Give the reserved room back."""

    def commit(self, session: Session) -> None:
        """Make sure that the session cannot be lost any more. No keyring is needed for that, and nothing is raised.

        Its refresh token is the successor of the one in the journal, so that entry is removed.
        """

    def publish(self, session: Session) -> None:
        """Copy a committed session to the store. Raises StoreError when it is then neither committed nor there."""

    def prepare(self) -> None:
        """Before a person signs in, find out whether the session could be kept. Raises StoreError."""

    def check_flow(self, flow: str) -> None:
        """Before a sign-in, refuse a flow whose session could not be kept here. Raises UsageError."""

    def keep(self, session: Session, secret: str | None = None) -> None:
        """Keep what a login produced, and look for it in this store from now on. Raises StoreError."""

    def narrower(self, key: str) -> Session | None:
        """Read the narrower token of that key. Raises StoreError."""

    def keep_narrower(self, key: str, token: Session) -> None:
        """Keep a narrower token beside the session. Raises StoreError or OSError."""

    def forget_narrower(self) -> None:
        """Remove every narrower token; they were never worth more than minutes."""

    def forget_beside(self) -> None:
        """Remove what lies beside the store's entry and belonged to the session before: redo log, journal, narrower tokens."""

    def forget(self) -> None:
        """Remove the session and all that belongs to it. Only `revoke` does this. Raises StoreError."""


def open(runtime: Runtime, profile: Profile) -> Vault:
    """Open the vault that keeps the profile's session, where its last login put it.

    The profile's folder is checked here, once. Raises UsageError when it is not private.
    """
    return LocalVault(runtime, profile) if profile.store in LASTING_STORES else _in_memory(runtime, profile)


def open_for_login(runtime: Runtime, profile: Profile) -> Vault:
    """Open the vault as a login sees it: its store is the one that the profile asks for. Raises UsageError."""
    return LoginVault(runtime, profile) if profile.store in LASTING_STORES else _in_memory(runtime, profile)


def _in_memory(runtime: Runtime, profile: Profile) -> Vault:
    from tokenctl.storage.memory_vault import MemoryVault

    return MemoryVault(runtime, profile)
