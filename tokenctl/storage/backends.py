"""Choose and open a keyring: the platform's own, or the backend of the keyring library with a given class name.

A login chooses the class once, and the store choice records it. The keyring library's own search is not used,
because it would accept a backend of any installed package. What a person set for the keyring library counts at the
login: the variable PYTHON_KEYRING_BACKEND, else `default-keyring` in its file `keyringrc.cfg`. These can only name a
backend of the list below; another one has to be named by `keyring_backend` in the profile. A backend that keeps
nothing, or keeps plain text, is never used.
"""

import configparser
import importlib
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
from keyring.backend import KeyringBackend, NullCrypter
from keyring.util import platform_

from tokenctl.errors import NoKeyring, StoreUnavailable
from tokenctl.model.store import Store, keyring_name
from tokenctl.storage.failures import OTHER_STORES_HINT, unquoted, without_frame
from tokenctl.storage.keyring_store import KeyringStore, call_within
from tokenctl.storage.one_file import OneFileStore, is_one_file
from tokenctl.storage.patience import Patience

if TYPE_CHECKING:
    from tokenctl.storage.secret_service import SecretServiceStore

SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
KWALLET = ("keyring.backends.kwallet.DBusKeyring", "keyring.backends.kwallet.DBusKeyringKWallet4")
PLATFORM_BACKENDS = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OTHER_PLATFORMS = (SECRET_SERVICE, KWALLET[0])
KNOWN = {
    *("keyring.backends.macOS.Keyring", "keyring.backends.Windows.WinVaultKeyring", SECRET_SERVICE, *KWALLET),
    *("keyring.backends.libsecret.Keyring", "keyring_pass.PasswordStoreBackend"),
    *("keyrings.alt.file.EncryptedKeyring", "keyrings.alt.Windows.EncryptedKeyring"),
    *("keyrings.cryptfile.cryptfile.CryptFileKeyring", "keyrings.cryptfile.file.EncryptedKeyring"),
}
"""The backends that are known to encrypt what they keep."""
_KEEPS_NOTHING = (
    keyring.backends.null.Keyring,
    keyring.backends.fail.Keyring,
    keyring.backends.chainer.ChainerBackend,  # it asks several in turn, so that an older session can come back
)
_PLAIN_TEXT = "PlaintextKeyring"
"""The name of the class that keeps plain text: in keyrings.alt, in keyrings.cryptfile, and in copies of their modules."""
_OURS = "tokenctl."
"""How the module's name of our own backend begins, which gives tokens to pip and uv: it would ask itself for them."""
_NO_ENCRYPTION = "no enc"
"""The beginning of the `scheme` of such a class."""


def open_keyring(environ: Mapping[str, str], kind: str, backend: str | None, patience: Patience) -> Store:
    """Open a store in a keyring backend; None means the one of the settings, else the platform's own.

    Raises StoreUnavailable or StoreTimedOut.
    """
    if kind == "session":
        return _open_session(environ, patience)
    if backend is None and (named := _of_the_settings(environ)):
        return _store(environ, named, patience)
    if backend is not None:
        return _store(environ, backend, patience)
    reasons = []
    for candidate in PLATFORM_BACKENDS.get(sys.platform, _OTHER_PLATFORMS):
        try:
            return _working(environ, candidate, patience)
        except StoreUnavailable as reason:
            reasons.append(f"{keyring_name(candidate)}: {without_frame(reason.message)}")
    raise NoKeyring(f"no usable keyring ({'; '.join(reasons)})", hint=OTHER_STORES_HINT)


def open_backend(name: str, patience: Patience) -> KeyringBackend:
    """Open the backend with this class name. Raises StoreUnavailable or StoreTimedOut.

    The deadline is for the backend, and not for loading its module.
    """
    found = _class(name)
    backend: Any = call_within(patience, found)
    _refuse(backend, name)
    if name == "keyring.backends.Windows.WinVaultKeyring":
        # By default Windows copies the entry to the user's other machines; two machines would use one refresh token.
        backend.persist = "local machine"
    return backend  # type: ignore[no-any-return]


def _of_the_settings(environ: Mapping[str, str]) -> str | None:
    """Return the backend that the keyring library's own settings name. Raises StoreUnavailable for an unknown one."""
    name, where = environ.get("PYTHON_KEYRING_BACKEND"), "PYTHON_KEYRING_BACKEND"
    if not name:
        path = platform_.config_root() / "keyringrc.cfg"
        settings, where = configparser.RawConfigParser(), str(path)
        try:
            settings.read(path, encoding="utf-8")
            name = settings.get("backend", "default-keyring", fallback="").strip()
        except (configparser.Error, OSError, UnicodeDecodeError):
            raise StoreUnavailable(
                f"the keyring library's file {where} cannot be read", hint="mend it, or remove it"
            ) from None
    if name and name not in KNOWN:
        found = _class(name)
        _refuse_class(found, name)
        if _name_of(found) not in KNOWN:
            raise StoreUnavailable(
                f"{where} names the keyring backend {name!r:.120}, and tokenctl does not know whether it encrypts",
                hint="to use it all the same, set it as 'keyring_backend' of the profile in tokenctl's config file",
            )
    return name or None


