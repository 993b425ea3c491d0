"""The fast lane to the Secret Service: one entry read over D-Bus, without the keyring library.

Reading is what happens hundreds of times a day, and the keyring library with its Secret Service backend
takes longer to load than everything else together. This reads what that backend wrote, the same item of
the same collection, and does nothing else: whatever is not plainly there (no entry, locked, no such
collection, any error) is left to the keyring library, which asks, explains and decides.

The secret comes in a plain session: a program that may listen to this bus may as well ask the keyring.
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
    """Reads sessions by the fast lane, and leaves all else to the keyring library. See `model.store.Store`.

    The kind `session` is the collection that is gone when the person logs out of the machine.
    """

    backend = BACKEND

    def __init__(self, kind: str, patience: Patience) -> None:
        self.kind = kind
        self._collection = _COLLECTIONS[kind]
        self._patience = patience

    @cached_property
    def _library(self) -> Store:
        from tokenctl.storage.backends import open_keyring

        return open_keyring(self.kind, BACKEND, self._patience)

    def read(self, profile: str) -> Session | None:
        """Read the profile's session. Raises StoreTimedOut, or what the keyring library's store raises."""
        document = self._patience.within(lambda: lookup(f"tokenctl:{profile}", "session", self._collection))
        if document is None:
            return self._library.read(profile)
        return sessions.loads(document, f"keyring entry 'tokenctl:{profile}'")

    def prepare(self, profile: str) -> None:
        """Find out whether the keyring answers and is unlocked."""
        self._library.prepare(profile)

    def write(self, profile: str, session: Session) -> None:
        """Keep the session, and make sure that it can be read back."""
        self._library.write(profile, session)

    def read_secret(self, profile: str) -> str | None:
        """Read the profile's client secret."""
        return self._library.read_secret(profile)

    def write_secret(self, profile: str, secret: str) -> None:
        """Keep the client secret, and make sure that it can be read back."""
        self._library.write_secret(profile, secret)

    def delete(self, profile: str) -> None:
        """Forget the profile's session and secret."""
        self._library.delete(profile)


def lookup(service: str, username: str, collection: str = _COLLECTIONS["keyring"]) -> str | None:
    """Read an entry's secret; None when it is not plainly there, whatever the reason. It has no deadline of its own."""
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
