"""Sending: a Request goes out, a Response comes back. The only module that knows httpx.

Every request has a total deadline and every answer a size limit. No cookies, no netrc, no ambient
credentials. The system's trust store decides about certificates, so corporate CAs work. Loopback is
never proxied. A request with a secret in it is never redirected; a plain GET only within its origin.
"""

import re
import ssl
import time
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import truststore

from tokenctl import __version__
from tokenctl.adapters.deadline import DeadlinePassed, within
from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.oauth.wire import Request, Response, is_loopback

TOTAL = 30.0
"""Seconds one request may take, name lookup and last byte included."""
CONNECT = 10.0
LARGEST = 1024 * 1024
"""Bytes of an answer's body."""
MOST_REDIRECTS = 3
LONGEST_RETRY_AFTER = 300

_HEADERS = {"User-Agent": f"tokenctl/{__version__}", "Accept": "application/json", "Accept-Encoding": "identity"}
_REDIRECTS = (301, 302, 303, 307, 308)


class Transport:
    """A sender; `ca_file` names a PEM file of certificates to trust beside the system's."""

    def __init__(self, ca_file: str | None = None, total: float = TOTAL) -> None:
        self._total = total
        self._context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca_file:
            try:
                self._context.load_verify_locations(cafile=str(Path(ca_file).expanduser()))
            except (OSError, ssl.SSLError, RuntimeError):  # RuntimeError: ~ of nobody
                raise UsageError(f"ca_file {ca_file!r:.200} is no readable PEM file of certificates") from None

    def send(self, request: Request) -> Response:
        """Send one request and read the answer whole, whatever its status.

        Raises Unreachable, whose `sent` tells whether the server may have seen the request, or Refused
        when the answer is larger than it may be or redirects where it must not.
        """
        ends = time.monotonic() + self._total  # for all of them together
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send_once(request, max(0.0, ends - time.monotonic()))
            if response.status not in _REDIRECTS:
                return response
            target = _joined(request.url, response.location or "")
            if request.method != "GET" or request.headers or _origin(target) != _origin(request.url):
                raise Refused(
                    f"{_origin(request.url)} redirects this request elsewhere, and tokenctl does not follow",
                    hint="the issuer or an endpoint in the profile may be out of date",
                )
            request = Request(url=target)
        raise Refused(f"{_origin(request.url)} redirects in a circle")

    def _send_once(self, request: Request, left: float) -> Response:
        sent: list[bool] = []

        def trace(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):
                sent.append(True)

        host = _place(request.url)
        try:
            return within(left, lambda: self._exchange(request, trace))
        except httpx.ConnectTimeout:
            raise _unreachable(f"{host} did not accept a connection within {CONNECT:.0f} s", sent) from None
        except (DeadlinePassed, httpx.TimeoutException):  # whichever of the two clocks is first
            raise _unreachable(f"{host} did not answer within {self._total:.0f} s", sent) from None
        except httpx.ConnectError as error:
            raise _unreachable(f"{host} cannot be reached: {_cause(error)}", sent, _tls_hint(error)) from None
        except httpx.LocalProtocolError:  # its text quotes the header: a credential, mostly
            raise UsageError(
                "the request has a header that HTTP does not allow",
                hint="does a secret begin or end with a blank, or hold a line end?",
            ) from None
        except (UnicodeError, httpx.InvalidURL):
            raise Refused(f"{request.url.partition('?')[0]!r:.200} is no address that can be asked") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _unreachable(f"{host} broke the connection: {_cause(error)}", sent) from None

    def _client(self, host: str | None, direct: bool) -> httpx.Client:
        # A client a request: nothing is kept between two of them, no connection and no cookie.
        try:
            return httpx.Client(
                verify=self._context,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers=_HEADERS,
                timeout=httpx.Timeout(self._total, connect=CONNECT),
                trust_env=not (direct or is_loopback(host)),  # proxies only: httpx reads no netrc by itself
                follow_redirects=False,
            )
        except (ImportError, ValueError) as reason:
            raise UsageError(
                f"the proxy that the environment names cannot be used: {reason}",
                hint="set HTTPS_PROXY to http://HOST:PORT, or NO_PROXY for this server",
            ) from None

    def _exchange(self, request: Request, trace: object) -> Response:
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
            for part in answer.iter_raw():  # raw: a compressed answer was not asked for, and may be a bomb
                body += part
                if len(body) > LARGEST:
                    raise Refused(f"{_place(request.url)} answered with more than {LARGEST // 1024} KiB", lost=True)
            return Response(
                status=answer.status_code,
                received_at=int(time.time()),
                body=bytes(body),
                content_type=answer.headers.get("Content-Type", ""),
                retry_after=_retry_after(answer.headers.get("Retry-After")),
                location=answer.headers.get("Location"),
            )


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Refused(f"{_origin(url)} redirects to something that is no address") from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _place(url: str) -> str:
    """Name the host, and the port where it is not the usual one."""
    parts = urlsplit(url)
    usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.rpartition("@")[2].removesuffix(usual)


def _unreachable(message: str, sent: list[bool], hint: str | None = None) -> Unreachable:
    return Unreachable(message, hint=hint or "check the network, then try the same command again", sent=bool(sent))


def _cause(error: Exception) -> str:
    if _no_tls(error):
        return "it does not speak TLS"
    text = re.sub(r"^\[Errno -?\d+\] ", "", " ".join(str(error).split()))
    return text[:1].lower() + text[1:200] or type(error).__name__


def _no_tls(error: Exception) -> bool:
    """Tell whether what answered was no TLS at all: OpenSSL reads the first bytes of an HTTP answer as a version."""
    return any(code in str(error) for code in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"))


def _tls_hint(error: Exception) -> str | None:
    if _no_tls(error):
        return "is the address one with http, or the port another one?"
    if "CERTIFICATE" in str(error).upper():
        return (
            "its certificate is not trusted here: add the CA to the system's trust store, or set ca_file in the profile"
        )
    return None


def _retry_after(value: str | None) -> int | None:
    """Read Retry-After (RFC 9110 section 10.2.3) as seconds, five minutes at most."""
    if value is None:
        return None
    if value.isascii() and value.isdecimal():
        return min(int(value[:9]), LONGEST_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0, int(seconds)), LONGEST_RETRY_AFTER)
