"""The worker's steps of a renewal: it asks the server and commits the answer, and needs no keyring for that.

The process that runs `main` gets one job on stdin and answers on stdout. It outlives whoever asked for
the renewal, and the lock that it inherited is free again when it ends.
"""

import contextlib
import io
import os
import signal
import sys
from dataclasses import dataclass, replace

from tokenctl import flows
from tokenctl.adapters import private_process
from tokenctl.adapters.claim import Claim
from tokenctl.adapters.terminal import Terminal
from tokenctl.broker import reports
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.flows import clients
from tokenctl.flows.flow import Answer, Flow
from tokenctl.flows.verification import has_new_id_token, verify_renewal
from tokenctl.model import renewal_job
from tokenctl.model.event import Event
from tokenctl.model.renewal_job import RenewalJob, Renewed
from tokenctl.model.session import Session
from tokenctl.oauth.answers import no_answer, unanswered
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.token_response import TokenSet
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage import event_log, lock, redo_log, sealing  # noqa: F401  # before the request: see `main`
from tokenctl.storage import vault as vaults
from tokenctl.storage.journal import Entry, Journal, clean_entry
from tokenctl.storage.vault import Vault

SECOND_TRY = 10
"""Seconds since the first presentation after which no second one follows: servers allow it for a short time only."""


def work(runtime: Runtime, vault: Vault, job: RenewalJob) -> Renewed:
    """Do steps 6 to 9. Raises LoginRequired, Refused or Unreachable."""
    try:
        with runtime.requests_end_at(job.ends_at), runtime.sharing_connections():
            return _renew(runtime, vault, job)
    finally:
        vault.release()


def _renew(runtime: Runtime, vault: Vault, job: RenewalJob) -> Renewed:
    flow = flows.of(job.session.flow)
    if vault.differs_from_mirror(job.session):
        vault.record(reports.changed_outside(job.profile.name, job.session, "other tokens"))
    client = clients.of_session(runtime, job.profile, job.session, job.secret)
    # Step 6: write into the journal that the refresh token is presented, and present it.
    sent = _present(runtime, vault, job, flow, client)
    secrets = (*client.secrets, *sent.request.secrets)
    answer = flow.read(job, sent.reply, secrets)
    # Step 7: commit a new refresh token at once, with the old access token: the presented one no longer works. If there
    # is nothing to verify, step 9 is at once too, and one commit is enough.
    session = job.next_session(answer.refresh_token) if job.renews_session else job.session
    if job.may_end_access_token:
        session = replace(session, superseded_at=sent.reply.asked_at)
    rotated = session.refresh_token not in (None, job.session.refresh_token)
    if rotated and (job.target is not None or _can_fail(job, answer)):
        vault.commit(session)
    try:
        # Step 8: verify. If the ID token is wrong, the new access token is kept nowhere.
        tokens = _verified(runtime, job, answer)
    except TokenctlError as error:
        if not isinstance(error, Unreachable):
            vault.record(reports.failed(job, sent.reply, sent.seconds, sent.entry.tries, error, session, secrets))
        entry = _entry_after(runtime, job, sent, error)
        if not rotated:
            _note(vault.journal, entry)
            raise
        # Nothing is known against the new refresh token, except that callers must not ask again at once.
        _note(vault.journal, replace(entry, fingerprint=clean_entry(session).fingerprint, tries=0, dead=False))
        return Renewed(session=session, error=error)
    # Step 9: commit the successor.
    renewed = _commit(runtime, vault, job, session, tokens)
    for event in reports.renewed(job, sent.reply, sent.seconds, renewed):
        vault.record(event)
    return renewed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A request that got a reply, the journal's entry from before it was sent, and the seconds between the two."""

    entry: Entry
    request: Request
    reply: Response
    seconds: float


