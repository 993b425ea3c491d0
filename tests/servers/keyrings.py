"""The real keyrings in one table, for what has to hold over each of them: the kill matrix, the soak, the contract.

`with available(), KEYRINGS["kwallet"]() as keyring` starts one. Its `environ` is for the processes that use it, and
its `backend` for `keyring_backend` in the profile.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from tests.servers.keepassxc import KeePassXC
from tests.servers.kwallet import KWallet
from tests.servers.password_store import PasswordStore
from tests.servers.secret_service import SecretService


class RealKeyring(Protocol):
    """What a test can do to any of them."""

    @property
    def environ(self) -> Mapping[str, str]:
        """What a child process needs to reach this keyring and no other."""

    @property
    def backend(self) -> str:
        """The class of the keyring library's backend."""

    def kill(self) -> None:
        """End the daemon with SIGKILL: what it had only in memory is lost."""

    def restart(self) -> None:
        """Start the daemon again on the same files, unlocked."""

    def lock(self) -> None:
        """Lock it; nobody is there to unlock it."""

    def unlock(self) -> None:
        """Unlock it, without asking anybody."""

    def lookup(self, service: str, username: str) -> str | None:
        """Read an entry as another program does; None when there is none."""


KEYRINGS: dict[str, Callable[[], AbstractContextManager[RealKeyring]]] = {
    "gnome-keyring": SecretService,
    "kwallet": KWallet,
    "kwallet, own interface": lambda: KWallet("kwallet"),
    "keepassxc": KeePassXC,
    "pass": PasswordStore,
}
