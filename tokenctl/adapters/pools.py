"""Connections for one request: directly, or through a proxy that was chosen; no other rule decides."""

import ssl
from importlib.util import find_spec

import httpcore

from tokenctl.adapters.proxies import Proxy
from tokenctl.adapters.side_by_side import SideBySide
from tokenctl.errors import UsageError


def pool(proxy: Proxy | None, context: ssl.SSLContext) -> httpcore.ConnectionPool:
    """Return httpcore's pool for the request. Raises UsageError when a library for the proxy is not installed."""
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