def _store(environ: Mapping[str, str], name: str, patience: Patience) -> Store:
    if name == SECRET_SERVICE and (store := _secret_service(environ, "keyring", patience)):
        return store
    backend = open_backend(name, patience)
    if name in KWALLET:
        from tokenctl.storage.kwallet import KWalletStore

        return KWalletStore(backend, patience, environ)
    if is_one_file(backend):
        return OneFileStore(backend, patience, environ)
    return KeyringStore(backend, "keyring", patience)


def _working(environ: Mapping[str, str], name: str, patience: Patience) -> Store:
    """Open the platform's own keyring. Raises StoreUnavailable with the reason when it cannot work here."""
    if name == SECRET_SERVICE and (store := _secret_service(environ, "keyring", patience)):
        store.check()
        return store
    call_within(patience, partial(getattr, _class(name), "priority"))  # raises RuntimeError with the reason
    return _store(environ, name, patience)


def _open_session(environ: Mapping[str, str], patience: Patience) -> Store:
    """Open the platform's keyring so that its entries are deleted when the person logs out of the machine."""
    if sys.platform == "win32":
        backend: Any = open_backend("keyring.backends.Windows.WinVaultKeyring", patience)
        backend.persist = "session"
        return KeyringStore(backend, "session", patience)
    store = None if sys.platform == "darwin" else _secret_service(environ, "session", patience)
    if store is None:
        system = "macOS has no keychain" if sys.platform == "darwin" else "this system has no keyring"
        raise StoreUnavailable(
            f"{system} that is deleted when you log out",
            hint="use 'tokenctl login --store keyring' or 'tokenctl login --store file'",
        )
    store.check()
    return store


def _secret_service(environ: Mapping[str, str], kind: str, patience: Patience) -> "SecretServiceStore | None":
    try:
        from tokenctl.storage.secret_service import SecretServiceStore
    except ModuleNotFoundError:  # jeepney, which only Linux has: then the keyring library tells
        return None
    return SecretServiceStore(kind, patience, environ=environ)


def _class(name: str) -> type[KeyringBackend]:
    module, _, attribute = name.rpartition(".")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise StoreUnavailable(f"the keyring backend {name!r:.120} is not installed", hint=OTHER_STORES_HINT) from None
    except Exception as error:  # its module can raise anything; a name such as `.x.Y` is a TypeError
        reason = unquoted(f"{type(error).__name__}: {error}", "")
        raise StoreUnavailable(
            f"the keyring backend {name!r:.120} cannot be loaded ({reason:.120})", hint=OTHER_STORES_HINT
        ) from None
    if not (isinstance(found, type) and issubclass(found, KeyringBackend)):
        raise StoreUnavailable(f"{name!r:.120} is not a keyring backend", hint=OTHER_STORES_HINT)
    _refuse_class(found, name)
    return found


def _refuse(backend: KeyringBackend, name: str) -> None:
    """Raise StoreUnavailable when a backend that this one passes entries on to keeps nothing, or plain text."""
    for each in (*vars(backend).values(), *_members(backend)):
        if isinstance(each, NullCrypter):
            raise _keeps_plain_text(name)
        if isinstance(each, KeyringBackend) and each is not backend:
            _refuse_class(type(each), name)
            _refuse(each, name)


def _members(backend: object) -> list[object]:
    try:
        return list(getattr(backend, "backends", ()))
    except TypeError:
        return []


def _refuse_class(found: type, name: str) -> None:
    plain = any(base.__name__ == _PLAIN_TEXT or base.__module__.startswith(_OURS) for base in found.__mro__)
    said = str(vars(found).get("scheme", "")).startswith(_NO_ENCRYPTION)
    if plain or said or issubclass(found, _KEEPS_NOTHING):
        raise _keeps_plain_text(name)


def _keeps_plain_text(name: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"{name!r:.120} keeps nothing, or keeps it in plain text",
        hint="remove keyring_backend from the profile, or unset PYTHON_KEYRING_BACKEND: then tokenctl chooses a backend; or"
        " add '--store file' (encrypted with a passphrase) to 'tokenctl login'",
    )


def _name_of(found: type) -> str:
    return f"{found.__module__}.{found.__qualname__}"
