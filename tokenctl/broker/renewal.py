"""The heart: how a session is kept alive. The one promise: none is ever lost to a race, a crash or a retry.

Between reading a refresh token and saving its successor there is exactly one process, and its work
survives it. Nothing here deletes a session. The file is longer than others so that the ten steps can be
read in one go: `current` is the first, `_renew` has those of the caller, `present` those of the worker.

    1 read   2 lock   3 read again   4 journal   5 worker   6 present   7 commit   8 keyring   9 verify   10 unlock
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tokenctl import flows
from tokenctl.broker import record
from tokenctl.broker.errand import Errand
from tokenctl.errors import (
    Busy,
    LoginRequired,
    Refused,
    StoreError,
    TokenctlError,
    Unreachable,
    UsageError,
)
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime, logged_out, login_hint

if TYPE_CHECKING:
    from tokenctl.oauth.wire import Request, Response
    from tokenctl.storage.journal import Entry, Journal

SOFT_WINDOW = 15
"""Seconds before `min_ttl` would be missed in which one process renews, and nobody else waits for it."""


def current(runtime: Runtime, profile: Profile, min_ttl: int | None = None) -> Session:
    """Return a session whose access token has at least `min_ttl` seconds left.

    The stored one if it has: no lock, no network. Otherwise renew; and should that fail for a passing
    reason, the token at hand is still good until it expires. Raises LoginRequired, Refused, Unreachable,
    Busy or StoreError.
    """
    wanted = profile.min_ttl if min_ttl is None else min_ttl
    # Step 1: read. Fresh: that is all.
    session = record.read(runtime, profile)
    if session is not None and session.fresh(runtime.time_of(session), wanted):
        soon = not session.fresh(runtime.time_of(session), wanted + SOFT_WINDOW)
        return _at_leisure(runtime, profile, session, wanted) if soon or runtime.has_redo_log(profile) else session
    left = session.remaining(runtime.time_of(session)) if session is not None else 0
    try:
        # Nobody waits for the lock until the token at hand is dead.
        return _renew(runtime, profile, session, wanted, patience=left / 2 if left > 0 else None)
    except (Unreachable, StoreError, Busy) as error:
        if session is None or session.expired(runtime.time_of(session)):
            raise
        left = session.remaining(runtime.time_of(session))
        runtime.terminal.warning(f"could not renew ({error.message}); the token at hand lives {left} s more")
        return session


def renew(runtime: Runtime, profile: Profile, *, again: bool = False) -> Session:
    """Renew now, however fresh the access token is; `again` by a machine's own credentials. Raises as `current` does."""
    return _renew(runtime, profile, record.read(runtime, profile), None, again=again)


def narrow(
    runtime: Runtime,
    asked: Profile,
    seen: Session,
    cached: Callable[[], Session | None],
    keep: Callable[[Session], None],
    *,
    again: bool,
) -> Session:
    """Get a token as `asked`, narrower than the session's, unless it is `cached` by then; `keep` it under the lock.

    By the refresh token, or with `again` by the machine's own credentials. Raises as `current` does.
    """
    try:
        return _renew(runtime, asked, seen, None, again=again, beside=(cached, keep))
    except _NotGiven:
        session = record.read(runtime, asked)
        if session is not None and not runtime.journal(asked).read(session).in_doubt:
            runtime.sleep(1)
            renew(runtime, asked)  # tells whether it is the refresh token that is dead
        raise


