"""Reasons not to send a request now: what the journal knows of the refresh token, and the server's last answer."""

from tokenctl import flows
from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import Grant, RenewalJob
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.journal import Entry


def permitted_grant(runtime: Runtime, profile: Profile, session: Session, entry: Entry) -> Grant:
    """Choose what a renewal presents: the refresh token, or a machine's credentials if that cannot be used.

    Raises LoginRequired when only a person can go on: the refresh token is dead, there is none, or the profile now
    means another server.
    """
    grant = _choose_grant(runtime, session, entry)
    check_alive(profile, entry, grant)
    check_renewable(RenewalJob(profile=profile, session=session, grant=grant))
    return grant


def check_renewable(job: RenewalJob) -> None:
    """Find out whether there is something to present; see `Flow.check_renewable`. Raises LoginRequired.

    A person's session that has its refresh token always has. Then no flow is loaded, which takes longer than all else
    that is done before a request.
    """
    if job.session.by_machine or job.session.refresh_token is None:
        flows.of(job.session.flow).check_renewable(job)


def _choose_grant(runtime: Runtime, session: Session, entry: Entry) -> Grant:
    if session.refresh_token is None:
        return Grant.CREDENTIALS
    ends = session.refresh_token_expires_at
    used_up = entry.dead or entry.in_doubt or (ends is not None and runtime.time_of(session) >= ends)
    return Grant.CREDENTIALS if session.by_machine and used_up else Grant.REFRESH_TOKEN


def check_may_ask(runtime: Runtime, profile: Profile, entry: Entry, grant: Grant, waited_since: float) -> None:
    """Raise if the journal forbids a request that no person asked for.

    `waited_since` is when this process began to wait for the lock. Raises LoginRequired, Refused or Unreachable.
    """
    check_alive(profile, entry, grant)
    check_pause(runtime, profile, entry, waited_since)


def check_alive(profile: Profile, entry: Entry, grant: Grant) -> None:
    """Raise LoginRequired when the server has refused this refresh token before."""
    if entry.dead and grant is Grant.REFRESH_TOKEN:
        raise LoginRequired(f"the server ended the session of {profile.name!r}", hint=profile.login_hint)


def check_pause(runtime: Runtime, profile: Profile, entry: Entry, waited_since: float) -> None:
    """Raise when the server asked for a pause, or answered another process while this one waited for the lock.

    Raises Refused or Unreachable.
    """
    pause = entry.pause(runtime.now())
    if pause and entry.in_doubt:
        raise Unreachable(
            f"the server did not answer the last {entry.tries} requests; the next one is sent in {pause} s",
            hint=f"try again after that; should this go on, {profile.login_hint}",
            retry_after=pause,
        )
    if pause:
        raise Unreachable(
            f"the server asked not to be asked again for {pause} s", hint="try again after that", retry_after=pause
        )
    if waited_since <= entry.failed_at <= runtime.clock():  # a later time means that the clock was set back
        # All processes that waited for one request report its failure. Otherwise each would make a request.
        if entry.refused:
            raise Refused(f"another process has just asked: {entry.refused}", hint=session_is_kept(profile))
        raise Unreachable(
            "another process has just asked, and the server could not be reached or did not answer",
            hint="try again in a moment",
        )


def pace(runtime: Runtime, not_before: float) -> None:
    """Wait until `not_before` (epoch seconds), so that a server with very short tokens is not asked all the time.

    The wait is two seconds at most: `obtained_at` has whole seconds.
    """
    wait = not_before - runtime.clock()
    if 0 < wait <= 2:  # a longer wait means that the clock was set back
        runtime.sleep(wait)


def session_is_kept(profile: Profile) -> str:
    """Make the hint of an error that costs no session."""
    return f"the session is kept; should this go on, {profile.login_hint}"
