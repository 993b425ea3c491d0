"""The one connection of a process to the session bus, and calls to the Secret Service with errors in our words."""

import atexit
import os
from collections.abc import Mapping
from typing import Any

from jeepney import DBusAddress

from tokenctl.adapters.bus_address import BusUnavailable
from tokenctl.adapters.session_bus import BusError, BusSilent, SessionBus
from tokenctl.storage.failures import unavailable, unquoted
from tokenctl.storage.patience import timed_out

PATH = "/org/freedesktop/secrets"
NAME = "org.freedesktop.secrets"
SECRET = "org.freedesktop.Secret"
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
    def session(self) -> str:
        connection = self.connection
        if not connection.session:
            _, connection.session = self.call(PATH, "Service", "OpenSession", "sv", "plain", ("s", ""))
        return connection.session

    def property_of(self, path: str, interface: str, name: str) -> Any:
        address = DBusAddress(path, NAME, "org.freedesktop.DBus.Properties")
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