def _present(runtime: Runtime, vault: Vault, job: RenewalJob, flow: Flow, client: Client) -> _Sent:
    """Send the request and return the reply.

    If the reply is lost, present the refresh token once more after a second: servers allow that for some time. Raises
    Refused or Unreachable, and what the request itself needs may raise other errors.
    """
    entry = vault.journal.read(job.session)
    started = runtime.since_boot()
    while True:
        try:
            request = flow.renewal_request(runtime, job, client)  # a new one each time: an assertion has one use
        except Unreachable:  # the platform that gives a job its identity: nothing was presented
            _note(vault.journal, replace(entry, failed_at=runtime.clock()))
            raise
        presentation = _Presentation(runtime, vault, job, entry)
        asked_at = runtime.since_boot()
        try:
            reply = runtime.send(job.profile, replace(request, purpose=_purpose(runtime, job)), presentation)
        except TokenctlError as error:
            lost = _was_lost(error)
            if not presentation.sent or not lost:
                _note(vault.journal, _entry_without_reply(runtime, presentation, error))
                raise
            failure: TokenctlError = error
        else:
            if not unanswered(reply):
                seconds = runtime.since_boot() - asked_at
                return _Sent(entry=presentation.marked, request=request, reply=reply, seconds=seconds)
            failure = no_answer(reply, "the token endpoint")
        entry = presentation.marked
        if not job.presents_refresh_token or entry.in_doubt or runtime.since_boot() - started > SECOND_TRY:
            lost_entry = entry.unanswered(runtime.now()) if job.presents_refresh_token else entry
            _note(vault.journal, replace(lost_entry, failed_at=runtime.clock()))
            if job.presents_refresh_token:
                vault.record(reports.unanswered(job, entry.tries))
            raise failure
        runtime.terminal.detail("the answer was lost; asking once more")
        runtime.sleep(1)


def _purpose(runtime: Runtime, job: RenewalJob) -> str:
    """Tell a person who wants to know why the request is sent."""
    if job.target is not None:
        return "asking for a narrower token"
    left = job.session.remaining(runtime.time_of(job.session))
    return f"renewing: {'no known end' if left is None else f'{left} s left'}"


class _Presentation(Claim):
    """Writes into the journal that the refresh token is presented, just before the first byte is sent."""

    def __init__(self, runtime: Runtime, vault: Vault, job: RenewalJob, entry: Entry) -> None:
        super().__init__()
        self._runtime, self._vault, self._job = runtime, vault, job
        self.before = entry
        self.presenting = job.presents_refresh_token
        self.marked = entry.about_to_ask(presenting=self.presenting)

    def note(self) -> None:
        self._vault.journal.write(self.marked)

    def take_back(self) -> None:
        _note(self._vault.journal, self.before)

    def allowed(self) -> bool:
        in_time = self._job.ends_at is None or self._runtime.since_boot() < self._job.ends_at
        return in_time and (self._job.lock is None or self._vault.still_exclusive(self._job.lock))


def _was_lost(error: TokenctlError) -> bool:
    """Tell whether the request may have been processed, and the answer is not known."""
    return (isinstance(error, Unreachable) and error.sent) or (isinstance(error, Refused) and error.lost)


def _entry_without_reply(runtime: Runtime, presentation: _Presentation, error: TokenctlError) -> Entry:
    """Make the entry after a request that was not sent, or was answered by a redirect."""
    if isinstance(error, Unreachable):
        return replace(presentation.before, failed_at=runtime.clock(), refused="")
    settled = presentation.sent and presentation.presenting
    return presentation.marked.answered() if settled else presentation.before


def _note(journal: Journal, entry: Entry) -> None:
    """Write the entry, if the disk allows it: the error that is about to be raised matters more."""
    with contextlib.suppress(TokenctlError):
        journal.write(entry)


def _can_fail(job: RenewalJob, answer: Answer) -> bool:
    """Tell whether the tokens can still turn out to be unusable: verifying an ID token takes a request, mostly."""
    return isinstance(answer.tokens, TokenctlError) or has_new_id_token(job.session, answer.tokens)


def _verified(runtime: Runtime, job: RenewalJob, answer: Answer) -> TokenSet:
    """Return the tokens. Raises the server's error, or the error of the ID token."""
    if isinstance(answer.tokens, TokenctlError):
        raise answer.tokens
    verify_renewal(runtime, job.profile, job.session, answer.tokens)
    return answer.tokens


