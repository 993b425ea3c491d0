"""Opening a store: the table of their kinds. Each kind is loaded when it is opened."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.store import Store, StoreChoice, keyring_name
from tokenctl.runtime import Runtime
from tokenctl.storage.patience import looking, patience_for

OF_THE_LIBRARY = "keyring.backends."
"""The keyring library's own backends ask in windows of the desktop, and not at the terminal."""


def open_store(
    runtime: Runtime, profile: Profile, folder: Path, kind: str, backend: str | None, collection: str | None = None
) -> Store:
    """Open the store of that kind; `folder` is the profile's.

    `backend` None means the one that the keyring library's own settings name, else the platform's own keyring.
    `collection` None means the default collection of the Secret Service.

    Raises UsageError for a kind that is not in this table, StoreUnavailable or StoreTimedOut.
    """
    match kind:
        case "keyring" | "session":
            return _open_keyring(runtime, kind, backend, collection)
        case "file":
            return _open_file(runtime, profile, folder)
        case _:
            raise UsageError(f"this tokenctl knows no store {kind!r:.40}", hint="use the tokenctl that signed in")


def stay(store: Store, choice: StoreChoice | None) -> Store:
    """Return a login's store; in the collection of the last login's choice, where that names the same keyring."""
    if choice is not None and choice.collection and choice[:2] == (store.kind, store.backend):
        stay_in = getattr(store, "stay_in", None)
        if stay_in is not None:
            stay_in(choice.collection)
    return store


def read_ahead(runtime: Runtime, groups: Iterable[Sequence[tuple[Store, str]]]) -> Iterator[None]:
    """Read the sessions of groups of profiles together where their keyring can do that; go on when the next was read.

    Then the next `read` of each store has its session. Raises nothing: what cannot be read so is read alone.
    """
    try:
        from tokenctl.storage.secret_ahead import Ahead, Entry
        from tokenctl.storage.secret_service import SecretServiceStore
    except ModuleNotFoundError:  # jeepney, which only Linux has
        return (None for _ in groups)
    return Ahead(runtime.environ).read(
        [Entry(store, name) for store, name in group if isinstance(store, SecretServiceStore)] for group in groups
    )


def in_store(profile: Profile, kind: str) -> Profile:
    """Return the profile with another store; the keyring backend that it names goes with `keyring` alone."""
    return replace(profile, store=kind, keyring_backend=profile.keyring_backend if kind == "keyring" else None)


def named(environ: Mapping[str, str], profile: Profile, store: Store) -> str:
    """Name a store to a person; the file store with what gives its passphrase. Raises UsageError or StoreError."""
    match store.kind:
        case "keyring" | "session":
            return keyring_name(store.backend, store.collection)
        case "file":
            from tokenctl.config.secret_sources import passphrase_source

            return f"the file store, with the passphrase from {passphrase_source(environ, profile.passphrase_command)},"
        case _:
            return f"the {store.kind} store"


def _open_keyring(runtime: Runtime, kind: str, backend: str | None, collection: str | None) -> Store:
    # Who only looks opens no window in which a person unlocks a keyring.
    patience = looking(runtime.terminal) if runtime.looks_only else patience_for(runtime.terminal)
    if backend == "keyring.backends.SecretService.Keyring":
        try:
            from tokenctl.storage.secret_service import SecretServiceStore
        except ModuleNotFoundError:  # jeepney, which only Linux has: then the keyring library tells
            pass
        else:
            return SecretServiceStore(kind, patience, collection, runtime.environ)
    from tokenctl.storage.backends import open_keyring

    if backend is None:
        store = open_keyring(runtime.environ, kind, backend, patience)
        if store.backend.startswith(OF_THE_LIBRARY):
            return store
        backend = store.backend
    elif backend.startswith(OF_THE_LIBRARY):
        return open_keyring(runtime.environ, kind, backend, patience)
    from tokenctl.storage.prompting import open_guarded

    store = open_guarded(runtime, kind, backend, patience_for(runtime.terminal))
    return _without_lock(store) if runtime.looks_only else store


def _without_lock(store: Store) -> Store:
    """Return a store that takes no lock to read: its entry can be missing while another process writes the file."""
    from tokenctl.storage.one_file import OneFileStore

    return store.without_lock() if isinstance(store, OneFileStore) else store


def _open_file(runtime: Runtime, profile: Profile, folder: Path) -> Store:
    from tokenctl.config.secret_sources import passphrase
    from tokenctl.storage.file_keyring import EncryptedFile, FileStore

    def ask(new: bool) -> str:
        return passphrase(runtime.environ, runtime.terminal, profile.passphrase_command, new=new)

    return FileStore(EncryptedFile(folder.parent, ask))
