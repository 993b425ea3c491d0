"""The device authorization grant (RFC 8628): the terminal shows a code, the person enters it on another device."""

from dataclasses import dataclass, field
from enum import Enum

from tokenctl.errors import LoginRequired, Refused
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.error_response import raise_error
from tokenctl.oauth.wire import Request, Response, describe, json_object, overloaded, safe_url, try_later

DEFAULT_INTERVAL = 5
"""Seconds between polls when the server names none (RFC 8628 section 3.2)."""
DEFAULT_LIFETIME = 300
"""Seconds that a code lives when the server does not say it."""
SLOW_DOWN = 5
"""Seconds that each `slow_down` adds to the interval of all later polls (section 3.5)."""
LONGEST_INTERVAL = 300
"""Seconds between polls, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """The answer of the device authorization endpoint. `interval` is seconds, `expires_at` epoch seconds."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    interval: int
    expires_at: int


def device_request(
    endpoint: str, client: Client, scope: str | None, resource: tuple[str, ...] = (), audience: str | None = None
) -> Request:
    """Build the device authorization request (RFC 8628 section 3.1)."""
    return request(
        endpoint,
        client,
        *((("scope", scope),) if scope else ()),
        *(("resource", each) for each in resource),
        *((("audience", audience),) if audience else ()),
        purpose="beginning the sign-in",
    )


def parse_device(response: Response, known: tuple[str, ...] = ()) -> DeviceAuthorization:
    """Read the device authorization response (section 3.2). Raises Refused or Unreachable."""
    try:
        document = json_object(response.body)
    except ValueError as reason:
        if overloaded(response):
            raise try_later(response, "the device endpoint") from None
        raise Refused(f"the device endpoint answered {describe(response)}: {reason}") from None
    if document.get("error") or not response.succeeded:
        raise_error(document, response, known)
    for name in ("device_code", "user_code"):
        if not isinstance(document.get(name), str) or not document[name] or not document[name].isprintable():
            raise Refused(f"the device endpoint answered without a usable {name}")
    # Some servers still use verification_url, the name in Google's first version.
    uri = safe_url(document.get("verification_uri", document.get("verification_url")), "the device page")
    complete = document.get("verification_uri_complete")
    return DeviceAuthorization(
        device_code=document["device_code"],
        user_code=document["user_code"],
        verification_uri=uri,
        verification_uri_complete=safe_url(complete, "the device page") if complete else None,
        interval=max(1, min(LONGEST_INTERVAL, _seconds(document.get("interval"), DEFAULT_INTERVAL))),
        expires_at=response.received_at + max(1, _seconds(document.get("expires_in"), DEFAULT_LIFETIME)),
    )


def _seconds(value: object, default: int) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return int(value) if type(value) in (int, float) and 0 <= value < 10**9 else default  # type: ignore[call-overload,operator]


def poll_request(endpoint: str, client: Client, device_code: str, resource: tuple[str, ...] = ()) -> Request:
    """Build one poll of the token endpoint (section 3.4); `resource` is as in RFC 8707 section 2.2."""
    return request(
        endpoint,
        client,
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device_code),
        *(("resource", each) for each in resource),
    )


class Pending(Enum):
    """Why a poll has no tokens yet (section 3.5)."""

    WAIT = "authorization_pending"
    SLOW_DOWN = "slow_down"


def pending(response: Response) -> Pending | None:
    """Tell whether to poll again. None means that the answer is final: `token_response.parse` reads it.

    Raises LoginRequired when the code expired, Refused when the person refused.
    """
    try:
        error = json_object(response.body).get("error")
    except ValueError:
        return None
    if error == "expired_token":
        raise LoginRequired("the code expired before anybody entered it", hint="run the same command again")
    if error == "access_denied":
        raise Refused("the sign-in was refused on the other device", error="access_denied")
    return Pending(error) if error in ("authorization_pending", "slow_down") else None
