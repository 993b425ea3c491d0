"""The calls of the Secret Service API that a store needs, over this process's one connection to the session bus.

https://specifications.freedesktop.org/secret-service: collections have items, and an item has attributes and a
secret. A call that needs a person returns a prompt; where nobody can answer, the prompt is dismissed.

The secret is sent without encryption on the bus. A program that can listen to this bus can also ask the keyring.
"""

import atexit
import contextlib
import os
from collections.abc import Mapping
from typing import Any

from jeepney import DBusAddress

from tokenctl.adapters.session_bus import BUS, BusError, BusSilent, BusUnavailable, SessionBus
from tokenctl.errors import StoreError
from tokenctl.storage import kwallet_calls
from tokenctl.storage.failures import KWALLET_HINT, UNLOCK_HINT, locked, unavailable, unquoted
from tokenctl.storage.patience import Patience, timed_out

_NAME = "org.freedesktop.secrets"
_PATH = "/org/freedesktop/secrets"
_SECRET = "org.freedesktop.Secret"
_IS_LOCKED = f"{_SECRET}.Error.IsLocked"
_NO_SESSION = f"{_SECRET}.Error.NoSession"
_NO_OBJECT = (
    f"{_SECRET}.Error.NoSuchObject",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownInterface",
    "org.freedesktop.DBus.Error.UnknownMethod",
)
_COMPLETED = f"type='signal',sender='{_NAME}',interface='{_SECRET}.Prompt',member='Completed'"

_BUS_VARIABLES = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")

_UNLOCK_HINTS = {
    "org.keepassxc.KeePassXC.MainWindow": "unlock the database in KeePassXC, or allow the access there, then try again"
    " at a terminal",
    "org.kde.kwalletd6": KWALLET_HINT,
    "org.kde.kwalletd5": KWALLET_HINT,
}
"""What a person can do, by the name that the keyring has on the bus."""

_open: dict[tuple[object, ...], "Connection"] = {}
"""The connection of this process: by process id, because a forked child must not use its parent's; and by bus."""


@atexit.register
def _close() -> None:
    for connection in _open.values():
        connection.bus.close()


class Again(Exception):
    """The bus or the keyring was restarted since the last call: ask once more from the beginning."""


class Vanished(Again):
    """What was asked about is not there any more, because it was replaced or removed."""


class Locked(Exception):
    """The collection or item is locked."""


class Connection:
    """A connection to the bus, and what is agreed on it."""

    def __init__(self, environ: Mapping[str, str], seconds: float) -> None:
        self.bus = SessionBus(environ, seconds)
        self.session = ""
        """The path of the session in which secrets are sent; empty until there is one."""
        self.listens = False
        self.used = False


