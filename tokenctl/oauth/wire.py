"""HTTP requests and responses as values, and a strict JSON reader. `adapters/transport.py` sends them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.model.origins import is_loopback

JSON = Mapping[str, Any]
_SECRET_PARAMETERS = {
    *("client_secret", "client_assertion", "assertion", "subject_token", "refresh_token", "token", "password"),
    *("code", "code_verifier", "device_code"),
}
_REASONS = {
    "authorization_code": "exchanging the code for tokens",
    "refresh_token": "renewing",
    "client_credentials": "signing in with the client's credentials",
    "urn:ietf:params:oauth:grant-type:device_code": "asking whether the person has signed in",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "signing in with the job's identity",
    "urn:ietf:params:oauth:grant-type:token-exchange": "signing in with the job's identity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. The body is `form` or the text `json`, or there is none."""

    url: str
    form: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    json: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verb: str | None = None
    """The HTTP method, where `method` has the wrong default."""
    direct: bool = False
    """Whether it must not go through a proxy."""
    purpose: str = ""
    """Why it is sent, where the grant does not tell it; see `reason`."""

    @property
    def method(self) -> str:
        """The HTTP method: `verb`, else `POST` with a body and `GET` without one."""
        return self.verb or ("GET" if self.form is None and self.json is None else "POST")

    @property
    def reason(self) -> str:
        """Why it is sent, in a few words for `-v`; "" if nobody has said it."""
        return self.purpose or next(
            (_REASONS.get(value, "") for name, value in self.form or () if name == "grant_type"), ""
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """All credentials in the request, as they are sent: no message can contain them."""
        in_form = (value for name, value in self.form or () if name in _SECRET_PARAMETERS)
        return (*in_form, *(value.rpartition(" ")[2] for value in self.headers.values()))

    @property
    def content(self) -> tuple[str, bytes] | None:
        """The body and its content type; None without one."""
        if self.json is not None:
            return "application/json", self.json.encode()
        return (
            None
            if self.form is None
            else ("application/x-www-form-urlencoded", urlencode(self.form, quote_via=quote).encode())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response, read whole. Times are epoch seconds; a token's life is counted from `asked_at`."""

    status: int
    received_at: int
    sent_at: int | None = None
    """When the request was sent."""
    boot_id: str | None = None
    """The boot of this machine in which the request was sent."""
    booted_at_ms: int | None = None
    """The time of that boot in epoch milliseconds, by the wall clock, read when the request was sent."""
    date: int | None = None
    """The server's own time, from the header `Date`."""
    age: int = 0
    """Seconds since then for which a cache on the way has kept the response (RFC 9111 section 5.1)."""
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    retry_after: int | None = None
    location: str | None = None
    proxy: str = ""
    """Host and port of the proxy that it came through, if there is one."""

    @property
    def asked_at(self) -> int:
        """When the request was sent, or the response received if that is all that is known."""
        return self.received_at if self.sent_at is None else self.sent_at

    @property
    def succeeded(self) -> bool:
        """Tell whether the status is a success: servers answer a token request with 200, 201, 203 and others."""
        return 200 <= self.status < 300


def json_object(body: bytes) -> JSON:
    """Read a JSON object strictly.

    Raises ValueError for a duplicate member (two parsers could read two different values), NaN, an infinity, and
    a value that is not an object. The reason never quotes the text.
    """
    try:
        found = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique_members,
            parse_constant=_refuse_constant,
            parse_float=_finite_number,
        )
        json.dumps(found, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except _NotStrict as reason:
        raise ValueError(str(reason)) from None
    except ValueError:  # the decoder's own errors quote the text
        raise ValueError("it is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError("it is JSON, but not an object")
    return found


def loose_object(body: bytes) -> JSON | None:
    """Read a JSON object that `json_object` can refuse: for what must not be lost with it, and for nothing else.

    Of a member that appears twice the last one counts. None when the body is no whole object.
    """
    try:
        found = json.loads(body.decode("utf-8-sig", "replace"), strict=False, parse_int=float)  # int() has a limit
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class _NotStrict(ValueError):
    pass


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _NotStrict("a member appears twice")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise _NotStrict(f"{name} is not a number of JSON")


def _finite_number(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse_constant(f"{text:.20}")


def describe(response: Response) -> str:
    """Describe the response in a few words, for an error message: status and content type."""
    kind = response.content_type.partition(";")[0].strip().lower()[:60] or "no content type"
    return f"HTTP {response.status} with {'an HTML page' if kind == 'text/html' else kind if response.body else 'an empty body'}"


def overloaded(response: Response) -> bool:
    """Tell whether the server could not process the request now (429 and 5xx), so that it can be sent again later."""
    return response.status == 429 or response.status >= 500


def try_later(response: Response, who: str) -> Unreachable:
    """Make the error for an overloaded server, with its Retry-After in the hint; `who` names the server."""
    wait = f"it asks to wait {response.retry_after} s" if response.retry_after else "try again in a moment"
    said = f"{who} is overloaded or failing ({describe(response)})"
    return Unreachable(said, hint=wait, sent=True, retry_after=response.retry_after)


def safe_url(url: object, name: str) -> str:
    """Check a URL that will get a secret or a person's browser, and return it; `name` names it in the message.

    It must be `https`, or `http` to a loopback host, without user information, fragment and control characters.
    Raises Refused.
    """
    reason = _unsafe_reason(url)
    if reason:
        raise Refused(
            f"{name} {reason}", hint="the server's metadata, or the profile, is wrong: ask the server's operator"
        )
    return str(url)


def _unsafe_reason(url: object) -> str | None:
    if (
        not isinstance(url, str)
        or not url.isascii()
        or not url.isprintable()
        or any(each in url for each in ' "<>\\^`{|}')
    ):
        return "is not a URL"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("https", "http") or not host:
        return "is not an https URL"
    if ":" not in host and not all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        return "has no valid host name"
    if parts.scheme == "http" and not is_loopback(host):
        return "is http, and only https is safe outside this machine"
    if "@" in parts.netloc or "#" in url:
        return "has a user name or a fragment"
    return None


def issuer_url(url: str) -> str:
    """Check an issuer that a person gave (RFC 8414 section 2), and return it unchanged. Raises UsageError."""
    reason = _unsafe_reason(url) or ("has a query, and an issuer has none" if "?" in url else None)
    if reason:
        raise UsageError(
            f"issuer {url!r:.200} {reason}",
            hint="write it as https://login.example.com, exactly as in the server's documentation",
        )
    return url


def with_query(url: str, parameters: Mapping[str, str] | tuple[tuple[str, str], ...]) -> str:
    """Add parameters to a URL's query, and keep those that it has (RFC 6749 section 3.1)."""
    pairs = parameters.items() if isinstance(parameters, Mapping) else parameters
    return url + ("&" if "?" in url else "?") + urlencode(tuple(pairs), quote_via=quote)


def query_of(target: str) -> dict[str, str]:
    """Read the query of a URL or request target. Raises ValueError if a parameter appears twice."""
    pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=50)
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a parameter appears twice")
    return dict(pairs)
