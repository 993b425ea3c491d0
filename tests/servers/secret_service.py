"""gnome-keyring as a Secret Service of one's own, in throw-away folders."""

from tests.servers.private_bus import PrivateBus

PASSWORD = b"throw-away"
LOGIN = "/org/freedesktop/secrets/collection/login"


class SecretService(PrivateBus):
    """gnome-keyring with an unlocked, empty login collection; nothing of it outlives the `with` block."""

    daemon = "gnome-keyring-daemon"

    def lock(self) -> None:
        """Lock the login collection; nobody is there to answer the prompt that unlocks it."""
        self._call("org.freedesktop.Secret.Service.Lock", f"array:objpath:{LOGIN}")

    def unlock(self) -> None:
        """Unlock the login collection, by a restart: the prompt for its password needs a desktop."""
        self.restart()

    def restart(self) -> None:
        """Start the keyring daemon (again), unlocked; entries stored before are still there."""
        self.kill()
        daemon = self._start(self.daemon, "--foreground", "--components=secrets", "--unlock")
        assert daemon.stdin
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        self._await("unlocked login collection", lambda: self._locked(LOGIN) is False)
