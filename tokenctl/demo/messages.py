"""One request as it arrived and one reply as it leaves: the records between the socket and the rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from tokenctl.demo.registry import OAuthError


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request. Header names are in lower case; `number` counts the requests of one server."""

    number: int
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
        return dict(reversed(_pairs(self.target.partition("?")[2])))

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a form-encoded body; of a repeated one the first."""
        return dict(reversed(self._form_pairs))

    @cached_property
    def json(self) -> dict[str, Any]:
        """The members of a JSON body; empty unless it is an object."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def resources(self) -> tuple[str, ...]:
        """Every `resource`, the one parameter that may repeat; an absolute URI each (RFC 8707)."""
        pairs = _pairs(self.target.partition("?")[2]) + self._form_pairs
        found = tuple(dict.fromkeys(value for name, value in pairs if name == "resource"))
        if any(":" not in uri or "#" in uri for uri in found):
            raise OAuthError("invalid_target", "resource must be an absolute URI without fragment")
        return found

    def refuse_repeats(self) -> None:
        """RFC 6749 section 3.1 and 3.2: a parameter must not be sent twice."""
        for pairs in (_pairs(self.target.partition("?")[2]), self._form_pairs):
            names = [name for name, _ in pairs if name != "resource"]
            if len(names) != len(set(names)):
                raise OAuthError("invalid_request", "a parameter is repeated")

    @property
    def _form_pairs(self) -> list[tuple[str, str]]:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            return []
        return _pairs(self.body.decode(errors="replace"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply, and the ways a test wants it to go wrong.

    `delay` seconds pass before anything is sent. `drop_before` closes the connection instead of
    processing the request, `drop_after` processes it as usual and closes without a word.
    A `Content-Length` in `headers` replaces the true one.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    drop_before: bool = False
    drop_after: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object in the body."""
        document: dict[str, Any] = json.loads(self.body)
        return document


def json_reply(document: object, status: int = 200, **headers: str) -> Reply:
    """A JSON reply nobody may keep; `www_authenticate="..."` becomes the header `Www-Authenticate`."""
    fixed = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Reply(status=status, headers=fixed | named, body=json.dumps(document).encode())


def _pairs(encoded: str) -> list[tuple[str, str]]:
    # RFC 6749 section 3.1: a parameter without a value counts as left out.
    return parse_qsl(encoded, errors="replace")
