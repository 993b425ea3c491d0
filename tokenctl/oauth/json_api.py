"""Token APIs that are not OAuth: build a request from the profile's description, and read the token set in the answer.

Each value becomes one JSON string of the body; it is never inserted into JSON text. So no secret can change the
meaning of the body. When a JSON Pointer finds no value, or a value of the wrong type, the error names the pointer.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tokenctl.errors import LoginRequired, Refused, UsageError
from tokenctl.model.token_api import PLACEHOLDER, Call
from tokenctl.oauth import revocation
from tokenctl.oauth.answers import DECIMAL, LONGEST_LIFETIME, SPACES, is_page
from tokenctl.oauth.token_response import LONGEST_TOKEN, TokenSet, times
from tokenctl.oauth.wire import (
    JSON,
    Request,
    Response,
    describe,
    json_object,
    loose_object,
    overloaded,
    safe_url,
    try_later,
)

REFUSALS = (400, 401, 403, 404, 410, 422)
"""HTTP statuses with which such APIs refuse a refresh token. With a page it is somebody else who refuses."""


def request(call: Call, values: Mapping[str, str | None], purpose: str = "") -> Request:
    """Build the request of a call: each placeholder is replaced by its value. Raises UsageError."""
    return Request(
        url=safe_url(call.url, "the url of the profile's api"),
        verb=call.method,
        json=None if call.body is None else json.dumps(_fill_template(json.loads(call.body), values)),
        headers={name: _checked_header(_fill_text(text, values)) for name, text in call.headers},
        purpose=purpose,
    )


def parse(call: Call, response: Response, what: str) -> TokenSet:
    """Read the answer of a call; `what` is `login` or `refresh`.

    Raises Unreachable (429, 5xx), LoginRequired (the refresh token is refused) or Refused.
    """
    if overloaded(response):
        raise try_later(response, f"the {what} endpoint")
    if response.status not in (200, 201):
        if what == "refresh" and response.status in REFUSALS and not is_page(response):
            raise LoginRequired(f"the server no longer accepts this session ({describe(response)})")
        by_somebody_else = "a firewall, a proxy or a captive portal can have answered in the server's place"
        raise Refused(
            f"the server refused the {what} ({describe(response)})",
            hint=by_somebody_else if is_page(response) else "check the API key or password",
        )
    document = _document(response, what)
    token = _token(document, call.access_token or "", what)
    return TokenSet(
        access_token=token,
        token_type="Bearer",
        **times(response, token, _lifetime(call, document, response, what)),
        refresh_token=_refresh_token(document, call, what),
    )


def rotated(call: Call, response: Response) -> str | None:
    """Read the new refresh token of a successful answer, even when the rest of the answer cannot be used."""
    try:
        return (
            _refresh_token(loose_object(response.body) or {}, call, "refresh")
            if response.status in (200, 201)
            else None
        )
    except Refused:
        return None


def check_revoked(response: Response, known: tuple[str, ...] = ()) -> str | None:
    """Read the answer of a revocation: None for success, else a short description. Raises Unreachable.

    What counts is the same as at an OAuth server; see `revocation.parse`. `known` secrets are in no description.
    """
    outcome, reason = revocation.parse(response, known)
    return None if outcome is revocation.Outcome.REVOKED else reason


def _document(response: Response, what: str) -> JSON:
    try:
        return json_object(response.body)
    except ValueError as reason:
        raise Refused(f"the {what} endpoint answered {describe(response)}: {reason}") from None


def _value_at(document: JSON, pointer: str) -> Any:
    """Follow a JSON Pointer (RFC 6901 section 4). Raises KeyError when there is no value."""
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
        value = _value_at(document, pointer)
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
    """Read the refresh token at the profile's pointer; None when the call has no pointer for it.

    A missing refresh token is an error. It does not mean "keep the old one": an API that rotates has already used
    up the old one.
    """
    return None if call.refresh_token is None else _token(document, call.refresh_token, what)


def _lifetime(call: Call, document: JSON, response: Response, what: str) -> int:
    """Read how many seconds the access token lives; 0 when the call has no pointer for it. Raises Refused.

    A date is the server's, so it is compared with the server's clock where the response tells it.
    """
    pointer = call.expires_in or call.expires_at
    if pointer is None:
        return 0
    try:
        seconds = _seconds(_value_at(document, pointer))
    except (KeyError, ValueError):
        raise Refused(f"the answer of the {what} has no time at {pointer}") from None
    lifetime = seconds - (0 if call.expires_in else response.date or response.asked_at)
    if not 0 <= lifetime <= LONGEST_LIFETIME:
        raise Refused(f"the answer of the {what} has no possible time at {pointer}")
    return max(1, lifetime)


def _seconds(value: Any) -> int:
    """Read a number of seconds (a number or digits), or an RFC 3339 date as epoch seconds. Raises ValueError."""
    value = value.strip(SPACES) if isinstance(value, str) else value
    if isinstance(value, str) and not DECIMAL.fullmatch(value):
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError
        return int(found.timestamp())
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    return int(float(value) if isinstance(value, str) else value)


def _fill_template(template: Any, values: Mapping[str, str | None]) -> Any:
    if isinstance(template, str):
        return _fill_text(template, values)
    if isinstance(template, list):
        return [_fill_template(each, values) for each in template]
    if isinstance(template, Mapping):
        return {key: _fill_template(each, values) for key, each in template.items()}
    return template


def _fill_text(text: str, values: Mapping[str, str | None]) -> str:
    def value(match: Any) -> str:
        found = values.get(match[1])
        if found is None:
            raise UsageError(f"the profile's api needs {match[0]}, and there is none")
        return found

    return PLACEHOLDER.sub(value, text)


def _checked_header(text: str) -> str:
    if not text.isascii() or not text.isprintable() or text != text.strip():
        raise UsageError("a header of the profile's api would have characters that a header cannot have")
    return text
