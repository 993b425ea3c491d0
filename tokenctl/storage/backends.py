"""Choosing and opening a keyring backend: the platform's own, or one that is named by its class.

The class is chosen once, at login, and pinned; never by the keyring library's own search, which would
take whatever any installed package offers, and never one that keeps nothing or keeps it in plain text.
"""

import importlib
import sys
from functools import partial
from typing import Any

from keyring.backend import KeyringBackend

from tokenctl.errors import StoreUnavailable
from tokenctl.storage.keyring_store import WAYS_OUT, KeyringStore, bounded
from tokenctl.storage.patience import Patience

CANDIDATES = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OTHERWISE = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")
_NEVER = ("keyring.backends.null", "keyring.backends.fail", "keyring.backends.chainer", "keyrings.alt.file.Plaintext")

SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session"
"""The Secret Service's collection that is gone when the person logs out of the machine."""


def open_keyring(kind: str, backend: str | None, patience: Patience) -> KeyringStore:
    """Open a store in a keyring backend; None means the platform's own. Raises StoreUnavailable or StoreTimedOut."""
    ring = open_session_ring(patience) if kind == "session" else open_ring(backend, patience)
    return KeyringStore(ring, kind, patience)


def open_ring(backend: str | None, patience: Patience) -> KeyringBackend:
    """Open the backend of that class name, or with None the first of the platform's own that works.

    Raises StoreUnavailable or StoreTimedOut.
    """
    if backend is not None:
        return bounded(partial(_instance, backend), patience)
    reasons = []
    for candidate in CANDIDATES.get(sys.platform, _OTHERWISE):
        try:
            return bounded(partial(_viable, candidate), patience)
        except StoreUnavailable as reason:
            reasons.append(reason.message)
    raise StoreUnavailable(f"no usable keyring: {'; '.join(reasons)}", hint=WAYS_OUT)


def open_session_ring(patience: Patience) -> KeyringBackend:
    """Open the platform's keyring so that its entries end with the person's session on this machine.

    Raises StoreUnavailable where the platform has no such thing, or StoreTimedOut.
    """
    if sys.platform == "darwin":
        raise StoreUnavailable("macOS has no keychain that ends with the session", hint="use --store keyring or file")
    windows = sys.platform == "win32"
    ring: Any = open_ring("keyring.backends.Windows.WinVaultKeyring" if windows else _OTHERWISE[0], patience)
    if windows:
        ring.persist = "session"
    else:
        ring.preferred_collection = SESSION_COLLECTION
    return ring  # type: ignore[no-any-return]


def _viable(name: str) -> KeyringBackend:
    ring = _instance(name)
    _ = type(ring).priority  # raises RuntimeError with the reason when the backend cannot work here
    return ring


def _instance(name: str) -> KeyringBackend:
    if name.startswith(_NEVER):
        raise StoreUnavailable(f"{name} keeps nothing, or keeps it in plain text", hint=WAYS_OUT)
    module, _, attribute = name.rpartition(".")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise StoreUnavailable(f"the keyring backend {name!r:.120} is not installed", hint=WAYS_OUT) from None
    if not (isinstance(found, type) and issubclass(found, KeyringBackend)):
        raise StoreUnavailable(f"{name!r:.120} is no keyring backend", hint=WAYS_OUT)
    ring: Any = found()
    if name == "keyring.backends.Windows.WinVaultKeyring":
        ring.persist = "local machine"  # by default it would roam, and be presented from two machines
    return ring  # type: ignore[no-any-return]
