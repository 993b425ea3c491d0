"""Check: this machine's clock against the server's, by the header `Date` of an answer."""

import sys
from collections.abc import Iterator
from dataclasses import replace

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.errors import Refused, TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.oauth import metadata
from tokenctl.oauth.claims import unverified_claims
from tokenctl.oauth.wire import Response

NAME = "clock"
SECONDS = 10.0
"""Seconds for the request."""
TOLERANCE = 60
"""Seconds that the two clocks may differ: a verification of an ID token allows as much."""
OLDEST = 86400
"""Seconds since an ID token was issued from which on it is refused; see `jwt_verify.MAX_TOKEN_AGE`."""
_SET_CLOCK = {
    "win32": "run as administrator: w32tm /resync",
    "darwin": "run: sudo sntp -sS time.apple.com",
    "linux": "run: sudo timedatectl set-ntp true (in WSL: sudo hwclock -s)",
}


def look(case: Case, profile: Profile) -> Iterator[Finding]:
    """Compare the clocks. Where the server's own time is not known, there is nothing to compare."""
    runtime = case.runtime
    if profile.issuer is None:
        return
    request = metadata.requests(profile.issuer)[0]
    try:
        with runtime.requests_end_at(runtime.since_boot() + SECONDS):
            answer = runtime.send(profile, request)
    except TokenctlError as error:
        yield Finding(check=NAME, status="could not check", sentence=error.message)
        return
    if answer.date is None:
        yield Finding(check=NAME, status="could not check", sentence="the server does not tell its time")
        return
    seconds = ahead(answer, answer.date)
    found = finding(seconds)
    yield replace(found, status="failed", exit_status=Refused.exit_status) if _ends_renewal(case, seconds) else found


def _ends_renewal(case: Case, seconds: int) -> bool:
    """Tell whether `token` has to renew, and takes the ID token that comes with it for one of another time.

    A session that has an ID token mostly gets another one with each renewal, which lives as long as the one before.
    """
    if not case.asks_server or case.session is None or case.session.id_token is None:
        return False
    claims = unverified_claims(case.session.id_token)
    issued_at, ends_at = claims.get("iat"), claims.get("exp")
    if not isinstance(issued_at, int | float) or not isinstance(ends_at, int | float):
        return False
    return seconds < -TOLERANCE or seconds > min(ends_at - issued_at + TOLERANCE, OLDEST)


def ahead(answer: Response, date: int) -> int:
    """Return the seconds that this machine's clock is ahead of the server's, negative when it is behind.

    It is 0 where the answer's way can explain the difference. `date` has whole seconds, and is the time at the server
    while the request was under way; a copy of a cache is older by `answer.age`.
    """
    theirs = date + answer.age
    if theirs > answer.received_at:
        return answer.received_at - theirs
    return max(0, answer.asked_at - theirs - 1)


def finding(seconds: int) -> Finding:
    """Make the finding: a warning from `TOLERANCE` on."""
    more = {"ahead": seconds}
    if abs(seconds) < TOLERANCE:
        return Finding(check=NAME, status="ok", sentence="this machine's clock agrees with the server's", more=more)
    direction = "ahead of" if seconds > 0 else "behind"
    wrong = (
        "and a token can count as expired here while it lives"
        if seconds > 0
        else "an expired token can count as fresh here, and the server can refuse what this machine signs"
    )
    return Finding(
        check=NAME,
        status="warning",
        sentence=f"this machine's clock is {_words(abs(seconds))} {direction} the server's: ID tokens can be refused,"
        f" certificates can seem invalid, {wrong}",
        remedy=f"set the clock; {_SET_CLOCK.get(sys.platform, 'by NTP')}",
        more=more,
    )


def _words(seconds: int) -> str:
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"
