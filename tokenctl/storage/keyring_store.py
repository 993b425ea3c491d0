"""The store in the OS keyring, or in any other backend of the keyring library.

One entry a profile: service `tokenctl:<profile>`, username `session`, the session's JSON document.
Every call has a deadline, because the library has none. What is written is read back and compared,
because some backends drop writes silently.
"""

import contextlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import keyring.errors
from keyring.backend import KeyringBackend

from tokenctl.errors import StoreDamaged, StoreError, StoreLocked, StoreUnavailable, TokenctlError
from tokenctl.model import session as sessions
from tokenctl.model.session import Session
from tokenctl.storage import slots
from tokenctl.storage.patience import BRIEF, Patience, timed_out

WAYS_OUT = (
    "use --store file (encrypted with a passphrase), or --store memory for a machine's login;"
    " on a desktop, check that its keyring is running and unlocked"
)

Result = TypeVar("Result")


class KeyringStore:
    """Sessions in one keyring backend. See `model.store.Store`."""

    def __init__(self, ring: KeyringBackend, kind: str = "keyring", patience: Patience = BRIEF) -> None:
        self.kind = kind
        self.backend = f"{type(ring).__module__}.{type(ring).__qualname__}"
        self._ring = ring
        self._patience = patience
        self._limit = slots.limit_of(ring)

    def prepare(self, profile: str) -> None:
        """Find out whether the keyring answers and is unlocked."""
        for username in ("session", "secret"):
            with contextlib.suppress(StoreDamaged):  # a login replaces it
                self._read(_service(profile), username)

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
            service = _service(profile)
            if self._limit is not None:
                self._clear(service, username, slots.manifest_in(self._read(service, username)))
            self._remove(service, username)

    def _get(self, profile: str, username: str) -> str | None:
        service = _service(profile)
        for _ in range(2):  # a writer may have switched to the next set, and removed this one, while we read
            entry = self._read(service, username)
            manifest = slots.manifest_in(entry) if self._limit else None
            if manifest is None:
                return entry
            names = (slots.slot(service, username, manifest.set, index) for index in range(manifest.count))
            document = slots.joined(manifest, [self._read(name, username) for name in names])
            if document is not None:
                return document
        raise StoreDamaged(
            f"the session in keyring entry {service!r} is damaged: a part of it is missing",
            hint="sign in again with 'tokenctl login'; nothing was deleted",
        )

    def _set(self, profile: str, username: str, document: str) -> None:
        service = _service(profile)
        if self._limit is None:
            self._write(service, username, document)
            return
        before = slots.manifest_in(self._read(service, username))
        number = slots.next_set(before)
        pieces = [] if slots.fits(document, self._limit) else slots.pieces(document, self._limit)
        for index, piece in enumerate(pieces):
            self._write(slots.slot(service, username, number, index), username, piece)
        self._write(service, username, slots.manifest_of(document, number, len(pieces)) if pieces else document)
        with contextlib.suppress(StoreError):  # what stays behind is removed by the next write, or with the session
            self._clear(service, username, before, number, len(pieces))

    def _clear(
        self, service: str, username: str, manifest: slots.Manifest | None, current: int = 0, kept: int = 0
    ) -> None:
        """Remove all slots, those of writes that were cut off too, except the first `kept` of the current set."""
        for number in {*slots.SETS, manifest.set if manifest else 0} - {0}:
            first = end = kept if number == current else 0
            while self._read(slots.slot(service, username, number, end), username) is not None:
                end += 1
            for index in reversed(range(first, end)):  # so that a failure leaves no gap that hides the rest
                self._remove(slots.slot(service, username, number, index), username)

    def _read(self, service: str, username: str) -> str | None:
        return self._call(partial(self._ring.get_password, service, username))

    def _write(self, service: str, username: str, document: str) -> None:
        self._call(partial(self._ring.set_password, service, username, document), document)
        if self._read(service, username) != document:
            raise StoreDamaged(f"the keyring ({self.backend}) did not keep what was written to it", hint=WAYS_OUT)

    def _remove(self, service: str, username: str) -> None:
        try:
            self._call(partial(self._ring.delete_password, service, username))
        except StoreUnavailable:
            # Backends say "no such entry" with the same error as "failed"; looking tells them apart.
            if self._read(service, username) is not None:
                raise

    def _call(self, call: Callable[[], Result], written: str = "") -> Result:
        try:
            return bounded(call, self._patience, written)
        except StoreUnavailable as reason:
            # gnome-keyring under concurrent writes: the item is replaced between search and read.
            if not any(each in reason.message for each in ("Item does not exist", "No such item", "NoSuchObject")):
                raise
            return bounded(call, self._patience, written)


def _service(profile: str) -> str:
    return f"tokenctl:{profile}"


def bounded(call: Callable[[], Result], patience: Patience, written: str = "") -> Result:
    """Make a keyring call within its bound, and say in our words what goes wrong.

    `written` is what the call writes: a backend's error that quotes any of it is not repeated.
    """
    try:
        return patience.within(call)
    except TokenctlError:
        raise
    except TimeoutError:  # D-Bus libraries wait a second for the bus to let them in
        raise timed_out() from None
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
