"""Token APIs that are not OAuth: the request a description makes, and the token set in the answer.

Values are put into the body as JSON strings, never pasted into text, so that no secret can change its
meaning. A path that is missing, or where something else than it should be lies, is refused and named.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tokenctl.errors import LoginRequired, Refused, UsageError
from tokenctl.model.token_api import PLACEHOLDER, Call
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.token_response import DEFAULT_LIFETIME, LONGEST_LIFETIME, LONGEST_TOKEN, TokenSet
from tokenctl.oauth.wire import JSON, Request, Response, describe, json_object, overloaded, safe_url, try_later

REFUSALS = (400, 401, 403, 404, 410, 422)
"""Statuses with which such APIs say that they know this refresh token no more."""


def request(call: Call, values: Mapping[str, str | None]) -> Request:
    """Build the request of a call, with the values in the places of their placeholders. Raises UsageError."""
    return Request(
        url=safe_url(call.url, "the url of the profile's api"),
        verb=call.method,
        json=None if call.body is None else json.dumps(_filled(json.loads(call.body), values)),
        headers={name: _header(_fill(text, values)) for name, text in call.headers},
    )


def parse(call: Call, response: Response, what: str) -> TokenSet:
    """Read the answer of a login or a refresh (`what`).

    Raises Unreachable (429, 5xx), LoginRequired (a refresh token that is refused) or Refused.
    """
    if overloaded(response):
        raise try_later(response, f"the {what} endpoint")
    if response.status not in (200, 201):
        if what == "refresh" and response.status in REFUSALS:
            raise LoginRequired(f"the server no longer accepts this session ({describe(response)})")
        raise Refused(f"the server refused the {what} ({describe(response)})", hint="check the API key or password")
    document = _document(response, what)
    token = _token(document, call.access_token or "", what)
    received_at = response.received_at
    return TokenSet(
        access_token=token,
        token_type="Bearer",
        obtained_at=received_at,
        expires_at=_expires_at(call, document, token, received_at, what),
        refresh_token=_refresh_token(document, call, what),
    )


def rotated(call: Call, response: Response) -> str | None:
    """Take the new refresh token out of a successful answer, whatever else is wrong with it."""
    try:
        return _refresh_token(json_object(response.body), call, "refresh") if response.status in (200, 201) else None
    except (ValueError, Refused):
        return None


def check_revoked(response: Response) -> str | None:
    """Read the answer of a revocation: None when it is done, else what the server said. Raises Unreachable."""
    if overloaded(response):
        raise try_later(response, "the revoke endpoint")
    return None if 200 <= response.status < 300 else describe(response)


def _document(response: Response, what: str) -> JSON:
    try:
        return json_object(response.body)
    except ValueError as reason:
        raise Refused(f"the {what} endpoint answered {describe(response)}: {reason}") from None


def _at(document: JSON, pointer: str) -> Any:
    """Follow a JSON Pointer (RFC 6901 section 4). Raises KeyError when nothing lies there."""
    found: Any = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, Mapping) and key in found:
            found = found[key]
        else:
            raise KeyError(pointer)
    return found


def _token(document: JSON, pointer: str, what: str) -> str:
    try:
        value = _at(document, pointer)
    except KeyError:
        raise Refused(f"the answer of the {what} has nothing at {pointer}") from None
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= LONGEST_TOKEN
        or not all("!" <= each <= "~" for each in value)
    ):
        raise Refused(f"the answer of the {what} has no token at {pointer}")
    return value


def _refresh_token(document: JSON, call: Call, what: str) -> str | None:
    """Take the refresh token from where the profile says it lies; a call that names no place brings none.

    "Absent" never means "keep the old one": where the API rotates, that one is spent already.
    """
    return None if call.refresh_token is None else _token(document, call.refresh_token, what)


def _expires_at(call: Call, document: JSON, token: str, received_at: int, what: str) -> int:
    pointer = call.expires_in or call.expires_at
    if pointer is None:
        claimed = unverified_claims(token).get("exp")
        if isinstance(claimed, int | float) and received_at < claimed < received_at + LONGEST_LIFETIME:
            return int(claimed)
        return received_at + DEFAULT_LIFETIME
    try:
        moment = _moment(_at(document, pointer))
    except (KeyError, ValueError):
        raise Refused(f"the answer of the {what} has no time at {pointer}") from None
    moment += received_at if call.expires_in else 0
    if not received_at <= moment <= received_at + LONGEST_LIFETIME:
        raise Refused(f"the answer of the {what} has no sensible time at {pointer}")
    return moment


def _moment(value: Any) -> int:
    """Read seconds, as a number or in digits, or a date of RFC 3339. Raises ValueError."""
    if isinstance(value, str) and not value.isdecimal():
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError
        return int(found.timestamp())
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    return int(value)


def _filled(template: Any, values: Mapping[str, str | None]) -> Any:
    if isinstance(template, str):
        return _fill(template, values)
    if isinstance(template, list):
        return [_filled(each, values) for each in template]
    if isinstance(template, Mapping):
        return {key: _filled(each, values) for key, each in template.items()}
    return template


def _fill(text: str, values: Mapping[str, str | None]) -> str:
    def value(match: Any) -> str:
        found = values.get(match[1])
        if found is None:
            raise UsageError(f"the profile's api wants {match[0]}, and there is none")
        return found

    return PLACEHOLDER.sub(value, text)


def _header(text: str) -> str:
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise UsageError("a header of the profile's api would hold characters that no header may have")
    return text
