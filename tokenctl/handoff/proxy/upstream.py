"""The connections to the upstream: kept open, through the proxy that the environment names, with the system's trust."""

import ssl
from collections.abc import AsyncIterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpcore

from tokenctl.adapters import trust
from tokenctl.adapters.attempt import CONNECT, Attempt
from tokenctl.adapters.claim import Claim
from tokenctl.adapters.proxies import choose, with_system_settings
from tokenctl.handoff.proxy.body import ClientLeft
from tokenctl.handoff.proxy.lanes import Lanes
from tokenctl.handoff.proxy.sending import CURRENT, Backend, Sending

KEPT = 15.0
"""Seconds for which a connection is kept open for the next request."""
_TIMEOUT = {"connect": CONNECT, "pool": None, "read": None, "write": None}
"""Seconds. How long the upstream may take to answer is for the client to decide."""
_SAFE = (b"GET", b"HEAD", b"OPTIONS")


class Upstream:
    """One upstream: an origin, and a path prefix that each target gets. `environ` names the proxy to it.

    `ca_file` is a PEM file of certificates to trust in addition to the system's. Raises UsageError when it cannot be
    read, or the proxy cannot be used.
    """

    def __init__(self, url: str, ca_file: str | None, environ: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._url = url
        self._scheme, self._name, self._port = parts.scheme.encode(), (parts.hostname or "").encode(), parts.port
        self._prefix = parts.path.rstrip("/").encode()
        default = {"https": ":443", "http": ":80"}[parts.scheme]
        self.host = parts.netloc.removesuffix(default).encode()
        self._proxy = choose(url, with_system_settings(url, environ))
        context = trust.context(ca_file) if parts.scheme == "https" else None
        self._lanes = Lanes(lambda: self._make_lane(context), KEPT)

    def _make_lane(self, context: ssl.SSLContext | None) -> httpcore.AsyncConnectionPool:
        proxy = self._proxy
        options: dict[str, Any] = {
            "ssl_context": context,
            "keepalive_expiry": KEPT,
            "network_backend": Backend(),
        }
        if proxy is None:
            return httpcore.AsyncConnectionPool(**options)
        url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")
        credentials = None if proxy.user is None else (proxy.user, proxy.password)
        if proxy.scheme == "socks5":
            return httpcore.AsyncSOCKSProxy(url, credentials, **options)
        return httpcore.AsyncHTTPProxy(
            url, credentials, proxy_ssl_context=context if proxy.scheme == "https" else None, **options
        )

    async def send(
        self,
        method: bytes,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        content: AsyncIterable[bytes] | None,
        sending: Sending,
    ) -> httpcore.Response:
        """Send a request, and return the answer when its headers are there; its body is still to be read.

        A request that changes nothing is sent again when it met a kept connection that the upstream was about to close.
        Raises Unreachable or UsageError.
        """
        attempt = Attempt(host=self.host.decode(), url=self._url, proxy=self._proxy, total=0, claim=Claim())
        request = httpcore.Request(
            method,
            httpcore.URL(scheme=self._scheme, host=self._name, port=self._port, target=self._prefix + target),
            headers=headers,
            content=b"" if content is None else content,
            extensions=self._extensions(attempt),
        )
        CURRENT.set(sending)
        while True:
            sending.connected = False
            try:
                return await self._lanes.send(request)
            except ClientLeft:
                raise
            except Exception as error:  # socksio has no common one for an answer that cannot be read
                broken = isinstance(error, httpcore.NetworkError | httpcore.RemoteProtocolError)
                if not (broken and content is None and method in _SAFE and not sending.connected):
                    raise attempt.failure(error) from None

    def _extensions(self, attempt: Attempt) -> dict[str, Any]:
        """Return what httpcore wants to know; an attempt only has to notice how far the proxy is, if there is one."""
        if self._proxy is None:
            return {"timeout": _TIMEOUT}

        async def trace(event: str, details: dict[str, Any]) -> None:
            attempt.trace(event, details)

        return {"timeout": _TIMEOUT, "trace": trace}

    async def close(self) -> None:
        """Close the connections."""
        await self._lanes.close()
