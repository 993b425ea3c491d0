"""The encrypted backends of keyrings.alt and keyrings.cryptfile, with a password that nobody has to type."""

from keyrings.alt.file import EncryptedKeyring
from keyrings.cryptfile.cryptfile import CryptFileKeyring

PASSWORD = "throw-away"


class Alt(EncryptedKeyring):  # type: ignore[misc]
    """keyrings.alt's encrypted file."""

    def __init__(self) -> None:
        super().__init__()
        self.keyring_key = PASSWORD


class Crypt(CryptFileKeyring):  # type: ignore[misc]
    """keyrings.cryptfile's encrypted file, with a cheap key."""

    time_cost = 1
    memory_cost = 64

    def __init__(self) -> None:
        super().__init__()
        self._keyring_key = PASSWORD
