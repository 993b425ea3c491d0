"""Which requests are refused, and which headers pass: pure functions of a request's line and headers."""

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tokenctl.errors import UsageError
from tokenctl.handoff.proxy.paths import has_prefix, is_harmful, readings

Headers = Sequence[tuple[bytes, bytes]]
"""Names as they were written, and values; in their order."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization proxy-authentication-info"
    b" te trailer transfer-encoding upgrade http2-settings".split()
)
"""Headers for the next hop alone (RFC 9110 section 7.6.1), in lower case."""
_OVERRIDES = frozenset(b"x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url".split())
"""Headers by which some servers take another method or path than those of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Requests that are allowed: a method, or `*` for each, and the path prefix, which begins with a slash."""

    method: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> "Allow":
        """Read a text such as `GET /v1/models`. Raises UsageError."""
        method, _, prefix = text.strip().partition(" ")
        prefix = prefix.strip()
        if not (_TOKEN.fullmatch(method) and prefix.startswith("/") and prefix.isascii() and prefix.isprintable()):
            raise UsageError(
                f"{text!r:.80} is not a method and a path prefix", hint="write it as 'GET /v1'; '*' means every method"
            )
        found = readings(prefix.encode())
        if set(prefix) & set(" ?#%;") or found is None or any(is_harmful(each) for each in found):
            raise UsageError(f"{text!r:.80}: a path prefix has no ., .., %, ;, ?, # or backslash")
        return cls(method=method if method == "*" else method.upper(), prefix=prefix)

    def covers(self, method: str, found: list[str]) -> bool:
        """Tell whether a request is allowed: by its path as it is, and by that path in every reading."""
        return self.method in ("*", method) and all(has_prefix(each, self.prefix) for each in found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a request must be to pass. `hosts` are the values of `Host` that pass, in lower case; None: each."""

    secret: bytes = field(repr=False)
    secret_header: bytes
    allow: tuple[Allow, ...] = ()
    hosts: tuple[bytes, ...] | None = None

    def refusal(self, method: bytes, target: bytes, version: bytes, headers: Headers) -> "Refusal | None":
        """Return why the request is refused; None when it passes. The first rule that is broken counts."""
        named: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            named.setdefault(name.lower(), []).append(value)
        return (
            self._by_origin(named)
            or _by_form(method, target, version, named)
            or self._by_path(target)
            or self._by_secret(target, named)
            or self._by_allow(method, target, named)
        )

    def _by_origin(self, named: dict[bytes, list[bytes]]) -> "Refusal | None":
        if b"origin" in named:
            return Refusal(status=403, reason="a request with the header Origin is of a browser's page")
        if self.hosts is None:
            return None
        found = named.get(b"host", [])
        if len(found) == 1 and found[0].lower() in self.hosts:
            return None
        return Refusal(status=403, reason=f"the header Host must be {self.hosts[0].decode()}")

    def _by_path(self, target: bytes) -> "Refusal | None":
        found = readings(target.partition(b"?")[0])
        if found is None or any(is_harmful(each) for each in found):
            return Refusal(status=403, reason="the path has a segment . or .., a backslash or NUL")
        return None

    def _by_secret(self, target: bytes, named: dict[bytes, list[bytes]]) -> "Refusal | None":
        authorization, own = named.get(b"authorization", []), named.get(self.secret_header, [])
        if len(authorization) > 1 or (len(own) > 1 and self.secret_header != b"authorization"):
            return Refusal(status=400, reason="a header with credentials is there more than once")
        presented = [*own, *_credentials(authorization)]
        if not any([hmac.compare_digest(each, self.secret) for each in presented]):  # noqa: C419  all take their time
            return Refusal(status=401, reason="the request does not present the secret of this proxy")
        if self.secret in target:
            return Refusal(status=400, reason="the secret is in the address, which the upstream would see")
        return None

    def _by_allow(self, method: bytes, target: bytes, named: dict[bytes, list[bytes]]) -> "Refusal | None":
        if not self.allow:
            return None
        found = readings(target.partition(b"?")[0]) or []
        if not any(each.covers(method.decode(), found) for each in self.allow):
            return Refusal(status=403, reason="this method and path are not allowed here")
        if _OVERRIDES & named.keys():
            return Refusal(status=403, reason="a header that replaces the method or the path is not allowed here")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is refused: the status of the answer, and a sentence."""

    status: int
    reason: str


def _by_form(method: bytes, target: bytes, version: bytes, named: dict[bytes, list[bytes]]) -> Refusal | None:
    if version not in (b"1.0", b"1.1"):
        return Refusal(status=505, reason="only HTTP/1.0 and HTTP/1.1 are spoken here")
    if method.upper() in (b"CONNECT", b"TRACE", b"TRACK"):
        return Refusal(status=403, reason="this method is not passed on")
    if not target.startswith(b"/") or b"#" in target or not target.isascii():
        return Refusal(status=400, reason="the target of the request must be a path on this server")
    if b"transfer-encoding" in named and version == b"1.0":
        return Refusal(status=400, reason="HTTP/1.0 has no Transfer-Encoding")
    if any(value.lower() != b"100-continue" for value in named.get(b"expect", [])):
        return Refusal(status=417, reason="no expectation but 100-continue is met here")
    return None


def _credentials(lines: Iterable[bytes]) -> list[bytes]:
    """Return the Bearer token (RFC 6750 section 2.1) or the password (RFC 7617 section 2) of Authorization."""
    found = []
    for line in lines:
        scheme, _, rest = line.partition(b" ")
        if scheme.lower() == b"bearer":
            found.append(rest.strip())
        elif scheme.lower() == b"basic":
            try:
                found.append(b64decode(rest.strip(), validate=True).partition(b":")[2])
            except binascii.Error:
                pass  # as a wrong password
    return found


def to_upstream(headers: Headers, *, host: bytes, authorization: bytes, secret: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of the request for the upstream: the token in the place of the client's credentials.

    How long the body is, is said as this proxy has read it, whatever `Connection` names (RFC 9112 section 6.3).
    """
    dropped = _named_by_connection(headers)
    passed = [(b"Host", host)]
    chunked = any(name.lower() == b"transfer-encoding" for name, _ in headers)
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            if not chunked:
                passed.append((name, value))
        elif lower not in dropped and lower not in (b"host", b"authorization", b"expect") and secret not in value:
            passed.append((name, value))
    if chunked:
        passed.append((b"Transfer-Encoding", b"chunked"))
    passed.append((b"Authorization", authorization))
    return passed


def to_client(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers of the answer for the client. How its body ends is for the connection to say, if no length is."""
    dropped = _named_by_connection(headers) - {b"content-length"}
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):
        dropped |= {b"content-length"}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Return the names of the headers that are for this hop alone, in lower case."""
    lines = [value for name, value in headers if name.lower() == b"connection"]
    if not lines:
        return _HOP_BY_HOP
    return _HOP_BY_HOP | {each.strip().lower() for line in lines for each in line.split(b",")}
