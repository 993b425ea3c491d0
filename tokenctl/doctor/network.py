"""Check: the way to the server, as a request goes it: proxy, name look-up, connection, certificate, token endpoint, metadata, clock.

Each step needs the one before, so the first step that fails is the last one. Nothing that is sent has a secret in it.
"""

from collections.abc import Generator, Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from tokenctl.adapters import handshake, proxies
from tokenctl.adapters.proxies import Proxy
from tokenctl.doctor import clock, metadata, tls, token_endpoint
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.route import Route, begins_now, origin, renewing_at, routes
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.flows.discovery import issuer_of
from tokenctl.model.profile import Profile

NAME = "network"
_UNKNOWN = Finding(check=NAME, status="could not check", sentence="it is not known which server is used")


def look(case: Case) -> Iterator[Finding]:
    """Go the way to each server. The issuer's comes first; what it answers is looked at last."""
    if case.profile is None:
        yield _UNKNOWN
        return
    try:
        _ = case.profile.issuer is None or issuer_of(case.profile)
    except UsageError as error:
        if error.message != getattr(case.problem, "message", None):  # else the check of the session says it
            yield finding_of("issuer", error, counts=False)
        return
    found = routes(case)
    if not found:
        yield _UNKNOWN
        return
    reached: list[Route] = []
    for route in found:
        is_reached = yield from _follow(case, route)
        reached += [route] if is_reached else []
    endpoint = renewing_at(case)
    if endpoint is not None and any(route.is_of(endpoint) for route in reached):
        has_time = yield from token_endpoint.look(case, case.profile, endpoint)
        if not has_time:
            return
    if not any(route.of_issuer for route in reached):
        return
    answered, endpoint = yield from metadata.look(case, case.profile)
    if endpoint is not None and begins_now(case):
        yield from _beginning(case, case.profile, endpoint, found)
    if answered:
        yield from clock.look(case, case.profile)


def _beginning(case: Case, profile: Profile, endpoint: str, followed: Sequence[Route]) -> Iterator[Finding]:
    """Go the way to the token endpoint where a machine's session begins: it can be at another server than the issuer."""
    known = any(route.is_of(endpoint) for route in followed)
    route = Route(url=origin(endpoint), counts=True, of_issuer=False)
    if known or (yield from _follow(case, route)):
        yield from token_endpoint.look(case, profile, endpoint)


def _follow(case: Case, route: Route) -> Generator[Finding, None, bool]:
    """Go the way to one server, and return whether it can be reached."""
    environ = proxies.with_system_settings(route.url, case.runtime.environ)
    step = "proxy"
    try:
        proxy = proxies.choose(route.url, environ)
        yield _proxy_finding(route, proxy, proxies.reason(route.url, environ))
        step = "dns"
        host = proxy.host if proxy else urlsplit(route.url).hostname or ""
        if not _is_address(host):
            addresses = handshake.addresses(route.url, environ)
            sentence = f"{host} has the address {', '.join(addresses[:4])}"
            yield Finding(check=step, status="ok", sentence=sentence, more={"host": host, "addresses": addresses})
    except TokenctlError as error:
        yield finding_of(step, error, counts=route.counts)
        return False
    return (yield from tls.look(case, route, environ))


def _proxy_finding(route: Route, proxy: Proxy | None, why: str) -> Finding:
    way = f"through the proxy {proxy.name}" if proxy else "without a proxy"
    more = {"host": route.host, "proxy": proxy.name if proxy else None, "because": why}
    return Finding(check="proxy", status="ok", sentence=f"{route.host} is asked {way}: {why}", more=more)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
