"""The stores of one profile: those that can have its session, and the one that the profile asks for; each opened once."""

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from tokenctl.errors import StoreDamaged, StoreError, StoreUnavailable
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile
from tokenctl.model.session import Session
from tokenctl.model.session_state import MACHINE_HINT
from tokenctl.model.store import Store, StoreChoice, choice_of
from tokenctl.runtime import Runtime
from tokenctl.storage import session_files, store_choice
from tokenctl.storage.opening import open_store, stay
from tokenctl.storage.store_choice import Choices

SECOND_LOOKS = (0.2, 0.8)
"""Seconds to wait before each further look for a session that ought to be there."""


class SessionStores:
    """The stores of one profile. A store that was opened stays open, so that nobody is asked twice for a passphrase.

    `folder` is the profile's private folder, and `machine` this machine's id.
    """

    def __init__(self, runtime: Runtime, profile: Profile, folder: Path, machine: str) -> None:
        self._runtime = runtime
        self._profile = profile
        self._folder = folder
        self._machine = machine
        self._stores: dict[StoreChoice, Store] = {}

    @cached_property
    def choices(self) -> Choices:
        """What the store choice says. `look_again` reads it again."""
        return self._read_choices()

    def look_again(self) -> bool:
        """Read the store choice again, and tell whether it has changed: a login or `store migrate` can change it."""
        before, self.choices = self.choices, self._read_choices()
        return self.choices != before

    def _read_choices(self) -> Choices:
        return Choices() if self._runtime.store is not None else store_choice.read(self._folder, self._machine)

    @cached_property
    def of_profile(self) -> Store:
        """The profile's store."""
        return self._runtime.store or self._open(self._profile.store, self._profile.keyring_backend)

    @cached_property
    def of_login(self) -> Store:
        """The profile's store; in the collection that the last login chose, where that is in the same keyring."""
        return stay(self.of_profile, self.choices.current)

    def opened(self, choice: StoreChoice) -> Store:
        """Open the store of a choice."""
        if choice not in self._stores:
            self._stores[choice] = self._profile_store_of(choice) or self._open(*choice)
        return self._stores[choice]

    def _profile_store_of(self, choice: StoreChoice) -> Store | None:
        """Return the profile's store if it is open already and the choice means it."""
        store: Store | None = vars(self).get("of_profile")
        if store is None or choice[:2] != (store.kind, store.backend):
            return None
        return store if choice.means(choice_of(store)) else None

    def _open(self, kind: str, backend: str | None, collection: str | None = None) -> Store:
        try:
            return open_store(self._runtime, self._profile, self._folder, kind, backend, collection)
        except StoreUnavailable as error:
            if self._profile.name == ENVIRONMENT_PROFILE and not self._profile.by_machine:
                # What is missing is mostly not a keyring, but the credential with which no keyring would be needed.
                error.hint = f"{MACHINE_HINT}; for a person, {error.hint}"
            raise

    @property
    def chosen(self) -> Store | None:
        """The store in which to look first; None when no login has chosen one."""
        return self.opened(self.choices.listed[0]) if self.choices.listed else None

    @property
    def _holding(self) -> tuple[Store, ...]:
        return tuple(map(self.opened, self.choices.listed)) or (self.of_profile,)

    def find(self) -> tuple[Session, Store] | None:
        """Read the session, and tell in which store it is. Raises StoreError."""
        for store in self._holding:
            session = store.read(self._profile.name)
            if session is not None:
                return session, store
        # While this process read, `store migrate` can have moved the session.
        return self.find() if self.look_again() else self._find_again()

    def _find_again(self) -> tuple[Session, Store] | None:
        """Look again for a session that has a redo log: a login has kept it here, and no sign-out removed it.

        A keyring that is about to end (KeePassXC) has no entries for a moment, and is gone from the bus then.
        """
        has_redo_log = any(map(os.path.lexists, session_files.others(self._folder, session_files.REDO_LOG, None)))
        for pause in SECOND_LOOKS if has_redo_log else ():
            self._runtime.sleep(pause)
            for store in self._holding:
                session = store.read(self._profile.name)
                if session is not None:
                    return session, store
        return None

    def settle(self, store: Store) -> None:
        """Write into the store choice that the session is in this store. Raises StoreUnavailable."""
        choice = choice_of(store)
        if choice != self.choices.current or self.choices.coming is not None:
            self._stores[choice] = store
            self._choose(self.choices.settled(choice))

    def keep(self, store: Store, session: Session, secret: str | None) -> None:
        """Write a session and a client secret to a store. The store choice says so before and after. Raises StoreError."""
        choice = choice_of(store)
        if choice != self.choices.current:
            with suppress(StoreError):  # an older session that cannot be read is no reason not to sign in here
                self._settle_first()
        if choice != self.choices.current:
            self._choose(self.choices.begun(choice))
        if secret is not None:
            store.write_secret(self._profile.name, secret)
        store.write(self._profile.name, session)
        self.settle(store)

    def _settle_first(self) -> None:
        """If a login was killed before it could settle, do that now: there is room for one store that is coming."""
        found = self.find() if self.choices.coming is not None else None
        if found is not None:
            self.settle(found[1])

    def delete(self) -> None:
        """Remove the session from the stores in which it can be. Raises StoreError."""
        for store in self._holding:
            store.delete(self._profile.name)

    def delete_narrower(self, name: str) -> None:
        """Remove a narrower token from every store. Raises StoreError."""
        for store in (*self._holding, *map(self.opened, self.choices.earlier)):
            store.delete(name)

    def remove_earlier(self, session: Session | None) -> None:
        """Remove copies from earlier stores. One that cannot be removed stays listed, and gets a warning.

        `session` is what the current store has.
        """
        for choice in self.choices.earlier:
            try:
                if session is None or not self._has(choice, session):
                    self.opened(choice).delete(self._profile.name)
                self._choose(self.choices.cleared(choice))
            except StoreError as error:
                self._runtime.terminal.warning(f"a copy can still be in the {choice.kind} store: {error.message}")

    def _has(self, choice: StoreChoice, session: Session) -> bool:
        """Tell whether an earlier store has the session itself: then two names are one keyring. A copy is always older."""
        with suppress(StoreDamaged):
            return self.opened(choice).read(self._profile.name) == session
        return False

    def _choose(self, choices: Choices) -> None:
        if self._runtime.store is not None:
            return
        try:
            store_choice.write(self._folder, self._machine, choices)
        except OSError as reason:
            raise StoreUnavailable(
                f"{self._folder} cannot be written: {reason.strerror}",
                hint="tokenctl writes there where the session is; free some space there, or make it writable",
            ) from None
        self.choices = choices
