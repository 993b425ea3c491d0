"""A keyring backend that asks for its password as those of keyrings.alt and keyrings.cryptfile do."""

import getpass

from tests.support.ring import Ring

QUESTION = "Please enter password for encrypted keyring: "


class Asking(Ring):
    """Asks once, when it is used first; the keyring library can set `keyring_key` from the environment."""

    keyring_key: str | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._unlock()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._unlock()
        super().set_password(service, username, password)

    def _unlock(self) -> None:
        if self.keyring_key is None:
            self.keyring_key = getpass.getpass(QUESTION)
