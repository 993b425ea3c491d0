"""Read NO_PROXY: which servers are reached without a proxy.

No standard rules this variable. These rules are those that curl, Go and Python share, or that one of them has and no
other contradicts: names with their subdomains, IP addresses, CIDR blocks, ports, and `*`. A name is never looked up.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_ENTRY = re.compile(r"(?P<name>\[[^\]]*\](?:/\d+)?|[^:\[\]]*)(?::(?P<port>\d{1,5}))?")
"""A name, address or block, and a port or none. An IPv6 address with a port is in brackets (RFC 3986 section 3.2.2)."""


def covers(no_proxy: str, scheme: str, host: str, port: int) -> bool:
    """Tell whether an entry of `no_proxy` is about this server. Entries are divided by commas and blanks.

    `host` is as in a URL, an IPv6 address without brackets. An entry that cannot be read is about no server.
    """
    host = host.lower().removesuffix(".")
    address = _address(host)
    return any(_is_about(entry, scheme, host, address, port) for entry in re.split(r"[,\s]+", no_proxy.lower()))


def _is_about(entry: str, scheme: str, host: str, address: IPv4Address | IPv6Address | None, port: int) -> bool:
    if entry == "*":
        return True
    before, separator, rest = entry.partition("://")  # some people write a URL
    if separator:
        if before not in ("all", scheme):
            return False
        entry = rest.rstrip("/")
    if _in_block(entry, address):  # here too, because an IPv6 address without brackets looks like a name and a port
        return True
    found = _ENTRY.fullmatch(entry)
    if found is None or (found["port"] is not None and int(found["port"]) != port):
        return False
    if address is not None:  # a name never stands for an address: "5" is not about 10.0.0.5
        return _in_block(found["name"], address)
    return _names(found["name"], host)


def _names(name: str, host: str) -> bool:
    """Tell whether the name is the host's, or a parent of it. `*.name` is a parent only."""
    parent = name.removeprefix("*").lstrip(".").removesuffix(".")
    try:
        parent = parent if parent.isascii() else parent.encode("idna").decode()
    except UnicodeError:
        return False
    return bool(parent) and (host.endswith(f".{parent}") or (host == parent and not name.startswith("*")))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an IP address, without its zone. An IPv4 address in IPv6 form is the IPv4 address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _in_block(text: str, address: IPv4Address | IPv6Address | None) -> bool:
    """Tell whether the text is a block with this address, or the address itself."""
    if address is None:
        return False
    text = re.sub(r"^\[([^\]]*)\]", r"\1", text)
    if "/" not in text:
        return _address(text) == address
    try:
        return address in ip_network(text, strict=False)
    except ValueError:
        return False
