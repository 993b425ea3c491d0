"""Open a keyring backend: the platform's own, or the one with a given class name.

A login chooses the class once, and the store choice records it. The keyring library's own search is not used,
because it would accept a backend of any installed package. A backend that keeps nothing, or keeps plain text, is
never used.
"""

import importlib
import sys
from functools import partial
from typing import Any

from keyring.backend import KeyringBackend

from tokenctl.errors import StoreUnavailable
from tokenctl.storage.keyring_store import OTHER_STORES_HINT, KeyringStore, call_within
from tokenctl.storage.patience import Patience

PLATFORM_BACKENDS = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OTHER_PLATFORMS = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")
_REFUSED = ("keyring.backends.null", "keyring.backends.fail", "keyring.backends.chainer", "keyrings.alt.file.Plaintext")

SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session"
"""The Secret Service collection that is deleted when the person logs out of the machine."""


def open_keyring(kind: str, backend: str | None, patience: Patience) -> KeyringStore:
    """Open a store in a keyring backend; None means the platform's own. Raises StoreUnavailable or StoreTimedOut."""
    opened = open_session_backend(patience) if kind == "session" else open_backend(backend, patience)
    return KeyringStore(opened, kind, patience)


def open_backend(backend: str | None, patience: Patience) -> KeyringBackend:
    """Open the backend with this class name; None means the first of the platform's own that works.

    Raises StoreUnavailable or StoreTimedOut.
    """
    if backend is not None:
        return call_within(patience, partial(_new_backend, backend))
    reasons = []
    for candidate in PLATFORM_BACKENDS.get(sys.platform, _OTHER_PLATFORMS):
        try:
            return call_within(patience, partial(_working_backend, candidate))
        except StoreUnavailable as reason:
            reasons.append(reason.message)
    raise StoreUnavailable(f"no usable keyring: {'; '.join(reasons)}", hint=OTHER_STORES_HINT)


def open_session_backend(patience: Patience) -> KeyringBackend:
    """Open the platform's keyring so that its entries are deleted when the person logs out of the machine.

    Raises StoreUnavailable when the platform cannot do that, or StoreTimedOut.
    """
    if sys.platform == "darwin":
        raise StoreUnavailable(
            "macOS has no keychain that is deleted when you log out", hint="use --store keyring or file"
        )
    windows = sys.platform == "win32"
    name = "keyring.backends.Windows.WinVaultKeyring" if windows else _OTHER_PLATFORMS[0]
    backend: Any = open_backend(name, patience)
    if windows:
        backend.persist = "session"
    else:
        backend.preferred_collection = SESSION_COLLECTION
    return backend  # type: ignore[no-any-return]


def _working_backend(name: str) -> KeyringBackend:
    backend = _new_backend(name)
    _ = type(backend).priority  # raises RuntimeError with the reason when the backend cannot work here
    return backend


def _new_backend(name: str) -> KeyringBackend:
    if name.startswith(_REFUSED):
        raise StoreUnavailable(f"{name} keeps nothing, or keeps it in plain text", hint=OTHER_STORES_HINT)
    module, _, attribute = name.rpartition(".")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise StoreUnavailable(f"the keyring backend {name!r:.120} is not installed", hint=OTHER_STORES_HINT) from None
    if not (isinstance(found, type) and issubclass(found, KeyringBackend)):
        raise StoreUnavailable(f"{name!r:.120} is not a keyring backend", hint=OTHER_STORES_HINT)
    backend: Any = found()
    if name == "keyring.backends.Windows.WinVaultKeyring":
        # By default Windows copies the entry to the user's other machines; two machines would use one refresh token.
        backend.persist = "local machine"
    return backend  # type: ignore[no-any-return]
