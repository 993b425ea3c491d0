"""Which requests are refused: a pure function of a request's line and headers."""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field

from tokenctl.errors import UsageError
from tokenctl.handoff.proxy.headers import HOP_BY_HOP, Headers
from tokenctl.handoff.proxy.paths import has_prefix, is_harmful, readings

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHODS_NOT_PASSED = frozenset((b"CONNECT", b"TRACE", b"TRACK"))
_OVERRIDES = frozenset(b"x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url".split())
"""Headers by which some servers take another method or path than those of the request."""
_NOT_SPELLED_OTHERWISE = (
    HOP_BY_HOP | _OVERRIDES | frozenset((b"content-length", b"host", b"authorization", b"expect", b"origin"))
)
"""Headers whose names must not be written with an underscore: many servers take that for the hyphen."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

Named = dict[bytes, list[bytes]]
"""The values of each header, by its name in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is refused: the status of the answer, and a sentence."""

    status: int
    reason: str


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
        if set(prefix) & set(" ?#%;\\") or is_harmful(prefix):
            raise UsageError(
                f"{text!r:.80}: a path prefix has no space, %, ;, ?, # or backslash, and no segment . or ..",
                hint="write a plain path, such as 'GET /v1/models'; a request may have any query",
            )
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
    _spellings: tuple[bytes, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_spellings", (self.secret, *_in_base64(self.secret)))

    def refusal(self, method: bytes, target: bytes, version: bytes, headers: Headers) -> Refusal | None:
        """Return why the request is refused; None when it passes. The first rule that is broken counts."""
        named: Named = {}
        for name, value in headers:
            named.setdefault(name.lower(), []).append(value)
        found = readings(target.partition(b"?")[0])
        return (
            self._by_origin(named)
            or _by_form(method, target, version)
            or _by_path(found)
            or _by_headers(version, named, self.secret_header)
            or self._by_secret(named)
            or self._by_leak(method, target, headers)
            or self._by_allow(method, found or [], named)
        )

    def _by_origin(self, named: Named) -> Refusal | None:
        if b"origin" in named:
            return Refusal(status=403, reason="a request with the header Origin is of a page in a browser")
        if self.hosts is None:
            return None
        found = named.get(b"host", [])
        if len(found) == 1 and found[0].lower() in self.hosts:
            return None
        return Refusal(status=403, reason=f"the header Host must be {self.hosts[0].decode()}")

    def _by_secret(self, named: Named) -> Refusal | None:
        authorization, own = named.get(b"authorization", []), named.get(self.secret_header, [])
        if len(authorization) > 1 or len(own) > 1:
            return Refusal(status=400, reason="a header with credentials is there more than once")
        presented = [*own, *_credentials(authorization)]
        if not any([hmac.compare_digest(each, self.secret) for each in presented]):  # noqa: C419  all take their time
            where = f"as bearer token, as password or in the header {self.secret_header.decode()}"
            return Refusal(status=401, reason=f"the request does not present the secret of this proxy {where}")
        return None

    def _by_leak(self, method: bytes, target: bytes, headers: Headers) -> Refusal | None:
        """Refuse what would take the secret to the upstream."""
        passed = [method, target]
        for name, value in headers:
            passed.append(name)
            if name.lower() not in (b"authorization", self.secret_header):
                passed.append(value)
        text = b"\n".join(passed)
        if any(each in text for each in self._spellings):
            return Refusal(status=400, reason="the secret is in a part of the request that the upstream would see")
        return None

    def _by_allow(self, method: bytes, found: list[str], named: Named) -> Refusal | None:
        if not self.allow:
            return None
        if not any(each.covers(method.decode(), found) for each in self.allow):
            return Refusal(status=403, reason="--allow of this proxy does not have this method and path")
        if _OVERRIDES & named.keys():
            return Refusal(status=403, reason="a header that replaces the method or the path is not allowed here")
        return None


def _by_form(method: bytes, target: bytes, version: bytes) -> Refusal | None:
    if version not in (b"1.0", b"1.1"):
        return Refusal(status=505, reason="only HTTP/1.0 and HTTP/1.1 are spoken here")
    if method.upper() in _METHODS_NOT_PASSED:
        return Refusal(status=403, reason="this method is not passed on")
    if not target.startswith(b"/") or b"#" in target or not target.isascii():
        return Refusal(status=400, reason="the target of the request must be a path on this server")
    return None


def _by_path(found: list[str] | None) -> Refusal | None:
    if found is None or any(is_harmful(each) for each in found):
        return Refusal(status=403, reason="the path has a segment . or .., a backslash or NUL")
    return None


def _by_headers(version: bytes, named: Named, secret_header: bytes) -> Refusal | None:
    for name, values in named.items():
        if any(_CONTROLS.search(each) for each in values):
            return Refusal(status=400, reason="a header has a control character")
        if b"_" in name:
            hyphened = name.replace(b"_", b"-")
            if hyphened in _NOT_SPELLED_OTHERWISE or hyphened == secret_header != name:
                return Refusal(status=400, reason="the name of a header is written with an underscore")
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


def _in_base64(secret: bytes) -> list[bytes]:
    """Return how base64 writes the secret inside a longer text; its first and last characters depend on the rest."""
    return [b64encode(bytes(before) + secret)[4:-4] for before in range(3)] if len(secret) >= 16 else []
