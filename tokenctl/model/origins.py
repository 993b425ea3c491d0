"""Origins (RFC 6454): the scheme, host and port that a token may be sent to.

An origin is a text such as `https://api.example.com` or `http://127.0.0.1:8080`: the host in lower case, the port left
out where it is the scheme's own. So two origins are the same when their texts are equal, and nothing else makes them so:
`localhost` is not `127.0.0.1`, and a name with a dot at its end is another name.
"""

import re

from tokenctl.errors import UsageError

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?(?P<rest>(?:[/?#].*)?)",
    re.IGNORECASE,
)
_BEFORE_AT = re.compile(r"^([A-Za-z]+://)?.*@", re.DOTALL)
_PORTS = {"http": 80, "https": 443}
_LONGEST = 8192
"""Characters of a URL, at most."""


def origin_of(url: str) -> str:
    """Return the origin of an absolute URL. Raises ValueError when it has none that a token could be sent to.

    It must be `http` or `https`, without user information, spaces and control characters. A name that is not ASCII is
    refused: libraries disagree on its ASCII form.
    """
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise ValueError("not a URL")
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("not an http or https URL")
    return origin(found["scheme"], found["host"], int(found["port"]) if found["port"] else None)


def origin(scheme: str, host: str, port: int | None) -> str:
    """Make an origin of its parts; `port` None means the scheme's own. Raises ValueError.

    An IPv6 address can be in brackets. It is written in its shortest form.
    """
    scheme, host = scheme.lower(), host.lower()
    if scheme not in _PORTS or not host or port == 0 or (port or 1) > 65535:
        raise ValueError("not an origin")
    if host.startswith("[") or ":" in host:
        from ipaddress import IPv6Address

        host = f"[{IPv6Address(host.removeprefix('[').removesuffix(']'))}]"
    return f"{scheme}://{host}" + ("" if port in (None, _PORTS[scheme]) else f":{port}")


def host_of(origin: str) -> str:
    """Return the host of an origin, without the brackets of an IPv6 address."""
    address = origin.partition("://")[2]
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


def check(value: object, where: str) -> tuple[str, ...]:
    """Check the setting `hosts`: one origin (a text) or a list of them, each https, or http on this machine.

    Raises UsageError with `where` first.
    """
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise UsageError(f"{where} must be a list of strings, not {value!r:.40}")
    return tuple(dict.fromkeys(checked(each, where) for each in values))


def checked(text: str, where: str) -> str:
    """Check a text that a person wrote as an origin, and return the origin. Raises UsageError."""
    try:
        found = origin_of(text)
    except ValueError:
        near = origin_near(text)
        hint = f"did you mean {near}?" if near else "write it as https://api.example.com or http://127.0.0.1:8080"
        raise UsageError(f"{where}: {quoted(text)} is not an origin", hint=hint) from None
    if "/" in text.partition("://")[2].removesuffix("/") or "?" in text or "#" in text:
        raise UsageError(
            f"{where}: {quoted(text)} is more than an origin: a token is for all of a server",
            hint=f"write it as {found}",
        )
    if not is_private(found):
        raise UsageError(
            f"{where}: {quoted(text)} must be https: with http, everybody on the way could read the token",
            hint="http is for this machine alone: localhost, 127.0.0.1 or [::1]",
        )
    return found


def quoted(text: str) -> str:
    """Quote a text that should be a URL, for a message: what comes before `@` can have a password, and is left out."""
    shown = _BEFORE_AT.sub(r"\1...@", text)
    return f"{shown!r:.80}"


def origin_near(text: str) -> str | None:
    """Return the origin that was most likely meant by a text without a scheme; None when it is not clear."""
    try:
        found = None if "://" in text else origin_of(f"https://{text}")
    except ValueError:
        return None
    # A server of this machine mostly has no certificate.
    return origin_of(f"http://{text}") if found and is_loopback(host_of(found)) else found
