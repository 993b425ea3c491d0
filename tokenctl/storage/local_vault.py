"""The vault on this machine: a store, and a private folder for the lock, the redo log and the journal."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tokenctl import fast_path
from tokenctl.errors import Busy, StoreDamaged, StoreError, StoreLocked, StoreTimedOut, StoreUnavailable, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.runtime import Runtime
from tokenctl.storage import machine, redo_header, session_files
from tokenctl.storage.opening import OF_THE_LIBRARY
from tokenctl.storage.session_stores import SessionStores
from tokenctl.storage.state_dir import DUE, checked_dir, profile_dir

if TYPE_CHECKING:
    from tokenctl.model.event import Event
    from tokenctl.storage.journal import Entry, Journal
    from tokenctl.storage.redo_log import RedoLog

NARROWER_PREFIX = "narrow."
"""A file `narrow.<key>` records a narrower token in the store, because a keyring cannot list its entries."""


class LocalVault:
    """The vault of a profile on this machine. See `vault.Vault`."""

    lasting = True
    behind = False
    _folder_before: str | None = None
    _not_taken: StoreError | None = None
    """Why the store did not take the session under this lock: one failure, also when it was tried twice."""

    def __init__(self, runtime: Runtime, profile: Profile) -> None:
        self.profile = profile
        self._runtime = runtime
        self.folder = self._own_folder()
        self._machine = machine.machine_id()
        self._stores = SessionStores(runtime, profile, self.folder, self._machine)

    def _own_folder(self) -> Path:
        find = checked_dir if self._runtime.looks_only else profile_dir
        return find(self._runtime.environ, self.profile.name)

    # -- what is stored, each opened on first use ------------------------------------------------------

    @property
    def store(self) -> Store:
        wanted, store = self._runtime.environ.get("TOKENCTL_STORE"), self._stores.chosen
        if store is not None and wanted not in (None, "", store.kind):
            name = self.profile.name
            raise UsageError(
                f"the session of {name!r} is in the {store.kind} store, and TOKENCTL_STORE is {wanted}",
                hint=f"sign in again with 'tokenctl login -p {name} --store {wanted}', or unset TOKENCTL_STORE",
            )
        return store or self._stores.of_profile

    @property
    def previous(self) -> Store | None:
        return self._stores.chosen

    @property
    def entry(self) -> str:
        in_file = str(self.folder / "session.sealed")
        return in_file if self.store.kind == "file" else f"service tokenctl:{self.profile.name}, username session"

    @cached_property
    def journal(self) -> "Journal":
        from tokenctl.storage.journal import Journal

        return Journal(self.folder, self._machine)

    @cached_property
    def redo_log(self) -> "RedoLog":
        from tokenctl.storage.redo_log import RedoLog

        return RedoLog(self.folder, self.profile.name, self._machine)

    def follow(self) -> None:
        self.folder = self._own_folder()  # it can have been removed
        self._stores.look_again()

    # -- reading ---------------------------------------------------------------------------------------

    def newest(self) -> Session | None:
        self._folder_before = fast_path.begin(str(self.folder))
        found = self._find()
        return None if found is None else self._newer(found[0]) or found[0]

    def recover(self) -> Session | None:
        found = self._find()
        if found is None:
            return None
        session, store = found
        if session.version == 1:
            for kind in (session_files.REDO_LOG, session_files.JOURNAL):
                session_files.rename_first(self.folder, kind, session)
        self._stores.settle(store)
        newer = self._newer(session)
        if newer is not None:
            self._record_missing(newer)
            self.publish(newer)
        return newer or session

    def _find(self) -> tuple[Session, Store] | None:
        """Read the session in the store, and tell in which store it is."""
        _ = self.store  # raises when the environment says that it is another one
        try:
            return self._stores.find()
        except (StoreTimedOut, StoreDamaged) as error:
            self._record_failure("read", error)
            raise

    def signing_out(self, session: Session) -> bool:
        entry = self._entry_of(session)
        return entry is not None and entry.signing_out

    def unanswered(self, session: Session) -> bool:
        entry = self._entry_of(session)
        return entry is not None and entry.tries > 0

    def offer(self, session: Session, min_ttl: int) -> None:
        before = self._folder_before
        # A store that tokenctl opens with a passphrase of its own gives nothing to whoever does not have that.
        if before is None or not self.store.backend.startswith(OF_THE_LIBRARY):
            return
        if not self.profile.cache:
            fast_path.drop(self.profile.name, self._places)  # of the time when it was on
        copy = fast_path.copy_of(self.profile, session, min_ttl, self._runtime.moment()["boot_id"])
        if copy is None:
            return
        # A person at a terminal is to hear of a new anomaly; a job without one goes on as fast as before.
        copy["state"] = str(self.folder.parent)
        copy["notice"] = "yes" if os.path.lexists(self.folder.parent / DUE) else ""
        with contextlib.suppress(OSError):  # the answer does not depend on the copy
            files = [str(each) for each in self.folder.iterdir() if each.name != "lock"]
            fast_path.keep(copy, before, [str(self.folder.parent), *files, *self._places[1:]])

    @property
    def _places(self) -> list[str]:
        """The paths by which the copies of this session are known: the folder, and the sockets of the session bus."""
        from tokenctl.adapters.bus_address import BusUnavailable, sockets

        found: list[bytes] = []
        with contextlib.suppress(BusUnavailable):
            found = sockets(self._runtime.environ)
        return [str(self.folder), *map(os.fsdecode, found)]

    def _entry_of(self, session: Session) -> "Entry | None":
        """Read the journal's entry, if there is one that can be read. Most sessions have none."""
        if os.path.lexists(session_files.path_of(self.folder, session_files.JOURNAL, session)):
            with contextlib.suppress(StoreError, UsageError):  # the next renewal reports it
                return self.journal.read(session)
        return None

    def _newer(self, session: Session) -> Session | None:
        """Read the redo log if it has a newer session; the first line tells that."""
        header = redo_header.read(session_files.path_of(self.folder, session_files.REDO_LOG, session))
        newer = None if header is None or header.generation <= session.generation else self.redo_log.read(session)
        self.behind = newer is not None
        return newer

    # -- what happened ---------------------------------------------------------------------------------

    def record(self, event: "Event") -> None:
        from tokenctl.storage import event_log

        event_log.record(self._runtime, self.profile, event)

    def _record_failure(self, operation: str, error: StoreError) -> None:
        """Record that the keyring failed, where nobody only has to unlock it."""
        if not isinstance(error, StoreLocked):
            from tokenctl.storage import event_log

            self.record(event_log.keyring_failed(self.profile, operation, error))

    def _record_missing(self, session: Session) -> None:
        """Write the event of a renewal whose process was killed between the commit and the event."""
        if self.profile.audit == "off":  # no renewal has an event
            return
        from tokenctl.storage import event_log

        if not event_log.open_log(self._runtime).has_renewal(session.id, session.generation):
            self.record(event_log.recovered(self.profile, session))

    def moved_apart(self, session: Session) -> str | None:
        from tokenctl.storage import mirror

        return mirror.moved_apart(self.folder, session, self._state_dir.id)

    def differs_from_mirror(self, session: Session) -> bool:
        from tokenctl.storage import mirror

        return mirror.differs(self.redo_log, session)

    # -- the lock --------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def exclusive(self, patience: float | None = None) -> Iterator[int]:
        from tokenctl.storage.lock import DEADLINE, exclusive

        seconds = DEADLINE if patience is None else min(patience, DEADLINE)
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(exclusive(self.folder / "lock", seconds, self._report_waiting))
            except Busy as busy:
                self._record_wait(seconds, busy.holder)
                raise
            fast_path.drop(self.profile.name, self._places)
            try:
                # While this process waited, a login or `store migrate` may have chosen another store.
                self._stores.look_again()
                yield lock
            finally:
                if self._not_taken is not None:
                    self._record_failure("write", self._not_taken)
                    self._not_taken = None
                fast_path.drop(self.profile.name, self._places)

    def _record_wait(self, waited: float, holder: int | None) -> None:
        """Record that the lock was not had, if this took longer than any renewal. `waited` is seconds."""
        from tokenctl.storage.lock import LONGEST_HELD

        if waited >= LONGEST_HELD:
            from tokenctl.storage import event_log

            self.record(event_log.lock_wait(self.profile, waited, holder))

    def still_exclusive(self, lock: int | None) -> bool:
        from tokenctl.storage.lock import holds

        return lock is not None and holds(lock, self.folder / "lock")

    def unchanged(self, seen: Session) -> bool:
        if os.path.lexists(session_files.path_of(self.folder, session_files.JOURNAL, seen)):
            return False
        with contextlib.suppress(StoreError, UsageError):  # whoever reads the session reports it
            header = redo_header.read(session_files.path_of(self.folder, session_files.REDO_LOG, seen))
            return header is None or header.generation <= seen.generation
        return False

    def _report_waiting(self, pid: int | None) -> None:
        process = f" (process {pid})" if pid else ""
        self._runtime.terminal.message(f"waiting for another tokenctl{process} to finish with {self.profile.name}")

    # -- renewal ---------------------------------------------------------------------------------------

    def renews(self, session: Session) -> bool:
        return session.refresh_token is None or machine.renews(self._state_dir, session)

    def adopt(self, session: Session) -> Session:
        here = self._state_dir
        return replace(session, state_id=here.id, state_path=here.path, state_machine=here.machine)

    @property
    def _state_dir(self) -> machine.StateDir:
        try:
            describe = machine.known_state_dir if self._runtime.looks_only else machine.state_dir
            return describe(self.folder.parent)
        except OSError as reason:
            raise StoreUnavailable(
                f"{self.folder.parent} cannot be used: {reason.strerror}",
                hint="set TOKENCTL_STATE_DIR to a folder of yours on a writable disk",
            ) from None

    def reserve(self, session: Session) -> None:
        self.redo_log.reserve(session)

    def release(self) -> None:
        self.redo_log.release()

    def commit(self, session: Session) -> None:
        if self._mirror(session):  # else `publish` can still save the session, and the journal's entry stays
            self.journal.remove(session)

    def _mirror(self, session: Session) -> bool:
        """Save the session in the redo log, and tell whether that worked. Warns when it did not."""
        try:
            self.redo_log.commit(session)
        except (OSError, UsageError) as error:
            reason = getattr(error, "strerror", error)
            self._runtime.terminal.warning(f"{self.redo_log.path(session)} cannot be written: {reason}")
            return False
        return True

    def publish(self, session: Session) -> None:
        if self._is_replaced(session):
            self._runtime.terminal.warning(
                f"the session of {self.profile.name!r} was replaced meanwhile, under the lock of another state directory;"
                " the newer one stays"
            )
            return
        try:
            self.store.write(self.profile.name, session)
        except StoreError as error:
            self._not_taken = error
            self._check_committed(session, error)
        else:
            self._not_taken = None
            self.behind = False
            from tokenctl.storage import mirror

            mirror.remove_older(self.folder, session)

    def _is_replaced(self, session: Session) -> bool:
        """Tell whether the store has a newer session: another state directory with the same keyring has another lock."""
        try:
            there = self.store.read(self.profile.name)
        except StoreError:  # writing tells what is wrong
            return False
        if there is None:
            return False
        newer = there.generation, there.access_token != session.access_token
        return there.id != session.id or newer > (session.generation, False)

    def _check_committed(self, session: Session, error: StoreError) -> None:
        """After the store's error: warn if the redo log has the session, else raise the error."""
        if not self.redo_log.holds(session):
            raise type(error)(
                f"the session was renewed and could not be saved: {error.message}", hint=error.hint
            ) from None
        self.behind = True
        self._runtime.terminal.warning(
            f"the session was renewed and is safe, but it is not in the keyring yet ({error.message});"
            " the next command tries again"
        )

    # -- login and sign-out ----------------------------------------------------------------------------

    def prepare(self) -> None:
        from tokenctl.adapters.private_files import check_writable

        check_writable(self.folder)
        self.store.prepare(self.profile.name)

    def check_flow(self, flow: str) -> None:
        """Every session can be kept here."""

    def keep(self, session: Session, secret: str | None = None) -> None:
        older = self._stored()
        moved, stays = self._goes_on(older, session)
        self._stores.keep(self.store, session, secret)
        self._mirror(session)
        if not moved and (not stays or self.signing_out(session)):
            self.journal.remove(session)  # it was about the refresh token before, or about the session before
        self._remove_older(session, older)

    def _goes_on(self, older: Session | None, session: Session) -> tuple[bool, bool]:
        """Tell whether a session that is kept is the older one, which only moves, and whether its refresh token stays.

        The store can be behind, so what counts is the redo log.
        """
        if older is None:
            return False, False
        with contextlib.suppress(StoreError, UsageError):
            older = self._newer(older) or older
        return (
            (older.id, older.access_token) == (session.id, session.access_token),
            older.refresh_token is not None and older.refresh_token == session.refresh_token,
        )

    def forget(self) -> None:
        older = self._stored()
        self._stores.delete()
        self._remove_older(None, older)

    def _stored(self) -> Session | None:
        """Return the session in the store, also when its redo log is damaged; None when it cannot be read."""
        with contextlib.suppress(StoreError):
            found = self._find()
            return None if found is None else found[0]
        return None

    def _remove_older(self, session: Session | None, replaced: Session | None) -> None:
        """Remove what older sessions left: narrower tokens, redo logs, journals, copies in earlier stores.

        `session` is the one that stays, `replaced` the one whose place it took.
        """
        self.forget_narrower()
        replaced_id = None if replaced is None else replaced.id
        self.redo_log.remove_others(session, replaced_id)
        self.journal.remove_others(session, replaced_id)
        self._stores.remove_earlier(session)
        for path in (*self.folder.glob(".*.next"), self.folder / "redo.next"):  # of runs that were killed
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    # -- narrower tokens -------------------------------------------------------------------------------

    def forget_copies(self) -> None:
        fast_path.drop(self.profile.name, self._places)

    def narrower(self, key: str) -> Session | None:
        return self.store.read(f"{self.profile.name}@{key}")

    def keep_narrower(self, key: str, token: Session) -> None:
        (self.folder / f"{NARROWER_PREFIX}{key}").touch(mode=0o600)
        self.store.write(f"{self.profile.name}@{key}", token)

    def narrower_tokens(self) -> list[Session]:
        keys = [mark.name.removeprefix(NARROWER_PREFIX) for mark in self.folder.glob(f"{NARROWER_PREFIX}*")]
        found: list[Session] = []
        for key in keys:
            with contextlib.suppress(StoreError):
                token = self.narrower(key)
                found += [token] if token is not None else []
        return found

    def forget_narrower(self) -> None:
        for mark in self.folder.glob(f"{NARROWER_PREFIX}*"):
            name = f"{self.profile.name}@{mark.name.removeprefix(NARROWER_PREFIX)}"
            with contextlib.suppress(StoreError, OSError):
                self._stores.delete_narrower(name)
                mark.unlink()