def _commit(runtime: Runtime, vault: Vault, job: RenewalJob, session: Session, tokens: TokenSet) -> Renewed:
    """Commit the session with its new access token. A token for a target never replaces the session's own."""
    successor, target = _successor(job, session, tokens), job.target
    if target is None:
        vault.commit(successor)
        return Renewed(session=successor)
    if session.refresh_token == job.session.refresh_token and job.may_end_access_token:
        vault.commit(session)
    elif session.refresh_token == job.session.refresh_token:
        vault.journal.remove(session)  # the server answered, and no refresh token rotated: there is nothing to commit
        session = job.session
    narrower = replace(
        successor,
        refresh_token=None,
        refresh_token_expires_at=None,
        id_token=None,
        scope=tokens.scope if tokens.scope is not None else target.scope or job.session.scope,
        resource=target.resource,
    )
    return Renewed(session=session, narrower=narrower)


def _successor(job: RenewalJob, session: Session, tokens: TokenSet) -> Session:
    """Put the new tokens into the session. It keeps what the answer leaves out (RFC 6749 section 6)."""
    kept = session.refresh_token_expires_at if job.presents_refresh_token else None
    return replace(
        session,
        access_token=tokens.access_token,
        token_type=tokens.token_type,
        refreshed_at=tokens.obtained_at,
        superseded_at=None,
        **tokens.times(renewable=session.refresh_token is not None),
        refresh_token_expires_at=tokens.refresh_token_expires_at or kept,
        id_token=tokens.id_token or session.id_token,
        scope=tokens.scope if tokens.scope is not None else session.scope,
    )


def _entry_after(runtime: Runtime, job: RenewalJob, sent: _Sent, error: TokenctlError) -> Entry:
    """Make the journal's entry after a reply that was no success."""
    reply, entry = sent.reply, sent.entry
    refused_target = job.target is not None and not isinstance(error, Unreachable)
    if isinstance(error, LoginRequired) and job.presents_refresh_token and not refused_target:
        return replace(entry, dead=True)
    if not refused_target:  # callers that ask for the session itself may still be served
        entry = replace(
            entry,
            not_before=runtime.now() + reply.retry_after if reply.retry_after else 0,
            failed_at=runtime.clock(),
            refused="" if isinstance(error, Unreachable) else error.message,
        )
    return entry.answered() if job.presents_refresh_token else entry


class _WorkerTerminal(Terminal):
    """Keeps messages and events for the caller, which says them."""

    def __init__(self, verbose: bool, said: io.StringIO, reported: list[Event]) -> None:
        super().__init__(verbose=verbose, err=said)
        self._reported = reported

    def event(self, event: Event) -> None:
        self._reported.append(event)


def main() -> None:
    """Do the job that is on stdin. Both pipes carry UTF-8, whatever the locale is."""
    private_process.begin()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    # httpcore and httpx load them where they are, and can do without: libraries for asynchronous programs, and httpx's own
    # command line with click and rich. They would cost more than all else that the worker loads.
    for name in ("anyio", "trio", "httpx._main"):
        sys.modules[name] = None  # type: ignore[assignment]
    # Now, while the caller reads the session; and so that a commit needs no file of the program any more, once the request
    # is sent: an upgrade could take them away meanwhile.
    from tokenctl.adapters import transport  # noqa: F401

    said, reported, runtime = io.StringIO(), list[Event](), Runtime()
    try:
        job = renewal_job.loads(sys.stdin.buffer.read().decode())
    except (ValueError, TypeError, LookupError, AttributeError, TokenctlError):
        sys.exit(1)  # it did not arrive whole, or its sender has another version: nothing was done
    try:
        runtime.terminal = _WorkerTerminal(job.verbose, said, reported)
        runtime.asked_by, runtime.events_failed_at = job.asked_by, job.events_failed_at
        outcome: Renewed | TokenctlError = work(runtime, vaults.open(runtime, job.profile), job)
    except TokenctlError as error:
        outcome = error
    except Exception as error:  # a defect: its text could hold anything, its kind cannot
        outcome = TokenctlError(f"unexpected {type(error).__name__} in the worker", hint="please report it")
    try:
        told = renewal_job.dumps_outcome(outcome, said.getvalue(), reported, runtime.events_failed_at)
        sys.stdout.buffer.write(told.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        pass  # nobody waits any more; what was committed is found by the next run
    # At once: everything is committed, and to take the interpreter apart would keep the caller waiting, and the lock.
    os._exit(0)
