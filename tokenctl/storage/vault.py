"""The vault: everything that is stored for one profile: lock, store, redo log, journal.

A renewal commits to the redo log first. The redo log stays beside the store as a mirror. A reader compares the
generations of both and uses the newer session. If the store is behind, the next process that holds the lock copies
the session to it.

There are two kinds. A `LocalVault` is a keyring or an encrypted file, and a private folder. A `MemoryVault` keeps
nothing after the process ends. A vault for many machines would be a third kind: its `exclusive` would be a row lock
of a database, and its `commit` would depend on the generation.
"""

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage.local_vault import LocalVault
from tokenctl.storage.state_dir import state_home

if TYPE_CHECKING:
    from tokenctl.model.event import Event
    from tokenctl.storage.journal import Journal


class Vault(Protocol):
    """Everything that is stored for one profile."""

    @property
    def profile(self) -> Profile:
        """The vault's profile."""

    @property
    def lasting(self) -> bool:
        """Tell whether the vault keeps a session after this process ends."""

    @property
    def store(self) -> Store:
        """The store of the session. Raises UsageError or StoreError when it cannot be opened."""

    @property
    def previous(self) -> Store | None:
        """The store that has the session now, whatever the environment says; None before the first login."""

    @property
    def entry(self) -> str:
        """The words that tell a person where the session's entry is."""

    @property
    def journal(self) -> "Journal":
        """The journal of the session's refresh token."""

    @property
    def behind(self) -> bool:
        """Tell whether the last read found a committed session that the store does not have yet."""

    def follow(self) -> None:
        """Look again where the session is: a login or `store migrate` may have chosen another store meanwhile.

        A store that was opened once stays open, so that nobody is asked for a passphrase again. `exclusive` does
        this too.
        """

    def newest(self) -> Session | None:
        """Read the newest session: the store's, or a committed one that the store does not have yet."""

    def offer(self, session: Session, min_ttl: int) -> None:
        """Let the fast way give away the session that was just read, as long as it has `min_ttl` seconds left."""

    def record(self, event: "Event") -> None:
        """Write an event into the event log, and say it with `-v`. Raises nothing; see `event_log.record`."""

    def moved_apart(self, session: Session) -> str | None:
        """Say how the store's session is newer than the mirror here, or another one than the mirror's; else None.

        A store that is older than the mirror is ordinary: some keyrings come back with an older state.
        """

    def differs_from_mirror(self, session: Session) -> bool:
        """Tell whether the mirror has this generation with other tokens. It takes a library that only the worker loads."""

    def signing_out(self, session: Session) -> bool:
        """Tell whether `revoke` has begun to end the session: then nobody may get its tokens."""

    def unanswered(self, session: Session) -> bool:
        """Tell whether the refresh token was presented without an answer, or is being presented now.

        The server may have ended the access token then.
        """

    def exclusive(self, patience: float | None = None) -> AbstractContextManager[int | None]:
        """Hold the lock until the block ends. Waits `patience` seconds, or the lock's deadline, at most. Raises Busy.

        The block gets the lock's descriptor. A process that inherits the descriptor holds the lock too. None means
        that the lock cannot be inherited.
        """

    def still_exclusive(self, lock: int | None) -> bool:
        """Tell whether the lock of this descriptor still keeps others out: its file is the one at the lock's path."""

    def unchanged(self, seen: Session) -> bool:
        """Under the lock: tell whether a session is as it was read, for all that can be told without asking the store.

        No newer generation is committed, and no journal says that its refresh token was presented or may not be.
        """

    def recover(self) -> Session | None:
        """Under the lock: read the newest session, and copy it to the store if an earlier process did not."""

    def renews(self, session: Session) -> bool:
        """Tell whether the session may be renewed here, and not under the lock of another state directory."""

    def adopt(self, session: Session) -> Session:
        """Return the session as one that is renewed here. Stores nothing. Raises StoreUnavailable."""

    def reserve(self, session: Session) -> None:
        """Reserve space for the session's successor. Raises StoreUnavailable; then no request must be sent."""

    def release(self) -> None:
        """Free the reserved space."""

    def commit(self, session: Session) -> None:
        """Save the session in the redo log, without the keyring. Warns about a failure, and raises nothing.

        The session's refresh token is the successor of the one in the journal, so the journal's entry is removed.
        """

    def publish(self, session: Session) -> None:
        """Copy a committed session to the store. Raises StoreError when neither redo log nor store has the session."""

    def prepare(self) -> None:
        """Check, before a person signs in, that the session can be kept. Raises StoreError."""

    def check_flow(self, flow: str) -> None:
        """Check, before a sign-in, that this vault can keep a session of the flow. Raises UsageError."""

    def keep(self, session: Session, secret: str | None = None) -> None:
        """Keep a login's session and client secret, and record the store choice. Raises StoreError.

        Then removes what older sessions left: narrower tokens, redo logs, journals, copies in earlier stores.
        """

    def forget_copies(self) -> None:
        """Remove the kernel's copies of the access token, so that the next answer is of the ordinary way."""

    def narrower(self, key: str) -> Session | None:
        """Read the narrower token with this key. Raises StoreError."""

    def keep_narrower(self, key: str, token: Session) -> None:
        """Keep a narrower token. The session does not change. Raises StoreError or OSError."""

    def narrower_tokens(self) -> list[Session]:
        """Read every narrower token that can be read."""

    def forget_narrower(self) -> None:
        """Remove every narrower token. A failure is ignored, because these tokens only live for minutes."""

    def forget(self) -> None:
        """Remove the session and everything that belongs to it, in every store. Only `revoke` does this.

        Raises StoreError. A copy in an earlier store that cannot be removed stays listed, and gets a warning.
        """


def open(runtime: Runtime, profile: Profile) -> Vault:
    """Open the vault of the profile's session, with the store that the last login chose.

    Checks the profile's folder once. Raises UsageError when the folder is not private.
    """
    return LocalVault(runtime, profile) if profile.store in LASTING_STORES else _memory_vault(runtime, profile)


def open_for_login(runtime: Runtime, profile: Profile) -> Vault:
    """Open the vault for a login, with the store that the profile asks for. Raises UsageError."""
    if profile.store not in LASTING_STORES:
        return _memory_vault(runtime, profile)
    from tokenctl.storage.login_vault import LoginVault

    return LoginVault(runtime, profile)


def open_source(runtime: Runtime, profile: Profile) -> Vault:
    """Open the vault from which `store migrate` moves the session. Raises UsageError."""
    from tokenctl.storage.login_vault import SourceVault

    return SourceVault(runtime, profile)


def open_kept(runtime: Runtime, profile: Profile) -> Vault | None:
    """Open the vault of a session that an earlier login kept, whatever store the profile asks for now.

    None when no login has chosen a store. Makes no folder. Raises UsageError or StoreDamaged.
    """
    if not os.path.isdir(state_home(runtime.environ) / profile.name):
        return None
    from tokenctl.storage.login_vault import SourceVault

    kept = SourceVault(runtime, profile)
    return None if kept.previous is None else kept


def _memory_vault(runtime: Runtime, profile: Profile) -> Vault:
    from tokenctl.storage.memory_vault import MemoryVault

    return MemoryVault(runtime, profile)
