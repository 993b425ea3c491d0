"""Send a Request over HTTP and return the Response.

Every request has a total deadline, and every response a size limit. There are no cookies, and no credentials from
netrc. The system's trust store decides which certificates are trusted, so company CAs work. A request to a
loopback address never uses a proxy. A redirect is followed only for a GET without headers, within its origin: a
secret never goes to another URL.
"""

import re
import ssl
import time
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import truststore

from tokenctl import __version__
from tokenctl.adapters.claim import Claim, GivenUp
from tokenctl.adapters.deadline import Call, DeadlinePassed
from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.oauth.wire import Request, Response, is_loopback

TOTAL = 30.0
"""Seconds for one request, from the name lookup to the last byte."""
CONNECT = 10.0
"""Seconds to connect."""
LARGEST = 1024 * 1024
"""Bytes of a response body, at most."""
READ_ARRIVED = 1.0
"""Seconds after the deadline in which a response that has arrived is read."""
MOST_REDIRECTS = 3
LONGEST_RETRY_AFTER = 300
"""Seconds, at most."""

_HEADERS = {"User-Agent": f"tokenctl/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
_REDIRECTS = (301, 302, 303, 307, 308)


class Transport:
    """Sends requests. `ca_file` is a PEM file of certificates to trust in addition to the system's.

    `total` is seconds. Raises UsageError when the file cannot be read.
    """

    def __init__(self, ca_file: str | None = None, total: float = TOTAL) -> None:
        self._total = total
        self._context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca_file:
            try:
                self._context.load_verify_locations(cafile=str(Path(ca_file).expanduser()))
            except (OSError, ssl.SSLError, RuntimeError):  # RuntimeError: ~ of an unknown user
                raise UsageError(f"ca_file {ca_file!r:.200} is no readable PEM file of certificates") from None

    def send(self, request: Request, claim: Claim | None = None) -> Response:
        """Send one request and read the whole response; every HTTP status is a response.

        `claim` decides just before the first byte whether the request may be sent. Raises Unreachable; its `sent`
        tells whether the server can have received the request. Raises Refused when the response is too large, or
        redirects to a URL that is not followed.
        """
        deadline = time.monotonic() + self._total  # redirects included
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send_once(request, deadline - time.monotonic(), claim or Claim())
            if response.status not in _REDIRECTS:
                return response
            target = _redirect_url(request.url, response.location or "")
            if request.method != "GET" or request.headers or _origin(target) != _origin(request.url):
                raise Refused(
                    f"{_origin(request.url)} redirects this request elsewhere, and tokenctl does not follow",
                    hint="the issuer or an endpoint in the profile can be out of date",
                )
            request = Request(url=target)
        raise Refused(f"{_origin(request.url)} redirects in a circle")

    def _send_once(self, request: Request, left: float, claim: Claim) -> Response:
        host = _host_and_port(request.url)
        if left <= 0:
            raise _unreachable(f"{host} did not answer in time", claim)
        try:
            call = Call(partial(self._exchange, request, claim))
            if not call.ended_within(left) and not claim.give_up():
                # The response can have arrived while this process was stopped: the reader gets time to read it.
                call.ended_within(READ_ARRIVED)
            return call.result()
        except httpx.ConnectTimeout:
            raise _unreachable(f"{host} did not accept a connection within {CONNECT:.0f} s", claim) from None
        except GivenUp:
            raise _unreachable(f"{host} did not accept a request in time", claim) from None
        except (DeadlinePassed, httpx.TimeoutException):  # both have the same deadline
            raise _unreachable(f"{host} did not answer within {self._total:.0f} s", claim) from None
        except httpx.ProxyError as error:
            raise _unreachable(f"the proxy does not connect to {host}: {_reason(error)}", claim) from None
        except httpx.ConnectError as error:
            raise _unreachable(f"{host} cannot be reached: {_reason(error)}", claim, _tls_hint(error)) from None
        except httpx.LocalProtocolError:  # its text quotes the header, which is often a credential
            raise UsageError(
                "the request has a header that HTTP does not allow",
                hint="does a secret begin or end with a space, or contain a line end?",
            ) from None
        except (UnicodeError, httpx.InvalidURL):
            raise Refused(f"{request.url.partition('?')[0]!r:.200} is not a valid address") from None
        except (httpx.HTTPError, httpx.StreamError, zlib.error) as error:
            raise _unreachable(f"{host} broke the connection: {_reason(error)}", claim) from None
        except (MemoryError, RuntimeError, ImportError) as error:  # such as no more threads, a library half upgraded
            raise _unreachable(f"the request to {host} failed on this machine: {type(error).__name__}", claim) from None

    def _client(self, host: str | None, direct: bool) -> httpx.Client:
        # Each request has a client of its own, so that two requests share no connection and no cookie.
        try:
            return httpx.Client(
                verify=self._context,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers=_HEADERS,
                timeout=httpx.Timeout(self._total, connect=CONNECT),
                trust_env=not (direct or is_loopback(host)),  # for proxies; httpx does not read netrc by default
                follow_redirects=False,
            )
        except (ImportError, ValueError) as reason:
            raise UsageError(
                f"the proxy that the environment names cannot be used: {reason}",
                hint="set HTTPS_PROXY to http://HOST:PORT, or NO_PROXY for this server",
            ) from None

    def _exchange(self, request: Request, claim: Claim) -> Response:
        def trace(event: str, details: dict[str, Any]) -> None:
            # A request to open a tunnel is for the proxy alone: it carries nothing of this one.
            if event.endswith("send_request_headers.started") and details["request"].method != b"CONNECT":
                claim.take()

        content_type, content = request.content or (None, None)
        headers = {**request.headers, **({"Content-Type": content_type} if content_type else {})}
        with (
            self._client(urlsplit(request.url).hostname, request.direct) as client,
            client.stream(
                request.method,
                request.url,
                content=content,
                headers=headers,
                extensions={"trace": trace},
            ) as answer,
        ):
            body = bytearray()
            decoded = _decoder(answer.headers.get("Content-Encoding", ""))
            for part in answer.iter_raw():  # raw, because a small compressed body can be huge when it is decompressed
                body += decoded(part, LARGEST + 1 - len(body))
                if len(body) > LARGEST:
                    raise Refused(
                        f"{_host_and_port(request.url)} answered with more than {LARGEST // 1024} KiB", lost=True
                    )
            return Response(
                status=answer.status_code,
                received_at=int(time.time()),
                body=bytes(body),
                content_type=answer.headers.get("Content-Type", ""),
                retry_after=_retry_after(answer.headers.get("Retry-After")),
                location=answer.headers.get("Location"),
                date=read_date(answer.headers.get("Date")),
            )


def _decoder(encoding: str) -> Callable[[bytes, int], bytes]:
    """Choose how a body is decoded: some servers compress although nobody asked (RFC 9110 section 8.4.1).

    The decoder takes a part of the body, and the number of bytes that it may return.
    """
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress
        case "deflate":
            return _Deflate().decompress
        case _:
            return lambda part, most: part


class _Deflate:
    """The coding `deflate`: with zlib's header as the RFC has it, or without, as some servers send it."""

    def __init__(self) -> None:
        self._found: Any = None

    def decompress(self, part: bytes, most: int) -> bytes:
        if self._found is None and part:
            has_header = part[0] & 0x0F == 8
            self._found = zlib.decompressobj(wbits=zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        return bytes(self._found.decompress(part, most)) if part else b""


def _redirect_url(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Refused(f"{_origin(url)} redirects to an address that is not valid") from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host_and_port(url: str) -> str:
    """Name the host, and the port if it is not the scheme's default."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.rpartition("@")[2].removesuffix(default)


def _unreachable(message: str, claim: Claim, hint: str | None = None) -> Unreachable:
    return Unreachable(message, hint=hint or "check the network, then try the same command again", sent=claim.sent)


def _reason(error: Exception) -> str:
    if _is_not_tls(error):
        return "it does not speak TLS"
    text = re.sub(r"^\[Errno -?\d+\] ", "", " ".join(str(error).split()))
    return text[:1].lower() + text[1:200] or type(error).__name__


def _is_not_tls(error: Exception) -> bool:
    """Tell whether the server answered without TLS: OpenSSL then reads the answer's first bytes as a TLS version."""
    return any(code in str(error) for code in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"))


def _tls_hint(error: Exception) -> str | None:
    if _is_not_tls(error):
        return "does the address begin with http, or is the port wrong?"
    if "CERTIFICATE" in str(error).upper():
        return (
            "its certificate is not trusted here: add the CA to the system's trust store, or set ca_file in the profile"
        )
    return None


def read_date(value: str | None) -> int | None:
    """Read the header `Date` (RFC 9110 section 6.6.1) as epoch seconds."""
    try:
        return int(parsedate_to_datetime(value or "").timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_after(value: str | None) -> int | None:
    """Read Retry-After (RFC 9110 section 10.2.3) as seconds, `LONGEST_RETRY_AFTER` at most."""
    if value is None:
        return None
    if value.isascii() and value.isdecimal():
        return min(int(value[:9]), LONGEST_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0, int(seconds)), LONGEST_RETRY_AFTER)
