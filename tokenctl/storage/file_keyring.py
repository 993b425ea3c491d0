"""A keyring backend of encrypted files, for machines without a keyring.

Each entry is one file in the profile's private folder. scrypt makes the key from a passphrase, and AES-GCM seals the
text. The entry's name and the scrypt parameters are associated data: a change of them, or of one byte, or a file
under another entry's name, is found out.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend

from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import StoreDamaged, StoreLocked
from tokenctl.storage.keyring_store import KeyringStore, call_within
from tokenctl.storage.patience import Patience
from tokenctl.storage.sealing import NONCE, UnsealFailed, seal, unseal

VERSION = 1
SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""Each guess of a passphrase costs 32 MiB of memory and about a tenth of a second."""


class EncryptedFile(KeyringBackend):
    """Entries in encrypted files, each in its profile's private folder below `base`.

    `ask` returns the passphrase, and is called once. Its argument tells whether the passphrase is a new one, which
    a person types twice.
    """

    # The keyring library's own search never chooses a backend with a negative priority.
    priority = -1

    def __init__(self, base: Path, ask: Callable[[bool], str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._base = base
        self._ask = ask
        self._passphrase: str | None = None
        self._keys: dict[bytes, bytes] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Read an entry; None when there is none. Raises StoreLocked or StoreDamaged."""
        path = self._path(service, username)
        content = read_private(path)
        if content is None:
            return None
        header, sealed = _parse(content, path)
        key = self._key(base64.b64decode(header["salt"]), new=False)
        try:
            return unseal(key, sealed, _associated_data(header, service, username)).decode()
        except UnsealFailed:
            raise StoreLocked(
                f"{path} cannot be decrypted: the passphrase is wrong, or the file was changed",
                hint="nothing was changed; check where the passphrase comes from (the environment, the profile's command,"
                f" or the prompt), or forget this session with 'tokenctl revoke --local -p {_profile(service)}'",
            ) from None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write an entry atomically. An entry with another passphrase is not overwritten: raises StoreLocked."""
        path = self._path(service, username)
        salt = self._known_salt(service, username)
        new = salt is None
        salt = salt or os.urandom(16)
        header = {"version": VERSION, "kdf": "scrypt", **SCRYPT, "salt": base64.b64encode(salt).decode()}
        sealed = seal(self._key(salt, new=new), password.encode(), _associated_data(header, service, username))
        parts = {"nonce": sealed[:NONCE], "sealed": sealed[NONCE:]}
        document = header | {name: base64.b64encode(part).decode() for name, part in parts.items()}
        replace_private(path, json.dumps(document).encode() + b"\n")

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry; this needs no passphrase."""
        self._path(service, username).unlink(missing_ok=True)

    def ask_now(self) -> None:
        """Ask for a new passphrase now, unless reading an entry has asked for the passphrase already."""
        self._known_passphrase(new=True)

    def _known_salt(self, service: str, username: str) -> bytes | None:
        """Return the salt of the entry that a write replaces. Raises StoreLocked when it has another passphrase."""
        try:
            if self.get_password(service, username) is None:
                return None
        except StoreDamaged:
            return None  # the caller has read the entry, and decided to replace it
        path = self._path(service, username)
        return base64.b64decode(_parse(read_private(path) or b"", path)[0]["salt"])

    def _path(self, service: str, username: str) -> Path:
        key = service.partition("@")[2]  # a narrower token has a key, the session has none
        return self._base / _profile(service) / f"{username}{f'.{key}' if key else ''}.sealed"

    def _key(self, salt: bytes, *, new: bool) -> bytes:
        if salt not in self._keys:
            passphrase = self._known_passphrase(new=new).encode()
            self._keys[salt] = hashlib.scrypt(passphrase, salt=salt, dklen=32, maxmem=2**26, **SCRYPT)
        return self._keys[salt]

    def _known_passphrase(self, *, new: bool) -> str:
        if self._passphrase is None:
            self._passphrase = self._ask(new)
        return self._passphrase


class FileStore(KeyringStore):
    """Sessions in encrypted files. See `model.store.Store`."""

    def __init__(self, encrypted_file: EncryptedFile) -> None:
        # No deadline: a person can need long to type, and a call with a deadline would not run in the main thread.
        super().__init__(encrypted_file, "file", Patience(seconds=None))
        self._encrypted_file = encrypted_file

    def prepare(self, profile: str) -> None:
        """Check that the entries can be decrypted, and ask for the passphrase."""
        super().prepare(profile)
        call_within(self._patience, self._encrypted_file.ask_now)


def _profile(service: str) -> str:
    return service.rpartition(":")[2].partition("@")[0]


def _associated_data(header: dict[str, Any], service: str, username: str) -> bytes:
    return json.dumps([header, service, username], sort_keys=True).encode()


def _parse(content: bytes, path: Path) -> tuple[dict[str, Any], bytes]:
    try:
        document = json.loads(content)
        nonce, sealed = (base64.b64decode(document.pop(name), validate=True) for name in ("nonce", "sealed"))
        base64.b64decode(document["salt"], validate=True)
        if len(nonce) != NONCE:
            raise ValueError
        if document["version"] != VERSION or {name: document[name] for name in SCRYPT} != SCRYPT:
            raise StoreDamaged(
                f"{path} has a version that this tokenctl does not know", hint="use the tokenctl that wrote it"
            )
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise StoreDamaged(
            f"{path} is damaged",
            hint="nothing was changed; restore it, or sign in again after 'tokenctl revoke --local'",
        ) from None
    return document, nonce + sealed
