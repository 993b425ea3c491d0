"""The store in the Secret Service. It reads an entry directly over D-Bus, without the keyring library.

A session is read hundreds of times a day, and importing the keyring library with its Secret Service backend takes
longer than everything else together. So this module reads the item that the backend wrote, in the same collection.
It leaves every other case to the keyring library: writing, no entry, a locked or missing collection, an error.

The secret is sent without encryption on the bus. A program that can listen to this bus can also ask the keyring.
"""

from functools import cached_property
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, MessageType, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tokenctl.model import session as sessions
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.storage.patience import Patience

BACKEND = "keyring.backends.SecretService.Keyring"
_BUS = "org.freedesktop.secrets"
_COLLECTIONS = {
    "keyring": "/org/freedesktop/secrets/aliases/default",
    "session": "/org/freedesktop/secrets/collection/session",
}


class SecretServiceStore:
    """Reads sessions over D-Bus, and uses the keyring library for all else. See `model.store.Store`.

    The kind `session` is the collection that is deleted when the person logs out of the machine.
    """

    backend = BACKEND

    def __init__(self, kind: str, patience: Patience) -> None:
        self.kind = kind
        self._collection = _COLLECTIONS[kind]
        self._patience = patience

    @cached_property
    def _keyring_store(self) -> Store:
        from tokenctl.storage.backends import open_keyring

        return open_keyring(self.kind, BACKEND, self._patience)

    def read(self, profile: str) -> Session | None:
        """Read the profile's session. Raises StoreTimedOut, or an error of `KeyringStore.read`."""
        document = self._patience.within(lambda: lookup(f"tokenctl:{profile}", "session", self._collection))
        if document is None:
            return self._keyring_store.read(profile)
        return sessions.loads(document, f"keyring entry 'tokenctl:{profile}'")

    def prepare(self, profile: str) -> None:
        """Check that the keyring answers and is unlocked."""
        self._keyring_store.prepare(profile)

    def write(self, profile: str, session: Session) -> None:
        """Keep the session, and check that it can be read back."""
        self._keyring_store.write(profile, session)

    def read_secret(self, profile: str) -> str | None:
        """Read the profile's client secret."""
        return self._keyring_store.read_secret(profile)

    def write_secret(self, profile: str, secret: str) -> None:
        """Keep the client secret, and check that it can be read back."""
        self._keyring_store.write_secret(profile, secret)

    def delete(self, profile: str) -> None:
        """Remove the profile's session and client secret."""
        self._keyring_store.delete(profile)


def lookup(service: str, username: str, collection: str = _COLLECTIONS["keyring"]) -> str | None:
    """Read an entry's secret; None when there is none, or for any error. The caller sets the deadline."""
    try:
        with open_dbus_connection(bus="SESSION") as connection:
            attributes = {"service": service, "username": username}
            (items,) = _call(connection, collection, "Collection", "SearchItems", "a{ss}", attributes)
            if not items:
                return None
            _, opened = _call(
                connection, "/org/freedesktop/secrets", "Service", "OpenSession", "sv", "plain", ("s", "")
            )
            ((_, _, secret, _),) = _call(connection, items[0], "Item", "GetSecret", "o", opened)
            return bytes(secret).decode()
    except (OSError, KeyError, ValueError, DBusErrorResponse):
        return None


def _call(
    connection: DBusConnection, path: str, interface: str, method: str, signature: str, *body: object
) -> tuple[Any, ...]:
    address = DBusAddress(path, bus_name=_BUS, interface=f"org.freedesktop.Secret.{interface}")
    reply = connection.send_and_get_reply(new_method_call(address, method, signature, body))
    if reply.header.message_type is MessageType.error:
        raise DBusErrorResponse(reply)
    return tuple(reply.body)
