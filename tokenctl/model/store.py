"""The protocol of every store, and the record of the store that a login chose."""

from typing import NamedTuple, Protocol

from tokenctl.model.session import Session


class StoreChoice(NamedTuple):
    """The kind of store (`keyring`, `session`, `file`), and the class of the keyring backend that keeps the entry.

    `collection` is the path of the Secret Service's collection that the login used; None where there is no such one.
    """

    kind: str
    backend: str
    collection: str | None = None

    def means(self, other: "StoreChoice") -> bool:
        """Tell whether this choice means the other's store. Where it has no collection, it is an older version's."""
        return self[:2] == other[:2] and self.collection in (None, other.collection)


class Store(Protocol):
    """Keeps sessions and client secrets by name.

    The name is the profile's name. For a narrower token it is `<profile>@<key>`. Reading returns None when there is
    no entry. Every method raises a StoreError when the store cannot be used.
    """

    kind: str
    backend: str

    @property
    def collection(self) -> str | None:
        """The path of the Secret Service's collection; None for every other store."""

    def prepare(self, name: str) -> None:
        """Check, before a person signs in, that a session can be kept; ask for a passphrase if the store needs one."""

    def read(self, name: str) -> Session | None:
        """Read the session."""

    def write(self, name: str, session: Session) -> None:
        """Keep the session, and check that it can be read back."""

    def read_secret(self, name: str) -> str | None:
        """Read the client secret."""

    def write_secret(self, name: str, secret: str) -> None:
        """Keep the client secret, and check that it can be read back."""

    def delete(self, name: str) -> None:
        """Remove the session and the client secret. Only `revoke` removes a profile's session."""


def choice_of(store: Store) -> StoreChoice:
    """Return the choice that names this store. Two stores with the same choice are the same store.

    Raises StoreError when the keyring has to be asked for its collection, and does not answer.
    """
    return StoreChoice(store.kind, store.backend, store.collection)


_NAMES = {
    "keyring.backends.SecretService.Keyring": "the Secret Service keyring",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.macOS.Keyring": "the macOS keychain",
    "keyring.backends.Windows.WinVaultKeyring": "the Windows Credential Manager",
}


def keyring_name(backend: str, collection: str | None = None) -> str:
    """Return a keyring's name for a person: of a backend's class, and of a collection of the Secret Service."""
    named = _NAMES.get(backend, backend)
    return f"{named}, collection {collection.rpartition('/')[2]!r:.60}" if collection else named
