"""One try to send a request: how far it came, and the error for a person if it failed.

An error names what is its cause: the server, or the proxy on the way to it.
"""

import re
import socket
import zlib
from dataclasses import dataclass, field
from typing import Any

import httpcore

from tokenctl.adapters import tls_errors
from tokenctl.adapters.claim import Claim, GivenUp
from tokenctl.adapters.deadline import DeadlinePassed
from tokenctl.adapters.proxies import Proxy
from tokenctl.errors import Refused, TokenctlError, Unreachable, UsageError

CONNECT = 10.0
"""Seconds to connect, and the same again for the TLS handshake."""
_NO_ADDRESS = (
    "is the host name right? Else check the network: where names are looked up by a proxy alone, set HTTPS_PROXY"
)


@dataclass(slots=True, kw_only=True)
class Attempt:
    """A try; `host` is the server's host and port, `total` its seconds, `proxy` what it goes through.

    It changes while the try goes on: another thread reports each step by `trace`.
    """

    host: str
    url: str = field(repr=False)
    proxy: Proxy | None
    total: float
    claim: Claim
    past_proxy: bool = False
    """Whether the proxy, if there is one, has connected to the server."""
    proxy_status: int | None = None
    proxy_schemes: str = ""
    """How the proxy wants credentials, by its header Proxy-Authenticate."""
    _to_socks: httpcore.NetworkStream | None = None

    def trace(self, event: str, details: dict[str, Any]) -> None:
        """Note a step of httpcore. The claim is taken just before the first byte of the request itself."""
        if event.endswith("send_request_headers.started"):
            # A request to open a tunnel is for the proxy alone: it carries nothing of this one.
            if details["request"].method != b"CONNECT":
                self.past_proxy = True
                self.claim.take()
        elif event in ("proxy.start_tls.started", "socks.start_tls.started"):
            self.past_proxy = True
        elif event == "socks.setup_socks5_connection.started":
            self._to_socks = details["stream"]
        elif event == "socks.setup_socks5_connection.failed" and self._to_socks is not None:
            self._to_socks.close()  # httpcore forgets to
        elif event == "http11.receive_response_headers.complete" and not self.past_proxy:
            _, self.proxy_status, _, headers, *_ = details["return_value"]
            self.proxy_schemes = " ".join(
                value.decode("latin-1") for name, value in headers if name.lower() == b"proxy-authenticate"
            )

    # -- errors ----------------------------------------------------------------------------------

    def failure(self, error: Exception) -> Exception:
        """Return the error to raise instead of this one, or this one if it is not of the network."""
        if isinstance(error, TokenctlError):
            return error
        if isinstance(error, GivenUp):
            return self.unreachable(f"{self._who} did not accept a request in time")
        if isinstance(error, httpcore.ConnectTimeout):
            return self.unreachable(f"{self._who} did not accept a connection within {CONNECT:.0f} s")
        if isinstance(error, DeadlinePassed | httpcore.TimeoutException):  # both have the same deadline
            return self.unreachable(f"{self._who} did not answer within {self.total:.0f} s")
        if isinstance(error, httpcore.ConnectError):
            cause = tls_errors.cause_of(error)
            reason = cause.reason if cause else _reason(error)
            unknown = _NO_ADDRESS if self.proxy is None and _is_lookup(error) else None
            return self.unreachable(f"{self._who} cannot be reached: {reason}", cause.hint if cause else unknown)
        if isinstance(error, UnicodeError | httpcore.UnsupportedProtocol):
            return Refused(f"{self.url.partition('?')[0]!r:.200} is not a valid address")
        if isinstance(error, MemoryError | RuntimeError | ImportError):  # no more threads, a library half upgraded
            return self.unreachable(f"the request to {self.host} failed on this machine: {type(error).__name__}")
        return self._refused_by_proxy(error) if self._at_proxy else self._broken(error)

    def _broken(self, error: Exception) -> Exception:
        if isinstance(error, httpcore.LocalProtocolError):  # its text quotes the header, which is often a credential
            return UsageError(
                "the request has a header that HTTP does not allow",
                hint="does a secret begin or end with a space, or contain a line end?",
            )
        if tls_errors.cause_of(error) is tls_errors.CLIENT_CERTIFICATE:  # TLS 1.3 tells it after the handshake
            cause = tls_errors.CLIENT_CERTIFICATE
            return self.unreachable(f"{self._who} broke the connection: {cause.reason}", cause.hint)
        if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError | httpcore.ProxyError | zlib.error):
            return self.unreachable(f"{self._who} broke the connection: {_reason(error)}")
        return error

    def _refused_by_proxy(self, error: Exception) -> Exception:
        """Make the error for a proxy that was reached, and did not connect to the server.

        Any exception counts: socksio and httpcore have no common one for an answer that cannot be read.
        """
        # tinyproxy answers wrong credentials with 401.
        if self.proxy and (
            self.proxy_status in (401, 407) or (self.proxy.scheme == "socks5" and _wants_credentials(error))
        ):
            return self._credentials_wanted(self.proxy)
        text = re.sub(r"^Proxy Server could not connect: |\.$", "", _words(error))
        reason = f"it answered {text}" if self.proxy_status else _lower(text)
        hint = {403: "the proxy does not allow this server: ask the people who run it"}.get(self.proxy_status or 0)
        return self.unreachable(f"{self._who} does not connect to {self.host}: {reason}", hint)

    def _credentials_wanted(self, proxy: Proxy) -> UsageError:
        how = f"{proxy.variable}={proxy.scheme}://USER:PASSWORD@{proxy.name}"
        if self.proxy_schemes and "basic" not in self.proxy_schemes.lower():
            kinds = ", ".join(re.findall(r"(?:^|[ ,])(Digest|Negotiate|NTLM|Kerberos)\b", self.proxy_schemes, re.I))
            return UsageError(
                f"{self._who} wants a sign-in of a kind that tokenctl has not: {kinds or 'not Basic'}",
                hint=f"run a local proxy that signs in there (such as cntlm or px), and name it in {proxy.variable}",
            )
        if proxy.user is None:
            return UsageError(f"{self._who} asks for a user name and a password", hint=f"set {how}")
        return UsageError(
            f"{self._who} does not accept the user name and password in {proxy.variable}",
            hint=f"set {how}; write a % in them as %25",
        )

    def unreachable(self, message: str, hint: str | None = None) -> Unreachable:
        """Make the error for a request that got no answer."""
        return Unreachable(message, hint=hint or self._usual_hint, sent=self.claim.sent)

    @property
    def _usual_hint(self) -> str:
        if self.proxy is None:
            return "check the address and the network, then try again"
        name = self.host.rpartition(":")[0] if re.search(r"[^:]:\d+$", self.host) else self.host
        return f"check {self.proxy.variable}; to go there without a proxy, add {name} to {self.proxy.exceptions}"

    @property
    def _who(self) -> str:
        """What did not do its part."""
        if self.proxy is None:
            return self.host
        return (
            f"{self.host} (through the proxy {self.proxy.name})" if self.past_proxy else f"the proxy {self.proxy.name}"
        )

    @property
    def _at_proxy(self) -> bool:
        return self.proxy is not None and not self.past_proxy


def _wants_credentials(error: Exception) -> bool:
    """Tell whether a SOCKS proxy failed before it was asked to connect: httpcore has one exception for both."""
    return isinstance(error, httpcore.ProxyError) and "could not connect" not in str(error)


def _reason(error: Exception) -> str:
    return _lower(re.sub(r"^\[Errno -?\d+\] ", "", _words(error)))


def _words(error: Exception) -> str:
    if isinstance(error, httpcore.RemoteProtocolError) and not str(error).startswith("Server disconnected"):
        return "its answer is not HTTP"  # the text has bytes of the answer, in which the server can repeat a secret
    return " ".join(str(error).split())[:200] or type(error).__name__


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _is_lookup(error: Exception) -> bool:
    """Tell whether the host's name could not be looked up; httpcore keeps the first error as the argument only."""
    return any(isinstance(each, socket.gaierror) for each in error.args)
