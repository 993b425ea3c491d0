"""The store in a backend that keeps the entries of all profiles in one file: one process at a time uses it.

Such a backend (keyrings.alt, keyrings.cryptfile) reads the whole file, changes one entry and writes the file anew,
without a lock. Two writers lose each other's entries, and a reader can find the file empty. The profile's lock does
not help, because the profiles share the file. So every call takes a lock that all profiles share.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from keyring.backend import KeyringBackend

from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.lock import exclusive
from tokenctl.storage.patience import Patience
from tokenctl.storage.state_dir import profile_dir

Result = TypeVar("Result")


def is_one_file(backend: KeyringBackend) -> bool:
    """Tell whether the backend is one of those: they all are made of a class `FileBacked`, or have its `file_path`."""
    return any(base.__name__ == "FileBacked" or "file_path" in vars(base) for base in type(backend).__mro__)


class OneFileStore(KeyringStore):
    """Sessions in one file. See `model.store.Store`. Each call can raise Busy."""

    def __init__(self, keyring_backend: KeyringBackend, patience: Patience, environ: Mapping[str, str]) -> None:
        super().__init__(keyring_backend, "keyring", patience)
        self._environ = environ

    def without_lock(self) -> KeyringStore:
        """Return a store of the same backend that takes no lock, for who only looks."""
        return KeyringStore(self._keyring_backend, self.kind, self._patience)

    def _call(self, call: Callable[[], Result], written: str = "") -> Result:
        with exclusive(profile_dir(self._environ, ".keyring") / "lock"):  # no profile has such a name
            return super()._call(call, written)
