"""The store in the OS keyring, and the only room that knows the keyring library.

One entry a profile: service `tokenctl:<profile>`, username `session`, the session's JSON document.
Every call has a deadline, because the library has none. What is written is read back and compared,
because some backends drop writes silently. The backend's class is chosen once, at login.
"""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import keyring.errors
from keyring.backend import KeyringBackend

from tokenctl import session as sessions
from tokenctl.deadline import DeadlinePassed, within
from tokenctl.errors import StoreDamaged, StoreError, StoreLocked, StoreUnavailable, TokenctlError
from tokenctl.session import Session
from tokenctl.storage import UNATTENDED, timed_out

CANDIDATES = {
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
_OTHERWISE = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")
_NEVER = ("keyring.backends.null", "keyring.backends.fail", "keyring.backends.chainer", "keyrings.alt.file.Plaintext")

WAYS_OUT = (
    "use --store file (encrypted with a passphrase), or --store memory for a machine's login;"
    " on a desktop, check that its keyring is running and unlocked"
)

Result = TypeVar("Result")


class KeyringStore:
    """Sessions in one keyring backend. See `storage.Store`."""

    def __init__(self, ring: KeyringBackend, kind: str = "keyring", deadline: float | None = UNATTENDED) -> None:
        self.kind = kind
        self.backend = f"{type(ring).__module__}.{type(ring).__qualname__}"
        self._ring = ring
        self._deadline = deadline

    def read(self, profile: str) -> Session | None:
        """Read the profile's session."""
        document = self._get(profile, "session")
        return None if document is None else sessions.loads(document, f"{self.kind} entry {_service(profile)!r}")

    def write(self, profile: str, session: Session) -> None:
        """Keep the session, read it back and compare."""
        self._set(profile, "session", sessions.dumps(session))

    def read_secret(self, profile: str) -> str | None:
        """Read the profile's client secret."""
        return self._get(profile, "secret")

    def write_secret(self, profile: str, secret: str) -> None:
        """Keep the client secret, read it back and compare."""
        self._set(profile, "secret", secret)

    def delete(self, profile: str) -> None:
        """Forget the profile's session and secret."""
        for username in ("session", "secret"):
            try:
                self._call(partial(self._ring.delete_password, _service(profile), username))
            except StoreUnavailable:
                # Backends say "no such entry" with the same error as "failed"; looking tells them apart.
                if self._get(profile, username) is not None:
                    raise

    def _get(self, profile: str, username: str) -> str | None:
        return self._call(partial(self._ring.get_password, _service(profile), username))

    def _set(self, profile: str, username: str, document: str) -> None:
        self._call(partial(self._ring.set_password, _service(profile), username, document), document)
        if self._get(profile, username) != document:
            raise StoreDamaged(f"the keyring ({self.backend}) did not keep what was written to it", hint=WAYS_OUT)

    def _call(self, call: Callable[[], Result], written: str = "") -> Result:
        try:
            return bounded(call, self._deadline, written)
        except StoreUnavailable as reason:
            # gnome-keyring under concurrent writes: the item is replaced between search and read.
            if not any(each in reason.message for each in ("Item does not exist", "No such item", "NoSuchObject")):
                raise
            return bounded(call, self._deadline, written)


def _service(profile: str) -> str:
    return f"tokenctl:{profile}"


def open_ring(backend: str | None, deadline: float = UNATTENDED) -> KeyringBackend:
    """Open the backend of that class name, or with None the first of the platform's own that works.

    Raises StoreUnavailable or StoreTimedOut.
    """
    if backend is not None:
        return bounded(partial(_instance, backend), deadline)
    reasons = []
    for candidate in CANDIDATES.get(sys.platform, _OTHERWISE):
        try:
            return bounded(partial(_viable, candidate), deadline)
        except StoreUnavailable as reason:
            reasons.append(reason.message)
    raise StoreUnavailable(f"no usable keyring: {'; '.join(reasons)}", hint=WAYS_OUT)


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
    return found()


def bounded(call: Callable[[], Result], deadline: float | None, written: str = "") -> Result:
    """Make a keyring call within `deadline` seconds (None: no bound), and say in our words what goes wrong.

    `written` is what the call writes: a backend's error that quotes any of it is not repeated.
    """
    try:
        return call() if deadline is None else within(deadline, call)
    except TokenctlError:
        raise
    except DeadlinePassed:
        raise timed_out(deadline or 0) from None
    except Exception as error:  # backends raise whatever their platform's binding raises
        raise _explained(error, written) from None


QUOTED = 12
"""Characters in a row that an error has in common with the entry: then it quotes it."""
_LOCKED = ("KeyringLocked", "LockedException", "PromptDismissedException")
_INTERACTION_NOT_ALLOWED = ("-25308", "-25293", "1312")
"""macOS: locked, and nobody may be asked (SSH, cron); Windows: a network logon has no vault."""


def _explained(error: Exception, written: str) -> StoreError:
    text = " ".join(str(error).split())
    quotes = any(written[start : start + QUOTED] in text for start in range(len(written) - QUOTED + 1))
    text = "its own words are withheld: they quote the entry" if quotes else text[:200]
    if type(error).__name__ in _LOCKED or isinstance(error, keyring.errors.KeyringLocked):
        return StoreLocked(
            "the keyring is locked",
            hint="unlock it (log in to the desktop, or 'security unlock-keychain' on macOS), then try again",
        )
    if any(each in text for each in _INTERACTION_NOT_ALLOWED):
        return StoreLocked(
            f"the keyring is locked, and nobody could be asked for its password ({text})",
            hint="on macOS run 'security unlock-keychain'; over SSH use --store file",
        )
    return StoreUnavailable(f"the keyring cannot be used ({type(error).__name__}: {text})", hint=WAYS_OUT)
