"""Check: the token endpoint has time. It is asked without a token, so that nothing is renewed."""

from collections.abc import Generator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError, Unreachable
from tokenctl.model.profile import Profile
from tokenctl.oauth.wire import Request, try_later

NAME = "token-endpoint"
SECONDS = 10.0
"""Seconds for the request."""
BUSY = (429, 502, 503, 504)
"""HTTP statuses of a server that has no time, or is not there behind its gateway. Another one only means that the server
wants a POST with parameters (RFC 6749 section 3.2)."""


def look(case: Case, profile: Profile, url: str) -> Generator[Finding, None, bool]:
    """Send a GET without parameters, and return whether the server has time. Who has none for that renews nothing either."""
    runtime = case.runtime
    try:
        with runtime.requests_end_at(runtime.since_boot() + SECONDS):
            answer = runtime.send(profile, Request(url=url))
        if answer.status in BUSY:
            raise try_later(answer, url)
    except Unreachable as error:
        yield finding_of(NAME, error)
        return False
    except TokenctlError as error:  # such as a redirect, which a POST may not get
        yield Finding(check=NAME, status="could not check", sentence=error.message)
    else:
        yield Finding(check=NAME, status="ok", sentence=f"{url} answers")
    return True
