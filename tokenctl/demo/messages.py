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
        """The path of the request target, without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The query parameters."""
        return dict(self._query_pairs())

    @property
    def form(self) -> dict[str, str]:
        """The parameters of a form-encoded body."""
        return dict(self._form_pairs())

    @property
    def resources(self) -> tuple[str, ...]:
        """Every `resource`, the one parameter that may repeat (RFC 8707 section 2).

        Raises OAuthError unless each is an absolute URI without a fragment.
        """
        pairs = self._query_pairs() + self._form_pairs()
        found = tuple(dict.fromkeys(value for name, value in pairs if name == "resource"))
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
        for pairs in (self._query_pairs(), self._form_pairs()):
            names = [name for name, _ in pairs if name != "resource"]
            if len(names) != len(set(names)):
                raise OAuthError("invalid_request", "a parameter is repeated")

    def _query_pairs(self) -> list[tuple[str, str]]:
        # parse_qsl drops a parameter without a value, as RFC 6749 section 3.1 wants.
        return parse_qsl(self.target.partition("?")[2], errors="replace")

    def _form_pairs(self) -> list[tuple[str, str]]:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_form = kind == "application/x-www-form-urlencoded"
        return parse_qsl(self.body.decode(errors="replace"), errors="replace") if is_form else []


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
