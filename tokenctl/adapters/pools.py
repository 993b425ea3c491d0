"""Connections for a request: directly, or through a proxy that was chosen; no other rule decides."""

import ssl
from collections.abc import Hashable
from importlib.util import find_spec

import httpcore

from tokenctl.adapters.proxies import Proxy
from tokenctl.adapters.side_by_side import SideBySide
from tokenctl.errors import UsageError


def pool(proxy: Proxy | None, context: ssl.SSLContext | None) -> httpcore.ConnectionPool:
    """Return httpcore's pool for the request. `context` None: no TLS, neither to the server nor to the proxy.

    Raises UsageError when a library for the proxy is not installed.
    """
    backend = SideBySide()
    if proxy is None:
        return httpcore.ConnectionPool(ssl_context=context, network_backend=backend)
    url = httpcore.URL(scheme=proxy.scheme, host=proxy.host, port=proxy.port, target="/")
    credentials = None if proxy.user is None else (proxy.user, proxy.password)
    if proxy.scheme == "socks5":
        if find_spec("socksio") is None:
            raise UsageError(
                f"{proxy.variable} names a SOCKS proxy, and the library for it is not installed",
                hint="install it: pip install 'tokenctl[socks]' (pipx: pipx inject tokenctl socksio);"
                " or set HTTPS_PROXY to an HTTP proxy",
            )
        return httpcore.SOCKSProxy(url, credentials, ssl_context=context, network_backend=backend)
    return httpcore.HTTPProxy(
        url,
        credentials,
        ssl_context=context,
        proxy_ssl_context=context if proxy.scheme == "https" else None,
        network_backend=backend,
    )


class Connections:
    """Connections that are open, for a later request: the keys of an issuer are mostly where its token endpoint is.

    Who takes one is its only user, and gives it back when the response was read whole. Closed by `close`.
    """

    def __init__(self) -> None:
        self._open: dict[Hashable, httpcore.ConnectionPool] = {}
        self._closed = False

    def take(self, key: Hashable) -> httpcore.ConnectionPool | None:
        """Take the connections that were kept under this key; None when there are none."""
        return self._open.pop(key, None)

    def keep(self, key: Hashable, connections: httpcore.ConnectionPool) -> None:
        """Keep connections, in the place of those that were kept under this key."""
        before = self.take(key)
        self._open[key] = connections
        if before is not None:
            before.close()
        if self._closed:  # nobody waited any more for the request that used them
            self.close()

    def close(self) -> None:
        """Close all that are kept, and all that are kept later."""
        self._closed = True
        while self._open:
            self._open.popitem()[1].close()
