"""Which headers pass, to the upstream and to the client: pure functions."""

from collections.abc import Sequence

Headers = Sequence[tuple[bytes, bytes]]
"""Names as they were written, and values; in their order."""

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization proxy-authentication-info"
    b" te trailer transfer-encoding upgrade http2-settings".split()
)
"""Headers for the next hop alone (RFC 9110 section 7.6.1), in lower case."""
CLOSE = (b"Connection", b"close")


def to_upstream(
    headers: Headers, *, host: bytes, authorization: bytes, secret_header: bytes
) -> list[tuple[bytes, bytes]]:
    """Return the headers of the request for the upstream: the token in the place of the client's credentials.

    The length of the body is what this proxy has read, whatever `Connection` names (RFC 9112 section 6.3).
    """
    dropped = _of_this_hop(headers) | {b"host", b"authorization", b"expect", secret_header}
    chunked = is_chunked(headers)
    passed = [(b"Host", host)]
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            if not chunked:
                passed.append((name, value))
        elif lower not in dropped:
            passed.append((name, value))
    if chunked:
        passed.append((b"Transfer-Encoding", b"chunked"))
    passed.append((b"Authorization", authorization))
    return passed


def to_client(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of the answer for the client; where it has no length, the connection tells its end."""
    dropped = _of_this_hop(headers) - {b"content-length"}
    if is_chunked(headers):
        dropped |= {b"content-length"}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def is_chunked(headers: Headers) -> bool:
    """Tell whether the body comes in chunks: no other transfer coding is read here."""
    return any(name.lower() == b"transfer-encoding" for name, _ in headers)


def has_length(headers: Headers) -> bool:
    """Tell whether the length of the body is said."""
    return any(name.lower() == b"content-length" for name, _ in headers)


def _of_this_hop(headers: Headers) -> frozenset[bytes]:
    """Return the names of the headers that are for this hop alone, in lower case."""
    lines = [value for name, value in headers if name.lower() == b"connection"]
    if not lines:
        return HOP_BY_HOP
    return HOP_BY_HOP | {each.strip().lower() for line in lines for each in line.split(b",")}
