"""A request as it arrived, and a reply as it leaves: the records between the socket and the rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tokenctl.demo.registry import OAuthError


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(_pairs(self.target.partition("?")[2]))

    @property
    def form(self) -> dict[str, str]:
        return dict(_pairs(self._form))

    @property
    def resources(self) -> tuple[str, ...]:
        """Every `resource`, the one parameter that may repeat (RFC 8707 section 2). Raises OAuthError."""
        found = tuple(dict.fromkeys(value for name, value in self._all_pairs() if name == "resource"))
        if any(":" not in uri or "#" in uri for uri in found):
            raise OAuthError("invalid_target", "resource must be an absolute URI without fragment")
        return found

    def required(self, name: str) -> str:
        """Return a form parameter. Raises OAuthError when it is missing."""
        if value := self.form.get(name):
            return value
        raise OAuthError("invalid_request", f"{name} is missing")

    def refuse_repeats(self) -> None:
        """Raise OAuthError when a parameter is sent twice (RFC 6749 sections 3.1 and 3.2)."""
        names = [name for name, _ in self._all_pairs() if name != "resource"]
        if len(names) != len(set(names)):
            raise OAuthError("invalid_request", "a parameter is repeated")

    def _all_pairs(self) -> list[tuple[str, str]]:
        return _pairs(self.target.partition("?")[2]) + _pairs(self._form)

    @property
    def _form(self) -> str:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return self.body.decode(errors="replace") if kind == "application/x-www-form-urlencoded" else ""


def _pairs(encoded: str) -> list[tuple[str, str]]:
    return parse_qsl(encoded, errors="replace")  # leaves out a parameter without a value: RFC 6749 section 3.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply. A header here replaces the same header of the HTTP layer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_reply(document: object, status: int = 200, headers: Mapping[str, str] = {}) -> Reply:
    """Make a JSON reply that must not be cached (RFC 6749 section 5.1)."""
    fixed = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
    return Reply(status=status, headers={**fixed, **headers}, body=json.dumps(document).encode())
