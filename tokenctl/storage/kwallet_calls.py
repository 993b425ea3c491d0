"""The calls of KWallet's own D-Bus interface: is a wallet open, and write it to the disk now.

KWallet is also a Secret Service, with two surprises. It calls a wallet locked that the login to the desktop opened,
until somebody asks to unlock it; then nobody is asked. And it writes to the disk seconds after a change.
"""

import contextlib

from jeepney import DBusAddress

from tokenctl.adapters.session_bus import BUS, BusError, SessionBus

_NAMES = ("kwalletd6", "kwalletd5")
_APPLICATION = "tokenctl"


def daemon_of(bus: SessionBus, name: str, seconds: float) -> DBusAddress | None:
    """Return the address of KWallet's own interface, when the program with this bus name is KWallet; else None.

    Raises BusSilent or BusUnavailable.
    """
    owner = _owner(bus, name, seconds)
    for daemon in _NAMES:
        if owner is not None and owner == _owner(bus, f"org.kde.{daemon}", seconds):
            return DBusAddress(f"/modules/{daemon}", f"org.kde.{daemon}", "org.kde.KWallet")
    return None


def started(bus: SessionBus, name: str, seconds: float) -> DBusAddress | None:
    """Have the bus start KWallet, and return its address; None when the bus cannot start it.

    Raises BusSilent or BusUnavailable.
    """
    with contextlib.suppress(BusError):
        bus.call(BUS, "StartServiceByName", "su", name, 0, seconds=seconds)
    return daemon_of(bus, name, seconds)


def is_open(bus: SessionBus, daemon: DBusAddress, wallet: str, seconds: float) -> bool:
    """Tell whether the wallet is open. Raises BusError, BusSilent or BusUnavailable."""
    return bool(bus.call(daemon, "isOpen", "s", wallet, seconds=seconds)[0])


def network_wallet(bus: SessionBus, daemon: DBusAddress, seconds: float) -> str:
    """Return the name of the wallet for passwords. Raises BusError, BusSilent or BusUnavailable."""
    return str(bus.call(daemon, "networkWallet", seconds=seconds)[0])


def sync(bus: SessionBus, daemon: DBusAddress, wallet: str, seconds: float) -> None:
    """Have an open wallet written to the disk. Raises BusError, BusSilent or BusUnavailable.

    KWallet asks a person about this program only where "prompt when an application accesses a wallet" is set.
    """
    if not is_open(bus, daemon, wallet, seconds):
        return
    (handle,) = bus.call(daemon, "open", "sxs", wallet, 0, _APPLICATION, seconds=seconds)
    if handle >= 0:
        bus.call(daemon, "sync", "is", handle, _APPLICATION, seconds=seconds)
        bus.call(daemon, "close", "ibs", handle, False, _APPLICATION, seconds=seconds)


def _owner(bus: SessionBus, name: str, seconds: float) -> str | None:
    try:
        return str(bus.call(BUS, "GetNameOwner", "s", name, seconds=seconds)[0])
    except BusError:  # nobody has it
        return None
