"""A keyring backend that is an encrypted file, for machines without a keyring.

One file an entry, in the profile's private folder: scrypt over a passphrase makes the key, AES-GCM
seals the text together with the entry's name and the parameters, so that no byte can be changed and
no file be put in another's place.
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
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.patience import Patience
from tokenctl.storage.sealing import NONCE, NotOpened, seal, unseal

VERSION = 1
SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""32 MiB of memory and about a tenth of a second a guess."""


class EncryptedFile(KeyringBackend):
    """Entries in encrypted files, in the private folder that each profile has below `base`.

    `ask` gets the passphrase, and is called once; its argument tells whether the passphrase is a new one, which
    a person has to confirm.
    """

    # keyring collects backends by this; a negative one is never chosen by its own search.
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
            return unseal(key, sealed, _bound(header, service, username)).decode()
        except NotOpened:
            raise StoreLocked(
                f"{path} does not open: the passphrase is wrong, or the file was changed",
                hint="nothing was changed; check where the passphrase comes from (the environment, the profile's command,"
                f" or the prompt), or forget this session with 'tokenctl revoke --local -p {_profile(service)}'",
            ) from None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write an entry whole or not at all. One that another passphrase opens is not overwritten."""
        path = self._path(service, username)
        salt = self._known_salt(service, username)
        new = salt is None
        salt = salt or os.urandom(16)
        header = {"version": VERSION, "kdf": "scrypt", **SCRYPT, "salt": base64.b64encode(salt).decode()}
        sealed = seal(self._key(salt, new=new), password.encode(), _bound(header, service, username))
        parts = {"nonce": sealed[:NONCE], "sealed": sealed[NONCE:]}
        document = header | {name: base64.b64encode(part).decode() for name, part in parts.items()}
        replace_private(path, json.dumps(document).encode() + b"\n")

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry; the passphrase is not needed for that."""
        self._path(service, username).unlink(missing_ok=True)

    def ask_now(self) -> None:
        """Ask for the passphrase now: a new one, unless reading an entry has asked for it."""
        self._known_passphrase(new=True)

    def _known_salt(self, service: str, username: str) -> bytes | None:
        """Find the salt of the entry that a write replaces; an entry of another passphrase is not replaced."""
        try:
            if self.get_password(service, username) is None:
                return None
        except StoreDamaged:
            return None  # the caller knows: reading it told them
        path = self._path(service, username)
        return base64.b64decode(_parse(read_private(path) or b"", path)[0]["salt"])

    def _path(self, service: str, username: str) -> Path:
        beside = service.partition("@")[2]  # a narrower token lies beside the session
        return self._base / _profile(service) / f"{username}{f'.{beside}' if beside else ''}.sealed"

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

    def __init__(self, ring: EncryptedFile) -> None:
        # No bound: a file answers, a person may type, and a prompt must run in the main thread.
        super().__init__(ring, "file", Patience(seconds=None))
        self._file = ring

    def prepare(self, profile: str) -> None:
        """Find out whether the entries open, and ask for the passphrase."""
        super().prepare(profile)
        self._file.ask_now()


def _profile(service: str) -> str:
    return service.rpartition(":")[2].partition("@")[0]


def _bound(header: dict[str, Any], service: str, username: str) -> bytes:
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
