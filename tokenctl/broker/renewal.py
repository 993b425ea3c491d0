"""The caller's steps of a renewal, to be read from top to bottom.

Step 5 is in `worker_call`, and the worker's steps are in `worker`. Who does what:

    caller    1 read (in `current`), 2 lock, 3 read again, 4 reserve, 5 give the worker its job
    worker    6 present, 7 commit what rotated, 8 verify, 9 commit the successor
    caller    10 publish to the keyring, unlock
"""

from dataclasses import replace

from tokenctl.adapters.worker_process import LostContact, Worker
from tokenctl.broker import matching, permission, worker_call
from tokenctl.broker.permission import session_is_kept
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import Grant, RenewalJob, Renewed
from tokenctl.model.session import Session
from tokenctl.model.session_state import check_not_signing_out, logged_out, older_access_tokens, renewed_elsewhere
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import LONGEST_HELD
from tokenctl.storage.vault import Vault


def renew_if_stale(
    runtime: Runtime,
    vault: Vault,
    seen: Session,
    min_ttl: int,
    *,
    patience: float | None = None,
    refused: str | None = None,
) -> Session:
    """Renew the session, unless it has `min_ttl` seconds left when the lock is taken. `seen` was read without the lock.

    A session whose access token is `refused`, by an API, is renewed even if it is fresh. `patience` is how many seconds
    to wait for the lock. Raises LoginRequired, Refused, Unreachable, Busy or StoreError.
    """
    waited_since = runtime.clock()
    try:
        # Step 2: one process at a time. The lock is free when this process and its worker have both closed it.
        needed_for = None if seen.access_token == refused else min_ttl
        with vault.exclusive(patience) as lock, worker_call.ahead(runtime, vault, seen, lock, needed_for) as worker:
            # Step 3: read again, and use only this record from here on.
            session = read_again(runtime, vault)
            if renewed_since(runtime, seen, session) and session.access_token != refused:
                return session
            # Under the lock nobody presents it now: an answer that is missing is lost, and can have ended the token.
            lost = older_access_tokens(vault.profile, session) != "kept" and vault.unanswered(session)
            if session.fresh(runtime.time_of(session), min_ttl) and not lost and session.access_token != refused:
                return session
            entry = vault.journal.read(session)
            grant = permission.permitted_grant(runtime, vault.profile, session, entry)
            permission.check_pause(runtime, vault.profile, entry, waited_since)
            permission.pace(runtime, max(entry.failed_at + 1, session.obtained_at + 2))
            reason = "refused" if session.access_token == refused else "stale"
            return _renew(runtime, vault, session, grant, lock, worker, reason)
    except LostContact:
        return _after_lost_contact(runtime, vault, seen, waited_since)


def renew_now(runtime: Runtime, vault: Vault, *, with_credentials: bool = False) -> Session:
    """Renew even a fresh access token, because a person asks for it.

    `with_credentials` presents a machine's own credentials instead of the refresh token. Raises as `renew_if_stale`
    does, and UsageError.
    """
    seen = vault.newest()
    if seen is None or not matching.belongs(runtime, vault, seen):
        return _begin(runtime, vault, seen)  # before the lock: no wait for an answer that is known already
    waited_since = runtime.clock()
    try:
        with vault.exclusive() as lock, worker_call.ahead(runtime, vault, seen, lock) as worker:
            session = _adopted(runtime, vault)
            if with_credentials and not session.by_machine:
                raise UsageError(
                    f"{vault.profile.name!r} was signed in to by a person, and has no API key",
                    hint=vault.profile.login_hint,
                )
            entry = vault.journal.read(session)
            grant = Grant.CREDENTIALS
            if not with_credentials:
                grant = permission.permitted_grant(runtime, vault.profile, session, entry)
            permission.check_pause(runtime, vault.profile, entry, waited_since)
            permission.pace(runtime, entry.failed_at + 1)
            return _renew(runtime, vault, session, grant, lock, worker, "asked")
    except LostContact:
        asked = Grant.CREDENTIALS if with_credentials else None
        return _after_lost_contact(runtime, vault, seen, waited_since, asked)


def _renew(
    runtime: Runtime,
    vault: Vault,
    session: Session,
    grant: Grant,
    lock: int | None,
    worker: Worker | None,
    reason: str,
) -> Session:
    """Do steps 4 to 10 for the session itself. If a machine's refresh token is refused, present its credentials.

    `worker` is one that was started ahead, or None. `reason` is why the session is renewed; see `RenewalJob`.
    """
    job = new_job(runtime, vault, session, grant, lock, reason)
    # Step 4: reserve space for the answer. If the disk is full, nothing was sent, and nothing is lost.
    vault.reserve(session)
    try:
        renewed = worker_call.run(runtime, vault, job, worker)
    except (LoginRequired, Refused, Unreachable) as error:
        latest = vault.recover() or session  # a worker may have committed before it ended
        if renewed_since(runtime, session, latest):
            matching.check(runtime, vault, latest)
            return latest
        if isinstance(error, Unreachable):
            raise
        if not (session.by_machine and job.presents_refresh_token):
            _say_what_next(vault.profile, error)
            raise
        vault.reserve(latest)
        renewed = worker_call.run(runtime, vault, replace(job, session=latest, grant=Grant.CREDENTIALS))
    return publish(vault, renewed).session


