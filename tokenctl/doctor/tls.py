"""Check: the connection to a server, and its certificate: who issued it, what trusts it, and how long it is valid."""

import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

from tokenctl.adapters import handshake, trust
from tokenctl.adapters.handshake import Certificate, TlsFailed
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.route import Route
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError
from tokenctl.runtime import Runtime

NAME = "tls"
_DAY = 24 * 60 * 60
LITTLE = 2 * _DAY
"""Seconds. A certificate with less left is told: even one that lives for a week is renewed earlier."""
_NO_STORE = "install the system's CA certificates (mostly the package ca-certificates): this machine has none"


def look(case: Case, route: Route, environ: Mapping[str, str]) -> Generator[Finding, None, bool]:
    """Connect, say what the certificate is, and return whether that worked."""
    ca_file = case.profile.ca_file if case.profile else None
    try:
        found = handshake.connect(route.url, ca_file, environ)
    except TlsFailed as error:
        yield _refused(error, route)
        return False
    except TokenctlError as error:
        yield finding_of("connection", error, counts=route.counts)
        return False
    took = f"in {found.seconds * 1000:.0f} ms"
    if found.certificate is None or found.version is None:
        yield Finding(check="connection", status="ok", sentence=f"{route.host} accepts connections, {took}")
        return True
    yield Finding(
        check="connection", status="ok", sentence=f"{route.host} accepts connections, {took}, {found.version}"
    )
    yield _trusted(case.runtime, route, found.certificate, environ, ca_file)
    return True


def _refused(error: TlsFailed, route: Route) -> Finding:
    """Make the finding of a failed TLS handshake; with the certificate, whose issuer names an inspecting proxy."""
    failed, shown = finding_of(NAME, error, counts=route.counts), error.certificate
    if error.unknown_ca and trust.has_no_certificates():
        failed = replace(failed, remedy=_NO_STORE)
    if shown is None:
        return failed
    which = f"it is for {shown.hosts}, issued by {shown.issuer!r}, and ends on {_day(shown)}"
    return replace(failed, sentence=f"{failed.sentence}; {which}", more=_members(shown))


def _trusted(
    runtime: Runtime, route: Route, shown: Certificate, environ: Mapping[str, str], ca_file: str | None
) -> Finding:
    left = shown.ends_at - runtime.now()
    public = handshake.has_public_ca(route.url, environ)
    needs_file = ca_file is not None and not public and not handshake.is_trusted(route.url, environ)
    by = f"ca_file {ca_file}" if needs_file else trust.described()
    private = "" if public else " (a private CA, or one with which a proxy of your company inspects TLS)"
    return Finding(
        check=NAME,
        status="ok" if left > LITTLE else "warning",
        sentence=f"the certificate of {route.host} is issued by {shown.issuer!r}{private}, trusted by {by},"
        f" and valid for {_days(left)}",
        remedy=None if left > LITTLE else "the people who run the server must renew its certificate soon",
        more={**_members(shown), "trusted_by": by, "public_ca": public},
    )


def _members(shown: Certificate) -> dict[str, Any]:
    return {"hosts": shown.hosts, "issuer": shown.issuer, "expires_at": shown.ends_at}


def _day(shown: Certificate) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(shown.ends_at))


def _days(seconds: int) -> str:
    return f"{seconds // _DAY} more days" if seconds >= 2 * _DAY else f"{max(0, seconds) // 3600} more hours"
