"""gnome-keyring as a Secret Service of one's own, in throw-away folders."""

from collections.abc import Mapping

from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

from tests.servers.private_bus import CALL_SECONDS, START_SECONDS, PrivateBus

PASSWORD = b"throw-away"
LOGIN = "/org/freedesktop/secrets/collection/login"


class SecretService(PrivateBus):
    """gnome-keyring with an unlocked, empty login collection; nothing of it outlives the `with` block."""

    daemon = "gnome-keyring-daemon"

    def lock(self, collection: str = LOGIN) -> None:
        """Lock the login collection, or another one; nobody is there to answer the prompt that unlocks it."""
        self._call("org.freedesktop.Secret.Service.Lock", f"array:objpath:{collection}")

    def add_collection(self, label: str) -> str:
        """Make another collection, unlocked, without asking anybody for its password; return its path."""
        password, secrets = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface", "org.freedesktop.Secret"
        with open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"]) as connection:
            service = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", f"{secrets}.Service")
            agree = new_method_call(service, "OpenSession", "sv", ("plain", ("s", "")))
            session = connection.send_and_get_reply(agree, timeout=CALL_SECONDS).body[1]
            properties = {f"{secrets}.Collection.Label": ("s", label)}
            master = (session, b"", PASSWORD, "text/plain")
            make = new_method_call(
                DBusAddress(service.object_path, service.bus_name, password),
                "CreateWithMasterPassword",
                "a{sv}(oayays)",
                (properties, master),
            )
            return str(connection.send_and_get_reply(make, timeout=CALL_SECONDS).body[0])

    def remove_collection(self, collection: str) -> None:
        """Remove a collection with all that is in it."""
        self._call("org.freedesktop.Secret.Collection.Delete", path=collection)

    def move_default(self, collection: str) -> None:
        """Let the alias `default` mean another collection."""
        self._call("org.freedesktop.Secret.Service.SetAlias", "string:default", f"objpath:{collection}")

    def add_item(self, collection: str, attributes: Mapping[str, str], secret: str) -> str:
        """Make an item, also where there is one with the same attributes; return its path."""
        secrets = "org.freedesktop.Secret"
        with open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"]) as connection:
            service = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", f"{secrets}.Service")
            agree = new_method_call(service, "OpenSession", "sv", ("plain", ("s", "")))
            session = connection.send_and_get_reply(agree, timeout=CALL_SECONDS).body[1]
            properties = {
                f"{secrets}.Item.Label": ("s", "another"),
                f"{secrets}.Item.Attributes": ("a{ss}", dict(attributes)),
            }
            make = new_method_call(
                DBusAddress(collection, "org.freedesktop.secrets", f"{secrets}.Collection"),
                "CreateItem",
                "a{sv}(oayays)b",
                (properties, (session, b"", secret.encode(), "text/plain"), False),
            )
            return str(connection.send_and_get_reply(make, timeout=CALL_SECONDS).body[0])

    def unlock(self) -> None:
        """Unlock the login collection, by a restart: the prompt for its password needs a desktop."""
        self.restart()

    def restart(self) -> None:
        """Start the keyring daemon (again), unlocked; entries stored before are still there.

        A daemon that was killed while it wrote comes up without its collection now and then: it is started once more.
        """
        try:
            self._restart(START_SECONDS / 4)
        except RuntimeError:
            self._restart(START_SECONDS)

    def _restart(self, patience: float) -> None:
        self.kill()
        daemon = self._start(self.daemon, "--foreground", "--components=secrets", "--unlock")
        assert daemon.stdin
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        self._await("unlocked login collection", lambda: self._locked(LOGIN) is False, patience)