def _renew(
    runtime: Runtime,
    profile: Profile,
    seen: Session | None,
    min_ttl: int | None,
    *,
    again: bool = False,
    beside: tuple[Callable[[], Session | None], Callable[[Session], None]] | None = None,
    patience: float | None = None,
) -> Session:
    """Renew under the lock; `min_ttl` None means by request, whatever is there. `patience` is seconds.

    With `beside` a narrower token is meant: what knows it already, and what keeps it.
    """
    if profile.store == "memory":
        return _begin_again(runtime, profile)
    if seen is None:
        return _begin_stored(runtime, profile)
    since = runtime.clock()
    # Step 2: one process at a time. A worker inherits this lock, so that only its end sets it free.
    with runtime.locked(profile, patience) as lock:
        # Step 3: read again, and use only this record from here on.
        store = runtime.store(profile)
        session = record.of_profile(profile, record.settled(runtime, profile, store))
        if session is None:
            raise logged_out(profile)
        if min_ttl is not None and (
            session.fresh(runtime.time_of(session), min_ttl) or _renewed_meanwhile(runtime, seen, session)
        ):
            return session
        if beside is not None and (known := beside[0]()) is not None:
            return known
        entry = runtime.journal(profile).read(session)
        machine = session.flow in flows.MACHINE  # it has credentials of its own: what is dead can begin again
        if again and not machine:
            raise UsageError(
                f"{profile.name!r} was signed in to by a person, and has no API key", hint=login_hint(profile)
            )
        again = again or (machine and (entry.dead or entry.in_doubt or _refresh_token_expired(runtime, session)))
        by_request = min_ttl is None and beside is None
        _permit(runtime, profile, session, entry, since, by_request=by_request, again=again)
        client = flows.client(runtime, profile, session)
        flows.check_renewable(profile, session, again)
        # Step 4: make room for the answer. If the disk says no, nothing was sent, and nothing is lost.
        runtime.redo_log(profile).reserve(session)
        job = Errand(
            profile=profile,
            session=session,
            secret=client.secret,
            narrow=beside is not None,
            again=again,
            verbose=runtime.terminal.verbose,
        )
        try:
            # Step 5: steps 6, 7 and 9 run in a worker that outlives us, or, where there can be none, with signals put off.
            renewed = runtime.survive(job, lock, present)
        except (LoginRequired, Refused, Unreachable) as error:
            # Look before believing it: somebody without the lock may have won, or the worker was cut off after its commit.
            newer = record.settled(runtime, profile, store)
            if newer is not None and _renewed_meanwhile(runtime, session, newer) and not job.narrow:
                return newer
            if job.narrow and isinstance(error, LoginRequired) and not again:
                raise _NotGiven(error.message) from None
            if job.narrow or isinstance(error, Unreachable):
                raise
            if again or not machine or session.refresh_token is None:
                error.hint = login_hint(profile) if isinstance(error, LoginRequired) else error.hint or _kept(profile)
                raise
            renewed = runtime.survive(replace(job, again=True), lock, present)
        # Step 8: the keyring gets its copy. Step 9 is behind us: the worker verified what it committed.
        successor = _successor(session, renewed) if job.narrow else renewed
        if successor is not session:
            record.copy(runtime, profile, store, successor)
        runtime.journal(profile).remove()
        if beside is not None:
            beside[1](renewed)
        return renewed
    # Step 10: the lock is free.


def present(runtime: Runtime, errand: Errand) -> Session:
    """Present the refresh token and commit what comes back. This is what the worker does.

    Raises LoginRequired, Refused or Unreachable.
    """
    profile, session = errand.profile, errand.session
    journal, redo_log = runtime.journal(profile), runtime.redo_log(profile)

    def commit(successor: Session) -> None:
        # Step 7: the commit. Should the disk fail even so, the keyring is what is left, in step 8.
        try:
            redo_log.commit(successor)
        except (OSError, UsageError) as reason:
            runtime.terminal.warning(f"{redo_log.path} cannot be written: {getattr(reason, 'strerror', reason)}")
        else:
            journal.remove()

    try:
        # Step 6: write down that it is presented, and present it.
        client = flows.client(runtime, profile, session, errand.secret)
        entry, sent, response = _answer(runtime, errand, lambda: flows.renewal_request(runtime, errand, client))
        try:
            # Step 9: a rotated refresh token is committed first, and no access token that was not verified.
            done = flows.succeed(runtime, errand, response, (*client.secrets, *sent.secrets), commit)
            if errand.narrow and done.refresh_token == session.refresh_token:
                journal.remove()  # answered, and nothing rotated: there was nothing to commit
            return done
        except TokenctlError as error:
            with contextlib.suppress(TokenctlError):
                _note(journal, session, _judged(runtime, errand, entry, error, response))
            raise
    finally:
        redo_log.release()


def _answer(
    runtime: Runtime, errand: Errand, request: Callable[[], "Request"]
) -> tuple["Entry", "Request", "Response"]:
    """Get the server's answer; when it is lost, present the token once more at once: servers keep a grace period."""
    profile, session = errand.profile, errand.session
    journal = runtime.journal(profile)
    entry = journal.read(session)
    while True:
        entry = replace(entry, tries=entry.tries + (not errand.again), not_before=0, refused="")
        _note(journal, session, entry)
        try:
            sent = request()
            return entry, sent, runtime.send(profile, sent)
        except Unreachable as error:
            if error.sent and session.refresh_token and not errand.again and not entry.in_doubt:
                runtime.terminal.detail("the answer was lost; asking once more")
                continue
            with contextlib.suppress(TokenctlError):
                tries = entry.tries if error.sent or errand.again else entry.tries - 1
                _note(journal, session, replace(entry, tries=tries, failed_at=runtime.clock()))
            raise
        except TokenctlError as error:  # a redirect, or a proxy that cannot be used: nothing was lost on the way
            if not (isinstance(error, Refused) and error.lost):
                answered = isinstance(error, Refused) and not errand.again
                unsent = replace(entry, tries=entry.tries - (not errand.again))
                with contextlib.suppress(TokenctlError):
                    _note(journal, session, entry.answered() if answered else unsent)
            raise


def _judged(runtime: Runtime, errand: Errand, entry: "Entry", error: TokenctlError, response: "Response") -> "Entry":
    """Tell what an answer that was no success means for the refresh token: an answer is not a lost answer."""
    later = runtime.now() + response.retry_after if response.retry_after else 0
    refused = "" if isinstance(error, Unreachable) else error.message
    noted = replace(entry, not_before=later, failed_at=runtime.clock(), refused=refused)
    narrower = errand.narrow and not isinstance(error, Unreachable)
    if narrower:  # what others ask for is another matter; and a scope nobody consented to looks like a dead token
        noted = entry
    if errand.again:  # another credential was presented: of the refresh token nothing new is known
        return noted
    if isinstance(error, LoginRequired) and not narrower:
        return replace(entry, dead=True)
    if response.status < 300 and isinstance(error, Refused):  # it may have been used up, and its successor not be there
        return noted
    return noted.answered()


