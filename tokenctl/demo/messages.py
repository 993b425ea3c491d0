"""A request as it arrived, and a reply as it leaves: the records between the socket and the rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from tokenctl.demo.registry import OAuthError


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path of the request target, without its query."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> dict[str, str]:
        """The query parameters; of a repeated one the first."""
        return dict(reversed(self._query_pairs))

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a form-encoded body; of a repeated one the first."""
        return dict(reversed(self._form_pairs))

    @property
    def resources(self) -> tuple[str, ...]:
        """Every `resource`, the one parameter that may repeat (RFC 8707 section 2).

        Raises OAuthError unless each is an absolute URI without a fragment.
        """
        pairs = self._query_pairs + self._form_pairs
        found = tuple(dict.fromkeys(value for name, value in pairs if name == "resource"))
        if any(":" not in uri or "#" in uri for uri in found):
            raise OAuthError("invalid_target", "resource must be an absolute URI without fragment")
        return found

    def refuse_repeats(self) -> None:
        """Raise OAuthError when a parameter is sent twice (RFC 6749 sections 3.1 and 3.2)."""
        for pairs in (self._query_pairs, self._form_pairs):
            names = [name for name, _ in pairs if name != "resource"]
            if len(names) != len(set(names)):
                raise OAuthError("invalid_request", "a parameter is repeated")

    @property
    def _query_pairs(self) -> list[tuple[str, str]]:
        return _pairs(self.target.partition("?")[2])

    @property
    def _form_pairs(self) -> list[tuple[str, str]]:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return []
        return _pairs(self.body.decode(errors="replace"))


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


def _pairs(encoded: str) -> list[tuple[str, str]]:
    # RFC 6749 section 3.1: a parameter without a value counts as left out.
    return parse_qsl(encoded, errors="replace")
