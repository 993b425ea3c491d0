"""Keyring backends for tests in one process: each name is a keyring of its own, in memory, and can misbehave.

`keyring_backend = "tests.support.memory_rings.Laptop"` is a keyring that nobody else has. `of("Laptop")` is its class.
"""

import keyring.errors
from keyring.backend import KeyringBackend


class MemoryRing(KeyringBackend):
    """Entries in the class. `locked` and `failing` tell how it answers; `dies_at_write` ends the process that writes."""

    priority = -1
    entries: dict[tuple[str, str], str]
    locked = False
    failing = 0
    """How many writes fail from now on."""
    dies_at_write = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        ring = type(self)
        if ring.locked:
            raise keyring.errors.KeyringLocked("locked")
        if ring.dies_at_write:
            ring.dies_at_write = False
            raise Killed
        if ring.failing > 0:
            ring.failing -= 1
            raise keyring.errors.PasswordSetError("it did not answer")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("no such entry")


class Killed(BaseException):
    """The process ended here: no handler of an error sees it."""


def of(name: str) -> type[MemoryRing]:
    """Return the class of a keyring; a new one is empty."""
    if name not in globals():
        globals()[name] = type(name, (MemoryRing,), {"__module__": __name__, "__qualname__": name, "entries": {}})
    ring: type[MemoryRing] = globals()[name]
    return ring


def forget(name: str) -> None:
    """Throw a keyring away."""
    globals().pop(name, None)


def path_of(name: str) -> str:
    """Return the name for the setting `keyring_backend`."""
    return f"{of(name).__module__}.{name}"
