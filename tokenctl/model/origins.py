"""Origins (RFC 6454): the scheme, host and port that a token may be sent to.

An origin is a text such as `https://api.example.com` or `http://127.0.0.1:8080`: the host in lower case, the port left
out where it is the scheme's own. So two origins are the same when their texts are equal, and nothing else makes them so:
`localhost` is not `127.0.0.1`, and a name with a dot at its end is another name.

An address is an origin, or `//HOST:PORT` or `//HOST` where a protocol names no scheme.

The fast way of the helpers loads this file, so it imports nothing. What a person wrote is checked in `origin_checks`.
"""

_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_IPV6 = frozenset("0123456789abcdef:.")
_NEVER = frozenset(' \\"<>^`{|}')
_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192
"""Characters of a URL, at most."""


def origin_of(url: str) -> str:
    """Return the origin of an absolute URL. Raises ValueError when it has none that a token could be sent to.

    It must be `http` or `https`, without user information, spaces and control characters. A name that is not ASCII is
    refused: libraries disagree on its ASCII form.
    """
    scheme, found, rest = _checked(url).partition("://")
    if not found:
        raise ValueError("not an http or https URL")
    return origin(scheme, *_host_and_port(rest))


def address_of(text: str) -> str:
    """Return the address of a URL, or of a host that has no scheme: `HOST`, `HOST:PORT`, with or without a path.

    Raises ValueError as `origin_of` does.
    """
    if "://" in text:
        return origin_of(text)
    host, port = _host_and_port(_checked(text))
    if port is not None and not 0 < port < 65536:
        raise ValueError("not a port")
    return f"//{_written(host)}" + ("" if port is None else f":{port}")


def is_at(address: str, origin: str) -> bool:
    """Tell whether an address means the origin. Without a scheme, host and port must be those of the origin."""
    if not address.startswith("//"):
        return address == origin
    scheme, _, authority = origin.partition("://")
    host, port = _host_and_port(authority)
    wanted, at = _host_and_port(address[2:])
    return host == wanted and (port or _PORTS[scheme]) == (at or _PORTS[scheme])


def origin(scheme: str, host: str, port: int | None) -> str:
    """Make an origin of its parts; `port` None means the scheme's own. Raises ValueError.

    An IPv6 address can be in brackets. It is written in its shortest form.
    """
    scheme = scheme.lower()
    if scheme not in _PORTS or not host or port == 0 or (port or 1) > 65535:
        raise ValueError("not an origin")
    return f"{scheme}://{_written(host)}" + ("" if port in (None, _PORTS[scheme]) else f":{port}")


def _written(host: str) -> str:
    host = host.lower()
    if host.startswith("[") or ":" in host:
        from ipaddress import IPv6Address

        host = f"[{IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    return host


def _checked(url: str) -> str:
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or _NEVER.intersection(url):
        raise ValueError("not a URL")
    return url


def _host_and_port(rest: str) -> tuple[str, int | None]:
    """Read the host and the port at the beginning of what follows the scheme of a URL. Raises ValueError."""
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    authority = rest[:end].lower()
    host, colon, port = authority.partition(":")
    known = _NAME.issuperset(host)
    if authority.startswith("["):
        host, closing, port = authority.rpartition("]")
        host, colon, port = host + closing, port[:1], port[1:]
        known = _IPV6.issuperset(host[1:-1]) and closing != "" and colon in ("", ":")
    if not known or not 0 < len(host) <= 253 or (colon and not (port.isdigit() and len(port) <= 5)):
        raise ValueError("not a host")
    return host, int(port) if colon else None


def host_of(origin: str) -> str:
    """Return the host of an origin or an address, without the brackets of an IPv6 address."""
    address = origin.partition("//")[2]
    return address[1 : address.index("]")] if address.startswith("[") else address.partition(":")[0]


def is_loopback(host: str | None) -> bool:
    """Tell whether the host is `localhost` or a loopback address, which need no name server."""
    if host == "localhost":
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_private(origin: str) -> bool:
    """Tell whether nobody on the way can read what is sent to an origin: it is `https`, or on this machine."""
    return origin.startswith("https:") or is_loopback(host_of(origin))
