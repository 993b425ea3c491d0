"""Connect to a server as a request does, and send nothing: whether it can be reached, and what its certificate says.

For who looks why a request fails. The errors are those of `Transport.send`: both make them by `attempt.py`.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpcore
from cryptography import x509
from cryptography.x509.oid import NameOID

from tokenctl.adapters import tls_errors, trust
from tokenctl.adapters.attempt import CONNECT, Attempt
from tokenctl.adapters.claim import Claim, GivenUp
from tokenctl.adapters.deadline import Call, DeadlinePassed
from tokenctl.adapters.pools import pool
from tokenctl.adapters.proxies import choose, with_system_settings
from tokenctl.adapters.side_by_side import in_turn
from tokenctl.adapters.transport import host_and_port
from tokenctl.errors import TokenctlError, Unreachable

Secured = tuple[str | None, bytes | None]
"""The version of TLS, and the server's certificate in DER."""
IN_ALL = 2 * CONNECT + 1
"""Seconds for connection and TLS together, each of which has its own deadline."""
LOOK_UP = 5.0
"""Seconds for the look-up of a name; a name server that is not there costs the system's resolver longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A server's certificate: for which hosts it is, who issued it, and when it ends (epoch seconds)."""

    hosts: str
    issuer: str
    ends_at: int


class TlsFailed(Unreachable):
    """The server was reached, and TLS failed; see `tls_errors`. `certificate` is what it shows, which is not trusted.

    `unknown_ca` tells that nothing here knows the CA of the certificate.
    """

    def __init__(self, error: Unreachable, *, certificate: Certificate | None, unknown_ca: bool) -> None:
        super().__init__(error.message, hint=error.hint)
        self.certificate = certificate
        self.unknown_ca = unknown_ca


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A connection that was made, in `seconds`. `version` is that of TLS, and None where there is no TLS."""

    seconds: float
    version: str | None = None
    certificate: Certificate | None = None


def addresses(url: str, environ: Mapping[str, str]) -> list[str]:
    """Look up the addresses of the host to connect to: the proxy of this URL, else its host. Raises Unreachable."""
    attempt = _attempt(url, environ)
    host = attempt.proxy.host if attempt.proxy else httpcore.URL(url).host.decode()
    call = Call(partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM))
    call.ended_within(LOOK_UP)
    try:
        found = call.result()
    except DeadlinePassed:
        raise Unreachable(
            f"the name {host} was not looked up within {LOOK_UP:.0f} s",
            hint="check the network, and the name server (DNS) that this machine uses",
        ) from None
    except (OSError, UnicodeError) as error:
        raise attempt.failure(httpcore.ConnectError(error)) from None
    return in_turn([(family, at[0]) for family, _, _, _, at in found])


def connect(url: str, ca_file: str | None, environ: Mapping[str, str]) -> Connected:
    """Connect with the proxy and the trust of a request to this URL. Raises TlsFailed, and what `Transport.send` raises."""
    attempt = _attempt(url, environ)
    started = time.monotonic()
    try:
        secured = _reach(attempt, trust.context(ca_file))
    except TokenctlError:
        raise
    except Exception as error:
        failed, cause = attempt.failure(error), tls_errors.cause_of(error)
        if cause is None or not isinstance(failed, Unreachable):
            raise failed from None
        unknown = cause.reason in tls_errors.UNKNOWN_CA
        raise TlsFailed(failed, certificate=_shown(url, environ), unknown_ca=unknown) from None
    seconds = time.monotonic() - started
    version, encoded = secured or (None, None)
    return Connected(seconds=seconds, version=version, certificate=_read(encoded))


def is_trusted(url: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the system's trust store alone trusts the server's certificate."""
    return _trusts(trust.context(None), url, environ)


def has_public_ca(url: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the server's certificate is of one of the CAs that browsers trust everywhere.

    Otherwise it is of a private CA, or of one with which a company's proxy or a program of this machine reads along.
    """
    return _trusts(trust.of_public_authorities(), url, environ)


def _trusts(context: ssl.SSLContext, url: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the certificate is trusted. Where the network fails meanwhile, nothing speaks against it."""
    try:
        _reach(_attempt(url, environ), context)
    except Exception as error:
        return tls_errors.cause_of(error) is None
    return True


def _shown(url: str, environ: Mapping[str, str]) -> Certificate | None:
    try:
        secured = _reach(_attempt(url, environ), trust.of_everything())
    except Exception:  # the error of `connect` is the one that counts
        return None
    return _read(secured[1]) if secured else None


def _attempt(url: str, environ: Mapping[str, str]) -> Attempt:
    claim = Claim()
    claim.give_up()  # so that nothing is sent
    proxy = choose(url, with_system_settings(url, environ))
    return Attempt(host=host_and_port(url), url=url, proxy=proxy, total=CONNECT, claim=claim)


def _reach(attempt: Attempt, context: ssl.SSLContext) -> Secured | None:
    """Connect up to the point where a request would be sent, and return what TLS says; None where there is no TLS."""
    secured: list[Secured] = []

    def trace(event: str, details: dict[str, Any]) -> None:
        if event.endswith("start_tls.complete"):  # that of an HTTPS proxy comes first, and the server's last
            end = details["return_value"].get_extra_info("ssl_object")
            secured.append((end.version(), end.getpeercert(True)))
        attempt.trace(event, details)

    def run() -> None:
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), CONNECT)
        with pool(attempt.proxy, context) as connections:
            connections.request("GET", attempt.url, extensions={"trace": trace, "timeout": timeout})

    call = Call(run)
    call.ended_within(IN_ALL)
    with suppress(GivenUp):  # it is connected
        call.result()
    return secured[-1] if secured else None


def _read(encoded: bytes | None) -> Certificate | None:
    """Read a certificate (DER); None where it cannot be read."""
    if not encoded:
        return None
    try:
        found = x509.load_der_x509_certificate(encoded)
        ends_at = int(found.not_valid_after_utc.timestamp())
        return Certificate(hosts=_hosts(found), issuer=_name(found.issuer), ends_at=ends_at)
    except ValueError:
        return None


def _hosts(certificate: x509.Certificate) -> str:
    """Return the first hosts that it is for (RFC 9525 section 6.3); where it names none, its subject, which counts for nothing."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return _name(certificate.subject)
    found = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return ", ".join(found[:3]) + (" and others" if found[3:] else "")


def _name(name: x509.Name) -> str:
    """Return the name to show: the organization, and the common name where there is one."""
    found = [
        str(each.value)
        for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for each in name.get_attributes_for_oid(kind)[:1]
    ]
    return ", ".join(dict.fromkeys(found)) or name.rfc4514_string()
