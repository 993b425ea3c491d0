"""The calls of the Secret Service API that a store needs, over this process's one connection to the session bus.

https://specifications.freedesktop.org/secret-service: collections have items, and an item has attributes and a
secret. A call that needs a person returns a prompt; where nobody can answer, the prompt is dismissed.

The secret is sent without encryption on the bus. A program that can listen to this bus can also ask the keyring.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from tokenctl.adapters.bus_address import BusUnavailable
from tokenctl.adapters.session_bus import BUS, BusError, BusSilent
from tokenctl.errors import StoreError
from tokenctl.storage import kwallet_calls
from tokenctl.storage.failures import KWALLET_HINT, UNLOCK_HINT, locked, unavailable
from tokenctl.storage.patience import Patience, timed_out
from tokenctl.storage.secret_bus import NAME, PATH, SECRET, Again, Locked, SecretBus, Vanished

_COMPLETED = f"type='signal',sender='{NAME}',interface='{SECRET}.Prompt',member='Completed'"
_UNLOCK_HINTS = {
    "org.keepassxc.KeePassXC.MainWindow": "unlock the database in KeePassXC, or allow the access there, then try again"
    " at a terminal",
    "org.kde.kwalletd6": KWALLET_HINT,
    "org.kde.kwalletd5": KWALLET_HINT,
}
"""What a person can do, by the name that the keyring has on the bus."""


class SecretCalls:
    """The calls. All raise a StoreError, or Again; those that need an unlocked collection or item also Locked."""

    def __init__(self, environ: Mapping[str, str], patience: Patience) -> None:
        self._patience = patience
        self._seconds = patience.limit
        self._bus = SecretBus(environ, patience.limit)
        self._declined = False

    def available(self) -> bool:
        """Tell whether there is a Secret Service on the bus, or one that the bus can start."""
        if self._bus.has_session:  # it has answered this process already
            return True
        (running,) = self._bus.asked(BUS, "NameHasOwner", "s", NAME)
        return running or NAME in self._bus.asked(BUS, "ListActivatableNames", "")[0]

    # -- collections -----------------------------------------------------------------------------------

    def default(self) -> str | None:
        """Return the path of the collection that the alias `default` means now; None when there is none."""
        (path,) = self._bus.call(PATH, "Service", "ReadAlias", "s", "default")
        return None if path == "/" else str(path)

    def create_default(self) -> str:
        """Make the default collection. A person chooses its password."""
        label = {f"{SECRET}.Collection.Label": ("s", "Default")}
        path, prompt = self._bus.call(PATH, "Service", "CreateCollection", "a{sv}s", label, "default")
        return str(path) if path != "/" else str(self._ask(prompt))

    def locked(self, path: str, interface: str = "Collection") -> bool:
        """Tell whether a collection (or an `Item`) is locked."""
        try:
            return bool(self._bus.property_of(path, interface, "Locked"))
        except Vanished:
            if interface == "Collection":
                raise self._gone(path) from None
            raise

    def unlock(self, path: str) -> None:
        """Unlock a collection or an item; a person may be asked. It can be locked all the same afterwards."""
        _, prompt = self._bus.call(PATH, "Service", "Unlock", "ao", [path])
        if self._patience.attended or prompt == "/" or self._is_open_wallet(path):
            self._ask(prompt)
        else:
            self._dismiss(prompt)
            raise locked(self._unlock_hint())

    # -- items -----------------------------------------------------------------------------------------

    def search(self, collection: str, attributes: Mapping[str, str]) -> list[str]:
        """List the collection's items with these attributes: the one that was changed last comes first."""
        try:
            (items,) = self._bus.call(collection, "Collection", "SearchItems", "a{ss}", dict(attributes))
        except Vanished:
            raise self._gone(collection) from None
        if len(items) > 1:  # their times are whole seconds, so the path decides between two of the same
            items = sorted(
                items, key=lambda item: (self._bus.property_of(item, "Item", "Modified"), item), reverse=True
            )
        return list(items)

    def secret(self, item: str) -> bytes:
        """Read an item's secret."""
        ((_, _, secret, _),) = self._bus.call(item, "Item", "GetSecret", "o", self._bus.session)
        return bytes(secret)

    def replace(self, item: str, secret: bytes) -> None:
        """Give an item another secret."""
        sent = (self._bus.session, b"", secret, "text/plain")
        self._bus.call(item, "Item", "SetSecret", "(oayays)", sent, written=secret)

    def create(self, collection: str, label: str, attributes: Mapping[str, str], secret: bytes) -> None:
        """Make an item."""
        properties = {
            f"{SECRET}.Item.Label": ("s", label),
            f"{SECRET}.Item.Attributes": ("a{ss}", dict(attributes)),
        }
        sent = (self._bus.session, b"", secret, "text/plain")
        _, prompt = self._bus.call(
            collection, "Collection", "CreateItem", "a{sv}(oayays)b", properties, sent, True, written=secret
        )
        self._ask(prompt)

    def delete(self, item: str) -> None:
        """Delete an item; a person may be asked."""
        (prompt,) = self._bus.call(item, "Item", "Delete")
        self._ask(prompt)

    # -- KWallet ---------------------------------------------------------------------------------------

    def sync(self, collection: str) -> None:
        """Have the collection written to the disk now, where the keyring is KWallet. A failure is no failure."""
        with contextlib.suppress(StoreError, Again, BusError, BusSilent, BusUnavailable):
            bus = self._bus.connection.bus
            with bus.turn:
                daemon = kwallet_calls.daemon_of(bus, NAME, self._seconds)
                if daemon is not None:
                    kwallet_calls.sync(
                        bus, daemon, self._bus.property_of(collection, "Collection", "Label"), self._seconds
                    )

    def _is_open_wallet(self, path: str) -> bool:
        """Tell whether the keyring is KWallet and the wallet is open: then unlocking asks nobody."""
        collection = "/".join(path.split("/")[:6])  # the path of an item begins with that of its collection
        with contextlib.suppress(StoreError, Again, BusError, BusSilent, BusUnavailable):
            bus = self._bus.connection.bus
            with bus.turn:
                daemon = kwallet_calls.daemon_of(bus, NAME, self._seconds)
                if daemon is not None:
                    label = self._bus.property_of(collection, "Collection", "Label")
                    return kwallet_calls.is_open(bus, daemon, label, self._seconds)
        return False

    def _unlock_hint(self) -> str:
        """Return what a person can do to unlock this keyring."""
        with contextlib.suppress(StoreError, Again, Locked):
            (names,) = self._bus.asked(BUS, "ListNames", "")
            for name, hint in _UNLOCK_HINTS.items():
                if name in names:
                    return hint
        return UNLOCK_HINT

    # -- prompts ---------------------------------------------------------------------------------------

    def _ask(self, prompt: str) -> Any:
        """Make what a prompt is for happen, and return its result. It may ask a person, or nobody (KeePassXC).

        A prompt without an answer is dismissed.
        """
        if prompt == "/":
            return None
        if self._declined:
            self._dismiss(prompt)
            raise locked(self._unlock_hint())
        connection = self._bus.connection
        try:
            with connection.bus.turn:
                if not connection.listens:
                    connection.bus.listen(_COMPLETED, self._seconds)
                    connection.listens = True
                self._bus.call(prompt, "Prompt", "Prompt", "s", "")
                dismissed, (_, result) = connection.bus.signal(prompt, "Completed", self._seconds)
        except BusSilent:
            self._dismiss(prompt)
            raise timed_out(self._seconds) from None
        except BaseException:  # Ctrl-C
            self._dismiss(prompt)
            raise
        if dismissed:
            self._declined = True
            raise locked(self._unlock_hint())
        return result

    def _dismiss(self, prompt: str) -> None:
        with contextlib.suppress(StoreError, Again, Locked):
            self._bus.call(prompt, "Prompt", "Dismiss")

    def _gone(self, collection: str) -> StoreError:
        return unavailable(
            f"it has no collection {collection} any more",
            hint="open it in the program that keeps it (KeePassXC: open and unlock the database), then try again;"
            " 'tokenctl login' uses the keyring's default collection of that time",
        )
