"""Choose the proxy of a request: a pure function of its URL and of the environment.

Only the variable that this request needs is looked at, so that one that cannot be used disturbs nobody else.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from tokenctl.adapters.no_proxy import covers
from tokenctl.errors import UsageError
from tokenctl.model.origins import is_loopback

DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080}
_KINDS = {"http": "http", "https": "https", "socks5": "socks5", "socks5h": "socks5", "socks": "socks5"}
"""What the schemes mean. The proxy looks names up in every case. GNOME's settings write `socks`."""
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy. `scheme` is `http`, `https` or `socks5`; `variable` is what named it."""

    scheme: str
    host: str
    port: int
    user: bytes | None = field(default=None, repr=False)
    password: bytes = field(default=b"", repr=False)
    variable: str = "the system's settings"
    exceptions: str = "NO_PROXY"
    """The variable that names the servers without a proxy: the one in lower case comes first."""

    @property
    def name(self) -> str:
        """Host and port, to tell a person. It never has the password."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def choose(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for this URL; None means that the request goes to its server directly.

    A loopback address never has one. A variable that is empty counts as not set, and the one in lower case comes
    first, as in curl and Go. Raises UsageError when the proxy cannot be used, and ValueError when the URL has no host.
    """
    parts = urlsplit(url)
    scheme, host = parts.scheme, parts.hostname
    if not host:
        raise ValueError("no host")
    if is_loopback(host):
        return None
    variable = _first(environ, f"{scheme}_proxy") or _first(environ, "all_proxy")
    if variable is None:
        return None
    exceptions = _first(environ, "no_proxy") or "NO_PROXY"
    if covers(environ.get(exceptions, ""), scheme, host, parts.port or DEFAULT_PORTS.get(scheme, 0)):
        return None
    return replace(_read(environ[variable].strip(), variable), exceptions=exceptions)


def reason(url: str, environ: Mapping[str, str]) -> str:
    """Say why a request has this proxy, or has none: the variable that decides, and never its value. Raises as `choose`."""
    proxy, scheme = choose(url, environ), urlsplit(url).scheme
    if proxy is not None:
        return f"{proxy.variable} names it"
    if is_loopback(urlsplit(url).hostname):
        return "an address of this machine never has one"
    if _first(environ, f"{scheme}_proxy") or _first(environ, "all_proxy"):
        return f"{_first(environ, 'no_proxy')} names this server"
    other = next((name for name in ("http_proxy", "https_proxy") if _first(environ, name)), None)
    unused = f", and {_first(environ, other)} is not for {scheme}" if other else ""
    return f"neither {scheme.upper()}_PROXY nor ALL_PROXY is set{unused}"


def with_system_settings(url: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Add the proxy settings of Windows and macOS, for an environment that names no proxy."""
    has_settings = sys.platform in ("win32", "darwin")
    if not has_settings or any(_first(environ, name) for name in _VARIABLES):
        return environ
    from urllib.request import getproxies, proxy_bypass

    settings = {f"{scheme}_proxy": proxy for scheme, proxy in getproxies().items()}
    without = "*" if proxy_bypass(urlsplit(url).hostname or "") else ""
    return {**environ, **settings, "no_proxy": without or environ.get(_first(environ, "no_proxy") or "", "")}


def _first(environ: Mapping[str, str], name: str) -> str | None:
    """Return the variable that is set and not empty, of the name in lower and in upper case."""
    for variable in (name, name.upper()):
        # In a CGI program a client of the web server sets HTTP_PROXY, by the header `Proxy` (httpoxy).
        if environ.get(variable, "").strip() and not (variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
            return variable
    return None


def _read(text: str, variable: str) -> Proxy:
    """Read a proxy's URL, which may have no scheme. The last `@` ends the password, whatever is in it."""
    scheme, separator, rest = text.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        scheme, rest = "http", text
    kind = _KINDS.get(scheme.lower())
    if kind is None:
        _refuse(variable, f"names a proxy of the kind {scheme.lower():.20}, which tokenctl cannot use")
    credentials, _, address = rest.rpartition("@")
    host, port = _host_and_port(re.split(r"[/?#]", address)[0], variable)
    user, _, password = credentials.partition(":")
    return Proxy(
        scheme=kind,
        host=host,
        port=port or DEFAULT_PORTS[kind],
        user=unquote_to_bytes(user) if credentials else None,
        password=unquote_to_bytes(password),
        variable=variable,
    )


def _host_and_port(address: str, variable: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>\d{0,5}))?", address)
    host = (found["v6"] or found["name"]) if found else address  # without brackets: an IPv6 address and no port
    port = int(found["port"]) if found and found["port"] else None
    try:
        if ":" in host or (found and found["v6"]):
            return str(ip_address(unquote(host))), port
        name = host.encode("idna").decode()
    except (ValueError, UnicodeError):
        _refuse(variable, "names no proxy that can be understood")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or port == 0 or (port or 1) > 65535:
        _refuse(variable, "names no proxy that can be understood")
    return name, port


def _refuse(variable: str, why: str) -> NoReturn:  # never with the variable's value: it can have a password
    raise UsageError(
        f"{variable} {why}",
        hint=f"set {variable} to http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT, or NO_PROXY for this server",
    )
