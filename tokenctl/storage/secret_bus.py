"""The one connection of a process to the session bus, and calls to the Secret Service with errors in our words."""

import atexit
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jeepney import DBusAddress

from tokenctl.adapters.bus_address import BusUnavailable
from tokenctl.adapters.session_bus import BusError, BusSilent, SessionBus
from tokenctl.errors import StoreError
from tokenctl.storage.failures import unavailable, unquoted
from tokenctl.storage.patience import timed_out

PATH = "/org/freedesktop/secrets"
NAME = "org.freedesktop.secrets"
SECRET = "org.freedesktop.Secret"
PROPERTIES = "org.freedesktop.DBus.Properties"
_IS_LOCKED = f"{SECRET}.Error.IsLocked"
_NO_SESSION = f"{SECRET}.Error.NoSession"
_NO_OBJECT = (
    f"{SECRET}.Error.NoSuchObject",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.DBus.Error.UnknownInterface",
    "org.freedesktop.DBus.Error.UnknownMethod",
)

_BUS_VARIABLES = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")

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


class Call(NamedTuple):
    """One of several calls that are sent at once: the object, its interface, the method, and what is sent."""

    path: str
    interface: str
    method: str
    signature: str
    body: tuple[object, ...]


class Sent(NamedTuple):
    """Calls that were sent: over which connection, and the numbers of their answers. None: they could not be sent."""

    connection: "Connection | None"
    serials: Sequence[int]


class Connection:
    """A connection to the bus, and what is agreed on it."""

    def __init__(self, environ: Mapping[str, str], seconds: float) -> None:
        self.bus = SessionBus(environ, seconds)
        self.session = ""
        """The path of the session in which secrets are sent; empty until there is one."""
        self.listens = False
        self.used = False


class SecretBus:
    """The connection, opened on first use. Each call raises a StoreError, Again, Vanished or Locked."""

    def __init__(self, environ: Mapping[str, str], seconds: float) -> None:
        self._environ = environ
        self._seconds = seconds

    @property
    def connection(self) -> Connection:
        key = (os.getpid(), *(self._environ.get(name, "") for name in _BUS_VARIABLES))
        if key not in _open:
            try:
                made = Connection(self._environ, self._seconds)
            except BusUnavailable as reason:
                raise unavailable(str(reason)) from None
            except BusSilent:
                raise timed_out(self._seconds) from None
            if _open.setdefault(key, made) is not made:  # another thread was faster
                made.bus.close()
        return _open[key]

    def _drop(self, connection: Connection) -> None:
        for key in [key for key, each in list(_open.items()) if each is connection]:
            _open.pop(key, None)  # another thread can have met the same failure
        connection.bus.close()

    @property
    def has_session(self) -> bool:
        """Tell whether a Secret Service has agreed on a session with this process, and no call has failed since."""
        return bool(self.connection.session)

    @property
    def session(self) -> str:
        connection = self.connection
        if not connection.session:
            _, connection.session = self.call(PATH, "Service", "OpenSession", "sv", "plain", ("s", ""))
        return connection.session

    def property_of(self, path: str, interface: str, name: str) -> Any:
        address = DBusAddress(path, NAME, PROPERTIES)
        ((_, value),) = self.asked(address, "Get", "ss", f"{SECRET}.{interface}", name)
        return value

    def call(
        self, path: str, interface: str, method: str, signature: str = "", *body: object, written: bytes = b""
    ) -> tuple[Any, ...]:
        address = DBusAddress(path, NAME, f"{SECRET}.{interface}")
        return self.asked(address, method, signature, *body, written=written)

    def asked(
        self, address: DBusAddress, method: str, signature: str, *body: object, written: bytes = b""
    ) -> tuple[Any, ...]:
        connection = self.connection
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

    def send_together(self, calls: Sequence[Call]) -> Sent:
        """Send calls at once. `answers` waits for their answers; a failure is found there. Raises nothing."""
        if not calls:
            return Sent(None, [])
        sent = [(DBusAddress(call.path, NAME, call.interface), *call[2:]) for call in calls]
        connection = None
        try:
            connection = self.connection
            with connection.bus.turn:
                return Sent(connection, connection.bus.send_all(sent, self._seconds))
        except (StoreError, BusSilent, BusUnavailable):
            if connection is not None:
                self._drop(connection)
            return Sent(None, [0] * len(calls))

    def answers(self, sent: Sent) -> list[tuple[Any, ...] | None]:
        """Wait for the answers to calls. None for each one that failed: made again alone, it tells why. Raises nothing."""
        return [self._answer(sent.connection, serial) for serial in sent.serials]

    def _answer(self, connection: Connection | None, serial: int) -> tuple[Any, ...] | None:
        if connection is None or connection not in _open.values():  # it has ended meanwhile
            return None
        try:
            with connection.bus.turn:
                return connection.bus.answer(serial, self._seconds)
        except (BusSilent, BusUnavailable):
            self._drop(connection)
        except BusError:
            connection.session = ""  # as in `asked`
        return None
