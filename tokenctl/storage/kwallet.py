"""The store in KWallet, through the keyring library's backend and KWallet's own D-Bus interface.

A closed wallet is locked: the backend would open a dialog, and wait for it longer than the deadline. And KWallet
writes to the disk seconds after a change, so it is asked to write at once.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from keyring.backend import KeyringBackend

from tokenctl.adapters.bus_address import BusUnavailable
from tokenctl.adapters.session_bus import BusError, BusSilent, SessionBus
from tokenctl.errors import StoreUnavailable
from tokenctl.storage import kwallet_calls
from tokenctl.storage.failures import KWALLET_HINT, locked, unavailable
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.patience import Patience, timed_out

Result = TypeVar("Result")


class KWalletStore(KeyringStore):
    """Sessions in the person's wallet. See `model.store.Store`."""

    def __init__(self, keyring_backend: KeyringBackend, patience: Patience, environ: Mapping[str, str]) -> None:
        super().__init__(keyring_backend, "keyring", patience)
        self._environ = environ
        self._opened = False

    def _call(self, call: Callable[[], Result], written: str = "") -> Result:
        # Each time: the daemon can have been restarted, and the backend would open the wallet with a dialog then.
        if not self._patience.attended and self._closed():
            raise locked(KWALLET_HINT)
        backend: Any = self._keyring_backend
        try:
            result = super()._call(call, written)
        except StoreUnavailable:
            if not self._opened:
                raise
            self._opened, backend.handle = False, -1  # the daemon was restarted since the last call: open it again
            return self._call(call, written)
        self._opened = True
        if written:
            super()._call(lambda: backend.iface.sync(backend.handle, backend.appid))
        return result

    def _closed(self) -> bool:
        """Tell whether the wallet is surely closed. What cannot be asked, the backend tells.

        Raises StoreTimedOut, and StoreUnavailable when KWallet does not run and cannot be started.
        """
        backend: Any = self._keyring_backend
        seconds = self._patience.limit
        try:
            bus = SessionBus(self._environ, seconds)
        except BusUnavailable:
            return False
        except BusSilent:
            raise timed_out(self._patience.seconds) from None
        try:
            daemon = kwallet_calls.daemon_of(bus, backend.bus_name, seconds)
            if daemon is None:
                daemon = kwallet_calls.started(bus, backend.bus_name, seconds)
            if daemon is None:
                raise unavailable("KWallet does not run")
            wallet = kwallet_calls.network_wallet(bus, daemon, seconds)
            return not kwallet_calls.is_open(bus, daemon, wallet, seconds)
        except (BusError, BusUnavailable):
            return False
        except BusSilent:
            raise timed_out(self._patience.seconds) from None
        finally:
            bus.close()
