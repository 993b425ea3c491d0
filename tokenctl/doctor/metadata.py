"""Check: the server's metadata: that it is the issuer's, that it offers the profile's flow, and that no endpoint moved."""

from collections.abc import Generator, Iterator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.route import begins_now
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError, Unreachable
from tokenctl.flows import ways
from tokenctl.flows.discovery import discover
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.metadata import Metadata, require_endpoint

NAME = "metadata"
SECONDS = 10.0
"""Seconds for all requests that look for the metadata; there can be four."""


def look(case: Case, profile: Profile) -> Generator[Finding, None, tuple[bool, str | None]]:
    """Read the metadata as a login does. Return whether the server answered, and the token endpoint of a new session.

    A renewal does not need it: it uses the endpoints of the login.
    """
    runtime = case.runtime
    if profile.api is not None or profile.token_endpoint is not None:
        yield Finding(check=NAME, status="ok", sentence="none is asked for: the profile names the token endpoint")
        return True, profile.token_endpoint
    try:
        with runtime.requests_end_at(runtime.since_boot() + SECONDS):
            server = discover(runtime, profile)
        if begins_now(case):
            require_endpoint(server.token_endpoint, "token endpoint", server.issuer)
    except TokenctlError as error:
        yield finding_of(NAME, error, counts=begins_now(case))
        return not isinstance(error, Unreachable), None
    yield Finding(
        check=NAME,
        status="ok",
        sentence=f"found, and its issuer is exactly {server.issuer}{_offers(server)}",
        more={
            "issuer": server.issuer,
            "token_endpoint": server.token_endpoint,
            "grant_types": server.grant_types_supported,
            "code_challenge_methods": server.code_challenge_methods_supported,
        },
    )
    yield from _missing(server, profile)
    if case.session is not None and case.session.issuer == server.issuer:
        yield from _moved(server, profile, case.session)
    return True, server.token_endpoint


def _offers(server: Metadata) -> str:
    """Say what the server lists. It may list nothing, and offer it all the same (RFC 8414 section 2)."""
    names = [each.rpartition(":")[2][:40] for each in (server.grant_types_supported or ())[:10]]
    grants = f"; the grants are {', '.join(names)}" if names else ""
    pkce = "; PKCE with S256" if server.code_challenge_methods_supported else ""
    return grants + pkce


def _missing(server: Metadata, profile: Profile) -> Iterator[Finding]:
    """Warn when the server lists what it offers, and the way to sign in of the profile is not in the list."""
    way = ways.of(profile.flow)
    if way is not None and way not in ways.offered(server, browser=True):
        yield Finding(
            check=NAME,
            status="warning",
            sentence=f"the server does not say that it offers the flow {way.flow} ({way.grant})",
            remedy="choose another flow ('tokenctl login --flow FLOW'), or ask the server's operator to allow it",
        )


def _moved(server: Metadata, profile: Profile, session: Session) -> Iterator[Finding]:
    """Warn when today's token endpoint is not that of the login: refresh tokens go to no other one than that."""
    if server.token_endpoint not in (None, session.token_endpoint):
        yield Finding(
            check=NAME,
            status="warning",
            sentence=f"the session is renewed at {session.token_endpoint}, where the login got it, and the server now names"
            f" {server.token_endpoint}",
            remedy=f"if renewals fail, sign in again: tokenctl login -p {profile.name}",
        )