# -- what the steps are made of --------------------------------------------------------------------


def _at_leisure(runtime: Runtime, profile: Profile, session: Session, min_ttl: int) -> Session:
    """Renew early, or finish what another run left, if nobody else does: the session at hand is good enough."""
    try:
        return _renew(runtime, profile, session, min_ttl + SOFT_WINDOW, patience=0.0)
    except TokenctlError as error:
        if session.expired(runtime.time_of(session)):  # it took long
            raise
        runtime.terminal.detail(f"not renewed early: {error.message}")
        return session


def _permit(
    runtime: Runtime, profile: Profile, session: Session, entry: "Entry", since: float, *, by_request: bool, again: bool
) -> None:
    """Raise what the journal has against presenting this refresh token, by a process that has waited `since` then.

    Raises LoginRequired or Unreachable.
    """
    if entry.dead and not again:
        raise LoginRequired(f"the server ended the session of {profile.name!r}", hint=login_hint(profile))
    if entry.in_doubt and not (by_request or again):
        raise LoginRequired(
            f"the server did not answer when the session of {profile.name!r} was renewed, and may have renewed it",
            hint=f"try once more with 'tokenctl refresh -p {profile.name}', or {login_hint(profile)}",
        )
    pause = entry.pause(runtime.now())
    if pause:
        raise Unreachable(f"the server asked not to be asked again for {pause} s", hint="try again after that")
    if since <= entry.failed_at <= runtime.clock():  # no later: the clock may have been set back since
        # A herd that waited for one request takes its answer, and does not make one each.
        if entry.refused:
            raise Refused(f"another process has just asked: {entry.refused}", hint=_kept(profile))
        raise Unreachable("another process has just asked, and the server could not be reached or did not answer")
    # At most once a second, whatever the server says of its tokens' life. The time of an answer is cut to the second.
    wait = max(entry.failed_at + 1, 0 if by_request else session.obtained_at + 2) - runtime.clock()
    if 0 < wait <= 2:  # no longer: the clock may have been set back since
        runtime.sleep(wait)


def _kept(profile: Profile) -> str:
    return f"the session is kept; should this go on, {login_hint(profile)}"


class _NotGiven(Refused):
    """`invalid_grant` for a narrower token: the refresh token is dead, or nobody consented to that scope."""

    def __init__(self, message: str) -> None:
        super().__init__(f"the server gives no token for that scope or resource: {message}")


def _successor(session: Session, narrower: Session) -> Session:
    """Make what a request for a narrower token leaves of the session: all of it, and the refresh token that rotated."""
    if narrower.refresh_token in (None, session.refresh_token):
        return session
    return replace(session, generation=narrower.generation, refresh_token=narrower.refresh_token)


def _refresh_token_expired(runtime: Runtime, session: Session) -> bool:
    ends = session.refresh_token_expires_at
    return session.refresh_token is not None and ends is not None and runtime.time_of(session) >= ends


def _note(journal: "Journal", session: Session, entry: "Entry") -> None:
    """Write the entry; what presents no refresh token uses none up."""
    journal.write(entry if session.refresh_token else replace(entry, tries=0, dead=False))


def _renewed_meanwhile(runtime: Runtime, seen: Session, session: Session) -> bool:
    """Tell whether somebody else renewed while we waited: then it counts as fresh, however short it is."""
    newer = session.generation > seen.generation and session.access_token != seen.access_token
    return newer and not session.expired(runtime.time_of(session))


def _begin_stored(runtime: Runtime, profile: Profile) -> Session:
    """Begin for a machine whose credentials its environment has: the calls of one CI job share what the first one got."""
    if profile.flow not in flows.MACHINE or not runtime.has_credentials(profile):
        raise logged_out(profile)
    with runtime.locked(profile):
        store = runtime.store(profile)
        session = record.of_profile(profile, record.settled(runtime, profile, store))
        if session is None:
            session = flows.begin(runtime, profile, client_secret=runtime.client_secret(profile))
            store.write(profile.name, session)
            runtime.pin(profile, store)
        return session


def _begin_again(runtime: Runtime, profile: Profile) -> Session:
    """Begin without a session: a machine that keeps nothing does so each time."""
    if profile.flow not in (*flows.MACHINE, "auto"):
        raise UsageError(
            "the memory store keeps nothing, so only a machine can use it", hint="choose store keyring or file"
        )
    machine = replace(profile, flow=flows.MACHINE[0]) if profile.flow == "auto" else profile
    session = flows.begin(runtime, machine, client_secret=runtime.client_secret(profile))
    runtime.store(profile).write(profile.name, session)
    return session
