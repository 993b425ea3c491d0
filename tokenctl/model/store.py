"""What keeps sessions: the protocol that every store follows, and the record of which one a login chose."""

from typing import NamedTuple, Protocol

from tokenctl.model.session import Session


class StoreChoice(NamedTuple):
    """The kind of store (`keyring`, `session`, `file`), and the class of the keyring backend that keeps the entry."""

    kind: str
    backend: str


class Store(Protocol):
    """Keeps sessions and secrets, by name.

    Reading answers None when there is no entry; everything else that goes wrong is a StoreError, and locked,
    unavailable and timed out are different ones. The name is the profile's, or the profile's with `@` and a
    key for a narrower token.
    """

    kind: str
    backend: str

    def prepare(self, name: str) -> None:
        """Before a person signs in, find out whether a session could be kept, and ask for what that takes."""

    def read(self, name: str) -> Session | None:
        """Read the session."""

    def write(self, name: str, session: Session) -> None:
        """Keep the session, and make sure that it can be read back."""

    def read_secret(self, name: str) -> str | None:
        """Read the client secret."""

    def write_secret(self, name: str, secret: str) -> None:
        """Keep the client secret, and make sure that it can be read back."""

    def delete(self, name: str) -> None:
        """Remove the session and the secret. Only `revoke` does this to a profile's own session."""


def choice_of(store: Store) -> StoreChoice:
    """Name the store: two stores with the same choice are the same."""
    return StoreChoice(store.kind, store.backend)
