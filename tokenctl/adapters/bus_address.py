"""The address of the D-Bus session bus.

It is a list, as the D-Bus specification defines it ("Server Addresses"). The first one that can be reached is used.
Only unix sockets are: `tcp:` and `nonce-tcp:` have no encryption and do not tell who is at the other end, and
`unixexec:` starts a program.
"""

import os
import re
from collections.abc import Mapping


class BusUnavailable(Exception):
    """There is no session bus that can be used, or it has ended the connection. The text has the reason."""


def sockets(environ: Mapping[str, str]) -> list[bytes]:
    """List the unix sockets of the session bus, in the order in which they are tried. Raises BusUnavailable.

    Where no address is set, it is the socket `bus` in the runtime directory: cron and SSH set no address.
    """
    text = environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if not text:
        if not runtime.startswith("/"):
            raise BusUnavailable("there is no session bus: DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR are not set")
        return [os.fsencode(f"{runtime}/bus")]
    found, reasons = [], []
    for each in filter(None, text.split(";")):
        try:
            found.append(_socket(each, runtime))
        except BusUnavailable as reason:
            reasons.append(str(reason))
    if not found:
        raise BusUnavailable("; ".join(dict.fromkeys(reasons)) or "DBUS_SESSION_BUS_ADDRESS has no address")
    return found


def _socket(address: str, runtime: str) -> bytes:
    kind, colon, rest = address.partition(":")
    pairs = [pair.partition("=") for pair in filter(None, rest.split(","))]
    if not colon or not all(name and equals for name, equals, _ in pairs):
        raise BusUnavailable(f"{address!r:.120} in DBUS_SESSION_BUS_ADDRESS is no D-Bus address")
    if kind != "unix":
        raise BusUnavailable(
            f"DBUS_SESSION_BUS_ADDRESS names a session bus of the kind {kind + ':'!r:.40}, and tokenctl can use only 'unix:'"
        )
    values = {name: _unescaped(value) for name, _, value in pairs}
    if "path" in values:
        return values["path"]
    if "abstract" in values:
        return b"\0" + values["abstract"]
    if values.get("runtime") == b"yes" and runtime.startswith("/"):
        return os.fsencode(f"{runtime}/bus")
    raise BusUnavailable(f"{address!r:.120} in DBUS_SESSION_BUS_ADDRESS names no socket that a program can connect to")


def _unescaped(value: str) -> bytes:
    if "%" not in value:  # as most addresses: nothing is to be replaced, and no regular expression to be compiled
        return os.fsencode(value)
    if re.search(r"%(?![0-9A-Fa-f]{2})", value):
        raise BusUnavailable("DBUS_SESSION_BUS_ADDRESS has a '%' without two hexadecimal digits")
    return re.sub(rb"%(..)", lambda found: bytes.fromhex(found[1].decode()), os.fsencode(value))