def _after_lost_contact(
    runtime: Runtime, vault: Vault, seen: Session, waited_since: float, asked: Grant | None = None
) -> Session:
    """Take the lock again, which waits for the worker's end, and judge by what is stored.

    `asked` is what a person wants to be presented; None means what the journal permits.
    If nothing was presented, this process renews without a worker: no worker can work here, such as where
    `sys.executable` is not Python. Raises Unreachable when the refresh token was presented, and what the journal forbids.
    """
    with vault.exclusive():
        session = read_again(runtime, vault)
        if renewed_since(runtime, seen, session):
            return session
        entry = vault.journal.read(session)
        if entry.tries == 0:
            grant = asked or permission.permitted_grant(runtime, vault.profile, session, entry)
            permission.check_pause(runtime, vault.profile, entry, waited_since)  # the worker may have been told
            runtime.terminal.detail("the worker did not work; renewing without one")
            return _renew(runtime, vault, session, grant, None, None, "asked" if asked else "stale")
    raise cut_off()


# -- the steps, shared with `downscoped` ---------------------------------------------------------------


def read_again(runtime: Runtime, vault: Vault) -> Session:
    """Step 3: read the session under the lock.

    Raises LoginRequired when it is gone or signing out, OtherSession when it is not what is asked for, and UsageError
    when it is renewed elsewhere.
    """
    session = checked(runtime, vault)
    _report_change(vault, session)
    if not vault.renews(session):
        raise renewed_elsewhere(vault.profile, session)
    return session


def checked(runtime: Runtime, vault: Vault) -> Session:
    """Read the session under the lock, for what is no renewal: it may be one that is renewed elsewhere."""
    session = vault.recover()
    if session is None:
        raise logged_out(vault.profile)
    check_not_signing_out(vault.profile, signing_out=vault.signing_out(session))
    return matching.check(runtime, vault, session)


def _report_change(vault: Vault, session: Session) -> None:
    """Record that something else than this state directory renewed or replaced the session."""
    moved = vault.moved_apart(session)
    if moved is not None:
        from tokenctl.broker import reports

        vault.record(reports.changed_outside(vault.profile.name, session, moved))


def _adopted(runtime: Runtime, vault: Vault) -> Session:
    """Do step 3 for a person: from now on this state directory renews the session, if a person at a terminal asks."""
    session = checked(runtime, vault)
    _report_change(vault, session)
    if not vault.renews(session):
        question = (
            f"the state directory {session.state_path} renews {vault.profile.name!r}; if it is still used, its next"
            " renewal fails, or ends the session. Renew it here from now on?"
        )
        if not (runtime.terminal.attended and runtime.terminal.confirm(question)):
            raise renewed_elsewhere(vault.profile, session)
        runtime.terminal.message(f"from now on {vault.profile.name} is renewed here")
    return session


def new_job(
    runtime: Runtime, vault: Vault, session: Session, grant: Grant, lock: int | None, reason: str
) -> RenewalJob:
    """Make the job, and check that there is something to present. Raises LoginRequired.

    `lock` is the lock's descriptor; None means that the lock cannot be inherited, or shall not be.
    """
    job = RenewalJob(
        profile=vault.profile,
        session=vault.adopt(session),
        grant=grant,
        secret=_secret(runtime, vault, session),
        verbose=runtime.terminal.verbose,
        lock=lock,
        reason=reason,
        asked_by=runtime.asked_by,
        events_failed_at=runtime.events_failed_at,
        ends_at=runtime.since_boot() + LONGEST_HELD,
    )
    permission.check_renewable(job)
    return job


def _secret(runtime: Runtime, vault: Vault, session: Session) -> str | None:
    """Find the secret of the session's client; see `clients.secret_of_session`."""
    if session.token_endpoint_auth_method == "none":
        return None
    from tokenctl.flows.clients import secret_of_session

    return secret_of_session(runtime, vault, session)


def cut_off() -> Unreachable:
    """Make the error for a renewal whose worker ended after it presented the refresh token."""
    return Unreachable("the renewal was cut off before its end", hint="try again", sent=True)


def publish(vault: Vault, renewed: Renewed) -> Renewed:
    """Step 10: copy the session to the store, and remove the journal's entry: the presentation is over."""
    vault.publish(renewed.session)
    vault.journal.remove(renewed.session)
    return renewed


def renewed_since(runtime: Runtime, seen: Session, session: Session) -> bool:
    """Tell whether another process renewed meanwhile. Its token is used even if less than `min_ttl` is left."""
    newer = session.generation > seen.generation and session.access_token != seen.access_token
    return newer and not session.expired(runtime.time_of(session))


def _begin(runtime: Runtime, vault: Vault, seen: Session | None) -> Session:
    from tokenctl.broker.lifecycle import begin

    return begin(runtime, vault, seen)


def _say_what_next(profile: Profile, error: TokenctlError) -> None:
    """Put the next step into the error's hint."""
    if isinstance(error, LoginRequired):
        error.hint = profile.login_hint
    elif error.hint is None:
        error.hint = session_is_kept(profile)
