"""The store in the Secret Service of the desktop, over D-Bus and without the keyring library.

The entries are those of the keyring library's backend `keyring.backends.SecretService`: same attributes, same label,
plain text. So that backend, and other programs, find them too. The library itself is not used, because importing it
takes longer than reading an entry, and because its backend opens a connection for each call, waits for ever, takes
whichever of two equal entries comes first, and knows only one form of a bus address.

Every reader and writer uses the collection that the login chose, also when the alias `default` moves later.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from tokenctl.errors import StoreDamaged, StoreUnavailable
from tokenctl.model import session as sessions
from tokenctl.model.session import Session
from tokenctl.storage.failures import OTHER_STORES_HINT, locked, naming_its_keyring, unavailable
from tokenctl.storage.patience import Patience
from tokenctl.storage.secret_bus import Again, Locked
from tokenctl.storage.secret_calls import SecretCalls

BACKEND = "keyring.backends.SecretService.Keyring"
SESSION_COLLECTION = "/org/freedesktop/secrets/collection/session"
"""The collection that is deleted when the person logs out of the machine."""
_PREFERRED = "KEYRING_PROPERTY_PREFERRED_COLLECTION"
"""The keyring library's setting. It counts where no login chose a collection yet."""
_APPLICATION = "Python keyring library"

Result = TypeVar("Result")


