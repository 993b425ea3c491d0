"""Send a Request over HTTP and return the Response.

Every request has a total deadline, and every response a size limit. There are no cookies, and no credentials from
netrc. The system's trust store decides which certificates are trusted, so company CAs work. The environment names the
proxy (`proxies.py`), and a host's addresses are tried side by side (`side_by_side.py`). A redirect is followed only for
a GET without headers, within its origin: a secret never goes to another URL.
"""

import contextlib
import os
import ssl
import time
from collections.abc import Hashable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from tokenctl import __version__
from tokenctl.adapters.attempt import CONNECT, Attempt
from tokenctl.adapters.body import decoder
from tokenctl.adapters.claim import Claim
from tokenctl.adapters.deadline import Call
from tokenctl.adapters.pools import Connections, pool
from tokenctl.adapters.proxies import Proxy, choose, with_system_settings
from tokenctl.errors import Refused, explained_on
from tokenctl.oauth.wire import Request, Response

TOTAL = 30.0
"""Seconds for one request, from the name lookup to the last byte."""
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

    `total` is seconds. `environ` names the proxies; None means the environment of this process. Connections stay open in
    `kept`; None means that each request has connections of its own. Raises UsageError when the file cannot be read.
    """

    def __init__(
        self,
        ca_file: str | None = None,
        total: float = TOTAL,
        environ: Mapping[str, str] | None = None,
        kept: Connections | None = None,
    ) -> None:
        self._ca_file = ca_file
        self._total = total
        self._kept = kept
        self._environ = os.environ if environ is None else environ
        if ca_file:
            _ = self._context  # a file that cannot be read is told now

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """What decides about certificates. A request without TLS does not load it."""
        from tokenctl.adapters import trust

        return trust.context(self._ca_file)

    @explained_on("networks")
    def send(self, request: Request, claim: Claim | None = None) -> Response:
        """Send one request and read the whole response; every HTTP status of the server is a response.

        `claim` decides just before the first byte whether the request may be sent. Raises Unreachable; its `sent`
        tells whether the server can have received the request. Raises Refused when the response is too large, or
        redirects to a URL that is not followed. Raises UsageError when the proxy cannot be used, or wants credentials.
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
        attempt = Attempt(
            host=host_and_port(request.url),
            url=request.url,
            proxy=None if request.direct else self._proxy(request.url),
            total=self._total,
            claim=claim,
        )
        if left <= 0:
            raise attempt.unreachable(f"{attempt.host} did not answer in time")
        try:
            call = Call(partial(self._exchange, request, attempt))
            if not call.ended_within(left) and not claim.give_up():
                # The response can have arrived while this process was stopped: the reader gets time to read it.
                call.ended_within(READ_ARRIVED)
            return call.result()
        except httpx.InvalidURL:
            raise _not_valid(request.url) from None
        except Exception as error:
            raise attempt.failure(error) from None

    def _proxy(self, url: str) -> Proxy | None:
        try:
            return choose(url, with_system_settings(url, self._environ))
        except ValueError:
            raise _not_valid(url) from None

    def _exchange(self, request: Request, attempt: Attempt) -> Response:
        """Send the request and read the response; on a connection that is open already only if nothing is lost by that.

        The server may be about to close such a connection. So it is only for a GET that presents nothing, which is sent
        once more then.
        """
        over_tls = urlsplit(request.url).scheme == "https" or bool(attempt.proxy and attempt.proxy.scheme == "https")
        key = (self._ca_file, attempt.proxy, over_tls)
        presents_nothing = request.method == "GET" and not request.headers
        used = self._kept.take(key) if self._kept is not None and presents_nothing else None
        if used is not None:
            with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError):
                return self._exchange_on(used, key, request, attempt)
        connections = pool(attempt.proxy, self._context if over_tls else None)
        return self._exchange_on(connections, key, request, attempt)

    def _exchange_on(
        self, connections: httpcore.ConnectionPool, key: Hashable, request: Request, attempt: Attempt
    ) -> Response:
        with contextlib.ExitStack() as closing:
            closing.callback(connections.close)
            response = self._answer(connections, request, attempt)
            if self._kept is not None:
                closing.pop_all()
                self._kept.keep(key, connections)
        return response

    def _answer(self, connections: httpcore.ConnectionPool, request: Request, attempt: Attempt) -> Response:
        content_type, content = request.content or (None, None)
        headers = {**request.headers, **({"Content-Type": content_type} if content_type else {})}
        with (
            # Each request has a client of its own, so that two requests share no cookie.
            httpx.Client(
                transport=_Pooled(connections),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers=_HEADERS,
                timeout=httpx.Timeout(self._total, connect=CONNECT),
                trust_env=False,
            ) as client,
            client.stream(
                request.method,
                request.url,
                content=content,
                headers=headers,
                extensions={"trace": attempt.trace},
            ) as answer,
        ):
            body = bytearray()
            decoded = decoder(answer.headers.get("Content-Encoding", ""))
            for part in answer.iter_raw():  # raw, because a small compressed body can be huge when it is decompressed
                body += decoded(part, LARGEST + 1 - len(body))
                if len(body) > LARGEST:
                    raise Refused(
                        f"{host_and_port(request.url)} answered with more than {LARGEST // 1024} KiB", lost=True
                    )
            date = read_date(answer.headers.get("Date"))
            return Response(
                status=answer.status_code,
                received_at=int(time.time()),
                body=bytes(body),
                content_type=answer.headers.get("Content-Type", ""),
                retry_after=_retry_after(answer.headers.get("Retry-After"), date),
                location=answer.headers.get("Location"),
                date=date,
                age=_seconds(answer.headers.get("Age")) or 0,
                proxy=attempt.proxy.name if attempt.proxy else "",
            )


class _Pooled(httpx.BaseTransport):
    """Sends httpx's requests through httpcore's pool, which stays open. httpx's own transport allows no backend."""

    def __init__(self, connections: httpcore.ConnectionPool) -> None:
        self._pool = connections

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _redirect_url(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Refused(f"{_origin(url)} redirects to an address that is not valid") from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def host_and_port(url: str) -> str:
    """Name the host, and the port if it is not the scheme's default."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.rpartition("@")[2].removesuffix(default)


def _not_valid(url: str) -> Refused:
    return Refused(f"{url.partition('?')[0]!r:.200} is not a valid address")


def read_date(value: str | None) -> int | None:
    """Read the header `Date` (RFC 9110 section 6.6.1) as epoch seconds."""
    try:
        return int(parsedate_to_datetime(value or "").timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(value: str | None) -> int | None:
    """Read a number of seconds; None when it is none."""
    return int(value[:9]) if value is not None and value.isascii() and value.isdecimal() else None


def _retry_after(value: str | None, date: int | None) -> int | None:
    """Read Retry-After (RFC 9110 section 10.2.3) as seconds, `LONGEST_RETRY_AFTER` at most.

    A date is counted from the response's own `date` where there is one: this machine's clock can be wrong.
    """
    if value is None:
        return None
    seconds = _seconds(value)
    if seconds is not None:
        return min(seconds, LONGEST_RETRY_AFTER)
    until = read_date(value)
    if until is None:
        return None
    return min(max(0, until - (int(time.time()) if date is None else date)), LONGEST_RETRY_AFTER)
