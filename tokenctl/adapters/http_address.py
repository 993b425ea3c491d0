"""The address of a request, as HTTP sends it: host and port for the connection, and the target (RFC 9112 section 3.2)."""

from urllib.parse import quote, urlsplit

import httpcore

_KEPT = "!#$%&'()*+,/:;=?@[]~"
"""What stands in a path or a query as it is (RFC 3986 section 2.2). Everything else is written as %XX; `%` is one already."""


def address(url: str) -> httpcore.URL:
    """Make httpcore's address of a URL. Raises ValueError for one that is not valid, or is not of HTTP."""
    if not url.isprintable():
        raise ValueError("a control character")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no address of HTTP")
    target = quote(parts.path, _KEPT) or "/"
    if parts.query:
        target += "?" + quote(parts.query, _KEPT)
    return httpcore.URL(
        scheme=parts.scheme.encode(),
        host=_ascii(parts.hostname).encode(),
        port=parts.port,
        target=target.encode(),
    )


def host_header(url: str) -> str:
    """Return what the header `Host` says (RFC 9110 section 7.2): host and port, without the scheme's default port."""
    return _ascii(host_and_port(url)).lower()


def host_and_port(url: str) -> str:
    """Name the host of a URL, and the port if it is not the scheme's default."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.rpartition("@")[2].removesuffix(default)


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode()