@naming_its_keyring
class SecretServiceStore:
    """Sessions in one collection of the Secret Service. See `model.store.Store`.

    `collection` is the path that a login chose; None means the default collection of now. The kind `session` is the
    collection that is deleted when the person logs out of the machine.
    """

    backend = BACKEND

    def __init__(
        self,
        kind: str,
        patience: Patience,
        collection: str | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.kind = kind
        self._patience = patience
        self._calls = SecretCalls(environ, patience)
        self._collection = SESSION_COLLECTION if kind == "session" else collection or environ.get(_PREFERRED)
        self._read_ahead: dict[str, bytes | None] = {}

    def check(self) -> None:
        """Check that a program answers as the Secret Service. Raises StoreUnavailable or StoreTimedOut."""
        with self._patience.told():
            if not self._calls.available():
                raise unavailable("no program on the session bus is a Secret Service, and none can be started")

    @property
    def collection(self) -> str:
        """The collection's path. Raises StoreError when there is no default collection."""
        if self._collection is None:
            with self._patience.told():
                self._collection = self._default()
        return self._collection

    def stay_in(self, collection: str) -> None:
        """Use the collection of an earlier login if it is still there, and the settings name no other one."""
        if self._collection is None:
            with contextlib.suppress(StoreUnavailable):
                self._made(lambda: self._calls.locked(collection))
                self._collection = collection

    def prepare(self, profile: str) -> None:
        """Check that the keyring answers and is unlocked."""
        self._unlocked()
        for username in ("session", "secret"):
            self._made(lambda username=username: self._found(profile, username))  # type: ignore[misc]

    def read(self, profile: str) -> Session | None:
        """Read the profile's session."""
        document = self._read(profile, "session")
        return None if document is None else sessions.loads(document, f"keyring entry 'tokenctl:{profile}'")

    def write(self, profile: str, session: Session) -> None:
        """Keep the session, read it back and compare."""
        self._write(profile, "session", sessions.dumps(session))

    def read_secret(self, profile: str) -> str | None:
        """Read the profile's client secret."""
        return self._read(profile, "secret")

    def write_secret(self, profile: str, secret: str) -> None:
        """Keep the client secret, read it back and compare."""
        self._write(profile, "secret", secret)

    def delete(self, profile: str) -> None:
        """Remove the profile's session and client secret, all of them where there are several."""
        for username in ("session", "secret"):
            self._made(lambda username=username: self._remove(profile, username))  # type: ignore[misc]

    # -- read ahead: see `secret_ahead` ----------------------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The collection that the login or the settings chose, or that was the default one; None where it is not known."""
        return self._collection

    def has_read(self, profile: str, secret: bytes | None) -> None:
        """Take the profile's entry (None: there is none), which was read with others: the next `read` returns it."""
        self._read_ahead[profile] = secret

    # -- one entry -------------------------------------------------------------------------------------

    def _read(self, profile: str, username: str) -> str | None:
        ahead = username == "session" and profile in self._read_ahead
        document = self._read_ahead.pop(profile) if ahead else self._made(lambda: self._found(profile, username))
        try:
            return None if document is None else document.decode()
        except UnicodeDecodeError:
            raise StoreDamaged(
                f"the keyring entry 'tokenctl:{profile}' is damaged: it is no text",
                hint="sign in again with 'tokenctl login'; nothing was deleted",
            ) from None

    def _found(self, profile: str, username: str) -> bytes | None:
        items = self._items(profile, username)
        return self._secret(items[0]) if items else None

    def _secret(self, item: str) -> bytes:
        """Read an item's secret. A locked one is unlocked first; KWallet answers it with an empty secret."""
        for _ in range(2):
            try:
                secret = self._calls.secret(item)
            except Locked:
                pass
            else:
                if secret or not self._calls.locked(item, "Item"):
                    return secret
            self._calls.unlock(item)
        raise locked()

    def _write(self, profile: str, username: str, document: str) -> None:
        self._made(lambda: self._put(profile, username, document.encode()))
        self._calls.sync(self.collection)
        if self._read(profile, username) != document:
            raise StoreDamaged(
                f"the keyring ({self.backend}) did not keep what was written to it", hint=OTHER_STORES_HINT
            )

    def _put(self, profile: str, username: str, secret: bytes) -> None:
        """Write into the item that is read, or make one."""
        service = f"tokenctl:{profile}"
        items = self._items(profile, username)
        for _ in range(2):
            try:
                if items:
                    self._calls.replace(items[0], secret)
                else:
                    label = f"Password for '{username}' on '{service}'"  # the keyring library's words
                    attributes = {"application": _APPLICATION, **attributes_of(profile, username)}
                    self._calls.create(self.collection, label, attributes, secret)
            except Locked:
                self._calls.unlock(items[0] if items else self.collection)
            else:
                return
        raise locked()

    def _remove(self, profile: str, username: str) -> None:
        """Delete every item. It must be unlocked: KWallet says yes to a locked one, and keeps it."""
        for item in self._items(profile, username):
            if self._calls.locked(item, "Item"):
                self._calls.unlock(item)
                if self._calls.locked(item, "Item"):
                    raise locked()
            self._calls.delete(item)
        if self._items(profile, username):
            raise unavailable("the entry is still there after it was deleted")

    def _items(self, profile: str, username: str) -> list[str]:
        """List the entry's items, newest first. A locked collection may hide its items, so it is unlocked first."""
        attributes = attributes_of(profile, username)
        items = self._calls.search(self.collection, attributes)
        if not items and self._calls.locked(self.collection):
            self._unlocked()
            items = self._calls.search(self.collection, attributes)
        return items

    # -- the collection --------------------------------------------------------------------------------

    def _default(self) -> str:
        found = self._made(self._calls.default)
        if found is not None:
            return found
        if self._patience.attended:
            return self._made(self._calls.create_default)
        raise unavailable(
            "it has no default collection",
            hint="open the keyring's own program and make one (KeePassXC: unlock the database), then try again;"
            " or sign in with 'tokenctl login --store file'",
        )

    def _unlocked(self) -> None:
        """Unlock the collection if it is locked. Raises StoreLocked when it stays locked."""
        collection = self.collection
        if not self._made(lambda: self._calls.locked(collection)):
            return
        self._made(lambda: self._calls.unlock(collection))
        if self._made(lambda: self._calls.locked(collection)):
            raise locked()

    def _made(self, call: Callable[[], Result]) -> Result:
        """Make a call. Once more if what it needs has just been replaced, which gnome-keyring does under load."""
        with self._patience.told():
            try:
                return call()
            except Again:
                return self._made_again(call)
            except Locked:
                raise locked() from None

    @staticmethod
    def _made_again(call: Callable[[], Result]) -> Result:
        try:
            return call()
        except Again as reason:
            raise unavailable(str(reason)) from None
        except Locked:
            raise locked() from None


def attributes_of(profile: str, username: str) -> dict[str, str]:
    """Return the attributes by which a profile's entry is found: those of the keyring library."""
    return {"service": f"tokenctl:{profile}", "username": username}
