"""The vault on this machine: a store, and a private folder for the lock, the redo log and the journal."""

import contextlib
import os
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from tokenctl.errors import StoreError, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store, StoreChoice, choice_of
from tokenctl.runtime import Runtime
from tokenctl.storage import store_choice
from tokenctl.storage.opening import open_store, stay
from tokenctl.storage.state_dir import REDO_LOG, profile_dir

if TYPE_CHECKING:
    from tokenctl.storage.journal import Journal
    from tokenctl.storage.redo_log import RedoLog

NARROWER_PREFIX = "narrow."
"""A file `narrow.<key>` records a narrower token in the store, because a keyring cannot list its entries."""


class LocalVault:
    """The vault of a profile on this machine. See `vault.Vault`."""

    lasting = True
    previous: Store | None = None

    def __init__(self, runtime: Runtime, profile: Profile) -> None:
        self.profile = profile
        self.folder = profile_dir(runtime.environ, profile.name)
        self._runtime = runtime
        self._stores: dict[StoreChoice, Store] = {}

    # -- what is stored, each opened on first use ------------------------------------------------------

    @property
    def store(self) -> Store:
        wanted, choice = self._runtime.environ.get("TOKENCTL_STORE"), self._choice
        if choice is not None and wanted not in (None, "", choice.kind):
            name = self.profile.name
            raise UsageError(
                f"the session of {name!r} is in the {choice.kind} store, and TOKENCTL_STORE is {wanted}",
                hint=f"sign in again with 'tokenctl login -p {name} --store {wanted}', or unset TOKENCTL_STORE",
            )
        return self._chosen_store or self._profile_store

    @property
    def entry(self) -> str:
        in_file = str(self.folder / "session.sealed")
        return in_file if self.store.kind == "file" else f"service tokenctl:{self.profile.name}, username session"

    @cached_property
    def journal(self) -> "Journal":
        from tokenctl.storage.journal import Journal

        return Journal(self.folder)

    @cached_property
    def redo_log(self) -> "RedoLog":
        from tokenctl.storage.redo_log import RedoLog

        return RedoLog(self.folder, self.profile.name)

    @cached_property
    def _choice(self) -> StoreChoice | None:
        return self._read_choice()

    def _read_choice(self) -> StoreChoice | None:
        return None if self._runtime.store is not None else store_choice.read(self.folder)

    @property
    def _chosen_store(self) -> Store | None:
        """The store that the last login chose; None before the first login."""
        choice = self._choice
        if choice is not None and choice not in self._stores:
            self._stores[choice] = self._open(*choice)
        return None if choice is None else self._stores[choice]

    @cached_property
    def _profile_store(self) -> Store:
        """The profile's store."""
        return self._runtime.store or self._open(self.profile.store, self.profile.keyring_backend)

    def _open(self, kind: str, backend: str | None, collection: str | None = None) -> Store:
        return open_store(self._runtime, self.profile, self.folder, kind, backend, collection)

    def follow(self) -> None:
        self.folder = profile_dir(self._runtime.environ, self.profile.name)  # it can have been removed
        self._choice = self._read_choice()

    # -- reading ---------------------------------------------------------------------------------------

    @property
    def unfinished(self) -> bool:
        return os.path.lexists(self.folder / REDO_LOG)

    def newest(self) -> Session | None:
        session = self.store.read(self.profile.name)
        newer = self.redo_log.read(session) if session is not None and self.unfinished else None
        return newer or session

    def recover(self) -> Session | None:
        session = self.store.read(self.profile.name)
        if session is None or not self.unfinished:
            return session
        newer = self.redo_log.read(session)
        if newer is None:  # the store has the same session already, or that of a later login
            self.redo_log.remove()
            return session
        self.publish(newer)
        return newer

    # -- the lock --------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def exclusive(self, patience: float | None = None) -> Iterator[int]:
        from tokenctl.storage.lock import DEADLINE, exclusive

        seconds = DEADLINE if patience is None else min(patience, DEADLINE)
        with exclusive(self.folder / "lock", seconds, self._report_waiting) as lock:
            # While this process waited, a login or `store migrate` may have chosen another store.
            self._choice = self._read_choice()
            yield lock

    def still_exclusive(self, lock: int | None) -> bool:
        from tokenctl.storage.lock import holds

        return lock is not None and holds(lock, self.folder / "lock")

    def _report_waiting(self, pid: int | None) -> None:
        process = f" (process {pid})" if pid else ""
        self._runtime.terminal.message(f"waiting for another tokenctl{process} to finish with {self.profile.name}")

    # -- renewal ---------------------------------------------------------------------------------------

    def reserve(self, session: Session) -> None:
        self.redo_log.reserve(session)

    def release(self) -> None:
        self.redo_log.release()

    def commit(self, session: Session) -> None:
        try:
            self.redo_log.commit(session)
        except (OSError, UsageError) as error:  # `publish` can still save the session; the journal's entry stays
            reason = getattr(error, "strerror", error)
            self._runtime.terminal.warning(f"{self.redo_log.path} cannot be written: {reason}")
        else:
            self.journal.remove()

    def publish(self, session: Session) -> None:
        try:
            self.store.write(self.profile.name, session)
        except StoreError as error:
            if not (self.unfinished and self.redo_log.holds(session)):
                raise type(error)(
                    f"the session was renewed and could not be saved: {error.message}", hint=error.hint
                ) from None
            self._runtime.terminal.warning(
                f"the session was renewed and is safe, but it is not in the keyring yet ({error.message});"
                " the next command tries again"
            )
        else:
            self.redo_log.remove()

    # -- login and sign-out ----------------------------------------------------------------------------

    def prepare(self) -> None:
        from tokenctl.adapters.private_files import check_writable

        check_writable(self.folder)
        self.store.prepare(self.profile.name)

    def check_flow(self, flow: str) -> None:
        """Every session can be kept here."""

    def keep(self, session: Session, secret: str | None = None) -> None:
        if secret is not None:
            self.store.write_secret(self.profile.name, secret)
        store = self.store
        store.write(self.profile.name, session)
        if self._runtime.store is None:
            self._choice = choice_of(store)
            self._stores[self._choice] = store
            store_choice.write(self.folder, self._choice)

    def forget_all_but_entry(self) -> None:
        self.forget_narrower()
        self.redo_log.remove()
        self.journal.remove()

    def forget(self) -> None:
        self.store.delete(self.profile.name)
        self.forget_all_but_entry()

    # -- narrower tokens -------------------------------------------------------------------------------

    def narrower(self, key: str) -> Session | None:
        return self.store.read(f"{self.profile.name}@{key}")

    def keep_narrower(self, key: str, token: Session) -> None:
        (self.folder / f"{NARROWER_PREFIX}{key}").touch(mode=0o600)
        self.store.write(f"{self.profile.name}@{key}", token)

    def forget_narrower(self) -> None:
        for mark in self.folder.glob(f"{NARROWER_PREFIX}*"):
            with contextlib.suppress(StoreError, OSError):
                self.store.delete(f"{self.profile.name}@{mark.name.removeprefix(NARROWER_PREFIX)}")
                mark.unlink()


class LoginVault(LocalVault):
    """The vault for a login: its store is the profile's, and not that of the last login."""

    @cached_property
    def store(self) -> Store:  # a property in the base class
        return stay(self._profile_store, self._choice)

    @property
    def previous(self) -> Store | None:  # type: ignore[override]  # a property here, a plain attribute in the base class
        same = self._choice is not None and self._choice.means(choice_of(self.store))
        return self.store if same else self._chosen_store


class SourceVault(LocalVault):
    """The vault from which a session moves: its store is that of the last login, whatever TOKENCTL_STORE says."""

    @property
    def store(self) -> Store:
        return self._chosen_store or self._profile_store
