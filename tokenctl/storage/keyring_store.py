"""The store in the OS keyring, or in another backend of the keyring library.

Each profile has one entry: service `tokenctl:<profile>`, username `session`, and the session's JSON document. Every
call has a deadline, because the library has none. An entry is read back and compared after each write, because some
backends lose a write without an error.
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
from tokenctl.storage.failures import OTHER_STORES_HINT, PASS_HINT, locked, naming_its_keyring, unavailable, unquoted
from tokenctl.storage.patience import UNATTENDED, Patience, timed_out

Result = TypeVar("Result")


@naming_its_keyring
class KeyringStore:
    """Sessions in one keyring backend. See `model.store.Store`."""

    collection: str | None = None

    def __init__(self, keyring_backend: KeyringBackend, kind: str = "keyring", patience: Patience = UNATTENDED) -> None:
        self.kind = kind
        self.backend = f"{type(keyring_backend).__module__}.{type(keyring_backend).__qualname__}"
        self._keyring_backend = keyring_backend
        self._patience = patience
        self._limit = slots.entry_limit(keyring_backend)

    def prepare(self, profile: str) -> None:
        """Check that the keyring answers and is unlocked."""
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
        """Remove the profile's session and client secret."""
        for username in ("session", "secret"):
            service = _service(profile)
            if self._limit is not None:
                self._clear(service, username, slots.manifest_in(self._read(service, username)))
            self._remove(service, username)

    def _get(self, profile: str, username: str) -> str | None:
        service = _service(profile)
        for _ in range(2):  # while this process reads, a writer can switch to the other set and remove this one
            entry = self._read(service, username)
            manifest = slots.manifest_in(entry) if self._limit else None
            if manifest is None:
                return entry
            names = (slots.slot_service(service, username, manifest.set, index) for index in range(manifest.count))
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
            self._write(slots.slot_service(service, username, number, index), username, piece)
        self._write(service, username, slots.manifest_of(document, number, len(pieces)) if pieces else document)
        with contextlib.suppress(StoreError):  # the next write, or the session's removal, removes what is left
            self._clear(service, username, before, number, len(pieces))

    def _clear(
        self, service: str, username: str, manifest: slots.Manifest | None, current: int = 0, kept: int = 0
    ) -> None:
        """Remove all slots except the first `kept` of the set `current`, also those of interrupted writes."""
        for number in {*slots.SETS, manifest.set if manifest else 0} - {0}:
            first = end = kept if number == current else 0
            while self._read(slots.slot_service(service, username, number, end), username) is not None:
                end += 1
            for index in reversed(range(first, end)):  # last slot first: the search above stops at a gap
                self._remove(slots.slot_service(service, username, number, index), username)

    def _read(self, service: str, username: str) -> str | None:
        return self._call(partial(self._keyring_backend.get_password, service, username))

    def _write(self, service: str, username: str, document: str) -> None:
        self._call(partial(self._keyring_backend.set_password, service, username, document), document)
        if self._read(service, username) != document:
            raise StoreDamaged(
                f"the keyring ({self.backend}) did not keep what was written to it", hint=OTHER_STORES_HINT
            )

    def _remove(self, service: str, username: str) -> None:
        failed: StoreUnavailable | None = None
        try:
            self._call(partial(self._keyring_backend.delete_password, service, username))
        except StoreUnavailable as error:
            failed = error
        # Backends raise the same error for "no such entry" and for "failed", and some lose a deletion without an error.
        if self._read(service, username) is not None:
            raise failed or StoreDamaged(
                f"the keyring ({self.backend}) did not remove an entry", hint="try again, or remove it there yourself"
            )

    def _call(self, call: Callable[[], Result], written: str = "") -> Result:
        try:
            return call_within(self._patience, call, written)
        except StoreUnavailable as reason:
            # gnome-keyring under concurrent writes: the item is replaced between search and read.
            if not any(each in reason.message for each in ("Item does not exist", "No such item", "NoSuchObject")):
                raise
            return call_within(self._patience, call, written)


def _service(profile: str) -> str:
    return f"tokenctl:{profile}"


def call_within(patience: Patience, call: Callable[[], Result], written: str = "") -> Result:
    """Make a keyring call with a deadline. Raises a StoreError for every failure.

    `written` is what the call writes. The message leaves out a backend's error that quotes a part of it.
    """
    try:
        return patience.within(call)
    except TokenctlError:
        raise
    except TimeoutError:  # D-Bus libraries wait a second for the bus to authenticate them
        raise timed_out() from None
    except Exception as error:  # each backend raises the errors of its platform's library
        raise _store_error(error, written) from None


_LOCKED = ("KeyringLocked", "LockedException", "PromptDismissedException")
_PASS_CANNOT_DECRYPT = 2
"""What `pass` ends with when GnuPG has no passphrase for its key; it ends with 1 when there is no such entry."""
_INTERACTION_NOT_ALLOWED = ("-25308", "-25293", "1312")
"""macOS: the keychain is locked and cannot ask (SSH, cron). Windows: a network logon has no credential vault."""


def _store_error(error: Exception, written: str) -> StoreError:
    text = unquoted(str(error), written)
    if type(error).__name__ in _LOCKED or isinstance(error, keyring.errors.KeyringLocked):
        return locked()
    if type(error).__name__ == "CalledProcessError" and getattr(error, "returncode", 0) == _PASS_CANNOT_DECRYPT:
        return locked(PASS_HINT)
    if any(each in text for each in _INTERACTION_NOT_ALLOWED):
        return StoreLocked(
            f"the keyring is locked, and nobody could be asked for its password ({text})",
            hint="on macOS run 'security unlock-keychain'; over SSH sign in with 'tokenctl login --store file'",
        )
    return unavailable(f"{type(error).__name__}: {text}")