class SecretCalls:
    """The calls. All raise a StoreError, or Again; those that need an unlocked collection or item also Locked."""

    def __init__(self, environ: Mapping[str, str], patience: Patience) -> None:
        self._environ = environ
        self._patience = patience
        self._seconds = patience.limit
        self._declined = False

    def available(self) -> bool:
        """Tell whether there is a Secret Service on the bus, or one that the bus can start."""
        (running,) = self._asked(BUS, "NameHasOwner", "s", _NAME)
        return running or _NAME in self._asked(BUS, "ListActivatableNames", "")[0]

    # -- collections -----------------------------------------------------------------------------------

    def default(self) -> str | None:
        """Return the path of the collection that the alias `default` means now; None when there is none."""
        (path,) = self._call(_PATH, "Service", "ReadAlias", "s", "default")
        return None if path == "/" else str(path)

    def create_default(self) -> str:
        """Make the default collection. A person chooses its password."""
        label = {f"{_SECRET}.Collection.Label": ("s", "Default")}
        path, prompt = self._call(_PATH, "Service", "CreateCollection", "a{sv}s", label, "default")
        return str(path) if path != "/" else str(self._ask(prompt))

    def locked(self, path: str, interface: str = "Collection") -> bool:
        """Tell whether a collection (or an `Item`) is locked."""
        try:
            return bool(self._property(path, interface, "Locked"))
        except Vanished:
            if interface == "Collection":
                raise self._gone(path) from None
            raise

    def unlock(self, path: str) -> None:
        """Unlock a collection or an item; a person may be asked. It can be locked all the same afterwards."""
        _, prompt = self._call(_PATH, "Service", "Unlock", "ao", [path])
        if self._patience.attended or prompt == "/" or self._is_open_wallet(path):
            self._ask(prompt)
        else:
            self._dismiss(prompt)
            raise locked(self._unlock_hint())

    # -- items -----------------------------------------------------------------------------------------

    def search(self, collection: str, attributes: Mapping[str, str]) -> list[str]:
        """List the collection's items with these attributes: the one that was changed last comes first."""
        try:
            (items,) = self._call(collection, "Collection", "SearchItems", "a{ss}", dict(attributes))
        except Vanished:
            raise self._gone(collection) from None
        if len(items) > 1:  # their times are whole seconds, so the path decides between two of the same
            items = sorted(items, key=lambda item: (self._property(item, "Item", "Modified"), item), reverse=True)
        return list(items)

    def secret(self, item: str) -> bytes:
        """Read an item's secret."""
        ((_, _, secret, _),) = self._call(item, "Item", "GetSecret", "o", self._session)
        return bytes(secret)

    def replace(self, item: str, secret: bytes) -> None:
        """Give an item another secret."""
        sent = (self._session, b"", secret, "text/plain")
        self._call(item, "Item", "SetSecret", "(oayays)", sent, written=secret)

    def create(self, collection: str, label: str, attributes: Mapping[str, str], secret: bytes) -> None:
        """Make an item."""
        properties = {
            f"{_SECRET}.Item.Label": ("s", label),
            f"{_SECRET}.Item.Attributes": ("a{ss}", dict(attributes)),
        }
        sent = (self._session, b"", secret, "text/plain")
        _, prompt = self._call(
            collection, "Collection", "CreateItem", "a{sv}(oayays)b", properties, sent, True, written=secret
        )
        self._ask(prompt)

    def delete(self, item: str) -> None:
        """Delete an item; a person may be asked."""
        (prompt,) = self._call(item, "Item", "Delete")
        self._ask(prompt)

    # -- the connection --------------------------------------------------------------------------------

    @property
    def _connection(self) -> Connection:
        key = (os.getpid(), *(self._environ.get(name, "") for name in _BUS_VARIABLES))
        if key not in _open:
            try:
                _open[key] = Connection(self._environ, self._seconds)
            except BusUnavailable as reason:
                raise unavailable(str(reason)) from None
            except BusSilent:
                raise timed_out(self._seconds) from None
        return _open[key]

    def _drop(self, connection: Connection) -> None:
        for key in [key for key, each in _open.items() if each is connection]:
            del _open[key]
        connection.bus.close()

    @property
    def _session(self) -> str:
        connection = self._connection
        if not connection.session:
            _, connection.session = self._call(_PATH, "Service", "OpenSession", "sv", "plain", ("s", ""))
        return connection.session

    def _property(self, path: str, interface: str, name: str) -> Any:
        address = DBusAddress(path, _NAME, "org.freedesktop.DBus.Properties")
        ((_, value),) = self._asked(address, "Get", "ss", f"{_SECRET}.{interface}", name)
        return value

    def _call(
        self, path: str, interface: str, method: str, signature: str = "", *body: object, written: bytes = b""
    ) -> tuple[Any, ...]:
        address = DBusAddress(path, _NAME, f"{_SECRET}.{interface}")
        return self._asked(address, method, signature, *body, written=written)

    def _asked(
        self, address: DBusAddress, method: str, signature: str, *body: object, written: bytes = b""
    ) -> tuple[Any, ...]:
        connection = self._connection
        try:
            with connection.bus.turn:
                answer = connection.bus.call(address, method, signature, *body, seconds=self._seconds)
        except BusSilent:
            self._drop(connection)
            raise timed_out(self._seconds) from None
        except BusUnavailable as reason:
            self._drop(connection)
            if connection.used:  # the bus, or this connection, ended since the last call
                raise Again(str(reason)) from None
            raise unavailable(str(reason)) from None
        except BusError as error:
            if error.name == _IS_LOCKED:
                raise Locked from None
            connection.session = ""  # it ends with the daemon, and each one has another error for that
            if error.name == _NO_SESSION:
                raise Again(str(error)) from None
            if error.name in _NO_OBJECT:
                raise Vanished(str(error)) from None
            raise unavailable(unquoted(str(error), written.decode(errors="replace"))) from None
        connection.used = True
        return answer

    # -- KWallet ---------------------------------------------------------------------------------------

    def sync(self, collection: str) -> None:
        """Have the collection written to the disk now, where the keyring is KWallet. A failure is no failure."""
        with contextlib.suppress(StoreError, Again, BusError, BusSilent, BusUnavailable):
            bus = self._connection.bus
            with bus.turn:
                daemon = kwallet_calls.daemon_of(bus, _NAME, self._seconds)
                if daemon is not None:
                    kwallet_calls.sync(bus, daemon, self._property(collection, "Collection", "Label"), self._seconds)

    def _is_open_wallet(self, path: str) -> bool:
        """Tell whether the keyring is KWallet and the wallet is open: then unlocking asks nobody."""
        collection = "/".join(path.split("/")[:6])  # the path of an item begins with that of its collection
        with contextlib.suppress(StoreError, Again, BusError, BusSilent, BusUnavailable):
            bus = self._connection.bus
            with bus.turn:
                daemon = kwallet_calls.daemon_of(bus, _NAME, self._seconds)
                if daemon is not None:
                    label = self._property(collection, "Collection", "Label")
                    return kwallet_calls.is_open(bus, daemon, label, self._seconds)
        return False

    def _unlock_hint(self) -> str:
        """Return what a person can do to unlock this keyring."""
        with contextlib.suppress(StoreError, Again, Locked):
            (names,) = self._asked(BUS, "ListNames", "")
            for name, hint in _UNLOCK_HINTS.items():
                if name in names:
                    return hint
        return UNLOCK_HINT

    # -- prompts ---------------------------------------------------------------------------------------

    def _ask(self, prompt: str) -> Any:
        """Make what a prompt is for happen, and return its result. It may ask a person, or nobody (KeePassXC).

        A prompt without an answer is dismissed.
        """
        if prompt == "/":
            return None
        if self._declined:
            self._dismiss(prompt)
            raise locked(self._unlock_hint())
        connection = self._connection
        try:
            with connection.bus.turn:
                if not connection.listens:
                    connection.bus.listen(_COMPLETED, self._seconds)
                    connection.listens = True
                self._call(prompt, "Prompt", "Prompt", "s", "")
                dismissed, (_, result) = connection.bus.signal(prompt, "Completed", self._seconds)
        except BusSilent:
            self._dismiss(prompt)
            raise timed_out(self._seconds) from None
        except BaseException:  # Ctrl-C
            self._dismiss(prompt)
            raise
        if dismissed:
            self._declined = True
            raise locked(self._unlock_hint())
        return result

    def _dismiss(self, prompt: str) -> None:
        with contextlib.suppress(StoreError, Again, Locked):
            self._call(prompt, "Prompt", "Dismiss")

    def _gone(self, collection: str) -> StoreError:
        return unavailable(
            f"it has no collection {collection} any more",
            hint="open it in the program that keeps it (KeePassXC: open and unlock the database), then try again;"
            " 'tokenctl login' uses the keyring's default collection of that time",
        )
