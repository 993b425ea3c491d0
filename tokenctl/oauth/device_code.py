"""The device authorization grant (RFC 8628): the terminal shows a code, the person enters it on another device."""

import re
from dataclasses import dataclass, field
from enum import Enum
from math import ceil

from tokenctl.errors import LoginRequired, Refused
from tokenctl.oauth.answers import members, seconds
from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.error_response import code_of, raise_error, words_of
from tokenctl.oauth.refusals import PASSING_CODES
from tokenctl.oauth.wire import JSON, Request, Response, describe, overloaded, safe_url, try_later

DEFAULT_INTERVAL = 5
"""Seconds between polls when the server names none (RFC 8628 section 3.2)."""
DEFAULT_LIFETIME = 300
"""Seconds that a code lives when the server does not say it."""
SLOW_DOWN = 5
"""Seconds that each `slow_down` adds to the interval of all later polls (section 3.5)."""
LONGEST_INTERVAL = 300
"""Seconds between polls, at most."""
LONGEST_BACKOFF = 60
"""Seconds between polls, at most, after answers that were not the server's: the person may be done long before."""
_DENIED = ("access_denied", "authorization_declined")
"""The person said no. The second code is Entra's."""
_EXPIRED = re.compile(r"\b(invalid|unknown|expired) device[ _-]?code\b")
"""Twitch sends no code: 'invalid device code'."""


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
        document = members(response.body)
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
    uri = safe_url(document.get("verification_uri") or document.get("verification_url"), "the device page")
    complete = document.get("verification_uri_complete") or document.get("verification_url_complete")
    return DeviceAuthorization(
        device_code=document["device_code"],
        user_code=document["user_code"],
        verification_uri=uri,
        verification_uri_complete=safe_url(complete, "the device page") if complete else None,
        interval=_interval(document),
        expires_at=response.received_at + max(1, int(_seconds(document.get("expires_in")) or DEFAULT_LIFETIME)),
    )


def _interval(document: JSON) -> int:
    """Read how many seconds to wait between polls, rounded up: a poll that comes early makes the server slower."""
    stated = _seconds(document.get("interval"))
    return DEFAULT_INTERVAL if stated is None else max(1, min(LONGEST_INTERVAL, ceil(stated)))


def _seconds(value: object) -> float | None:
    """Read a number of seconds; None where there is none, or what stands there is no number."""
    try:
        return seconds(value)
    except ValueError:
        return None


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
    NO_ANSWER = "no answer"
    """What came is not the server's answer: a page of a firewall or a captive portal, or a server that fails."""


def pending(response: Response) -> Pending | None:
    """Tell whether to poll again. None means that the answer is final: `token_response.parse` reads it.

    Only tokens and OAuth errors are final. Raises LoginRequired when the code expired, Refused when the person refused.
    """
    try:
        document = members(response.body)
    except ValueError:
        return Pending.NO_ANSWER
    words = words_of(document, ())
    code = (code_of(document) or words).lower()  # Twitch has the code in `message`
    if code == "expired_token" or _EXPIRED.search(code):
        raise LoginRequired("the code expired before anybody entered it", hint="run the same command again")
    if code in _DENIED:
        raise Refused("the sign-in was refused on the other device", error="access_denied")
    if code in (Pending.WAIT.value, Pending.SLOW_DOWN.value):
        return Pending(code)
    if overloaded(response) or code in PASSING_CODES:
        return Pending.NO_ANSWER
    if _is_oauth(code_of(document)):
        return None
    return None if response.succeeded and document.get("access_token") else Pending.NO_ANSWER


def _is_oauth(code: str | None) -> bool:
    """Tell whether an error code is one of OAuth, and not of a gateway, which writes `Not Found` or `Forbidden`."""
    return code is not None and " " not in code and ("_" in code or ":" in code)


def after_slow_down(interval: int, response: Response) -> int:
    """Return the new interval in seconds: 5 s more (section 3.5), or what the server names, as GitHub does."""
    named = _seconds(members(response.body).get("interval"))
    return min(LONGEST_INTERVAL, max(interval + SLOW_DOWN, ceil(named or 0)))


def after_no_answer(interval: int, retry_after: int | None = None) -> int:
    """Return the new interval in seconds: twice as long (section 3.5), or as long as the server asks to wait."""
    return max(interval, min(interval * 2, LONGEST_BACKOFF), retry_after or 0)
