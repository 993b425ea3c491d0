"""The worker's steps of a renewal: it asks the server and commits the answer, and needs no keyring for that.

`python -m tokenctl.broker.worker` gets one job on stdin and answers on stdout. It outlives whoever asked for
the renewal, and the lock that it inherited is free again when it ends.
"""

import contextlib
import io
import json
import signal
import sys
from dataclasses import dataclass, replace

from tokenctl import flows
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.flows import clients
from tokenctl.flows.flow import Answer, Flow
from tokenctl.flows.verification import verify_renewal
from tokenctl.model import renewal_job
from tokenctl.model.renewal_job import RenewalJob, Renewed
from tokenctl.model.session import Session
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.token_response import TokenSet
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.journal import Entry, Journal
from tokenctl.storage.vault import Vault


def work(runtime: Runtime, vault: Vault, job: RenewalJob) -> Renewed:
    """Do steps 6 to 9. Raises LoginRequired, Refused or Unreachable."""
    try:
        flow = flows.of(job.session.flow)
        client = clients.of_session(runtime, job.profile, job.session, job.secret)
        # Step 6: write into the journal that the refresh token is presented, and present it.
        sent = _present(runtime, vault, job, flow, client)
        answer = flow.read(job, sent.reply, (*client.secrets, *sent.request.secrets))
        # Step 7: commit a new refresh token at once, with the old access token: the presented one no longer works.
        session = job.next_session(answer.refresh_token) if job.renews_session else job.session
        if session.refresh_token not in (None, job.session.refresh_token):
            vault.commit(session)
        try:
            # Step 8: verify. If the ID token is wrong, the new access token is kept nowhere.
            tokens = _verified(runtime, job, answer)
        except TokenctlError as error:
            _note(vault.journal, _entry_after(runtime, job, sent, error))
            raise
        # Step 9: commit the successor.
        return _commit(runtime, vault, job, session, tokens)
    finally:
        vault.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A request that got a reply, and the journal's entry from before it was sent."""

    entry: Entry
    request: Request
    reply: Response


def _present(runtime: Runtime, vault: Vault, job: RenewalJob, flow: Flow, client: Client) -> _Sent:
    """Send the request and return the reply.

    If the reply is lost, present the refresh token once more at once: servers allow that for a few seconds. Raises
    Refused or Unreachable, and what the request itself needs may raise other errors.
    """
    journal, presenting = vault.journal, job.presents_refresh_token
    entry = journal.read(job.session)
    while True:
        try:
            request = flow.renewal_request(runtime, job, client)  # a new one each time: an assertion has one use
        except Unreachable:  # the platform that gives a job its identity: nothing was presented
            _note(journal, replace(entry, failed_at=runtime.clock()))
            raise
        entry = entry.about_to_ask(presenting=presenting)
        journal.write(entry)
        try:
            return _Sent(entry=entry, request=request, reply=runtime.send(job.profile, request))
        except Unreachable as error:
            if error.sent and presenting and not entry.in_doubt:
                runtime.terminal.detail("the answer was lost; asking once more")
                continue
            seen = entry if error.sent or not presenting else entry.not_sent()
            _note(journal, replace(seen, failed_at=runtime.clock()))
            raise
        except TokenctlError as error:  # such as a redirect, or a proxy that cannot be used: no reply was lost
            _note(journal, _entry_without_reply(entry, error, presenting=presenting))
            raise


def _entry_without_reply(entry: Entry, error: TokenctlError, *, presenting: bool) -> Entry:
    """Make the entry after a request that failed for another reason than the network."""
    if not presenting or (isinstance(error, Refused) and error.lost):
        return entry
    return entry.answered() if isinstance(error, Refused) else entry.not_sent()


def _note(journal: Journal, entry: Entry) -> None:
    """Write the entry, if the disk allows it: the error that is about to be raised matters more."""
    with contextlib.suppress(TokenctlError):
        journal.write(entry)


def _verified(runtime: Runtime, job: RenewalJob, answer: Answer) -> TokenSet:
    """Return the tokens. Raises the server's error, or the error of the ID token."""
    if isinstance(answer.tokens, TokenctlError):
        raise answer.tokens
    verify_renewal(runtime, job.profile, job.session, answer.tokens)
    return answer.tokens


def _commit(runtime: Runtime, vault: Vault, job: RenewalJob, session: Session, tokens: TokenSet) -> Renewed:
    """Commit the session with its new access token. A token for a target never replaces the session's own."""
    successor, target = _successor(runtime, job, session, tokens), job.target
    if target is None:
        vault.commit(successor)
        return Renewed(session=successor)
    if session.refresh_token == job.session.refresh_token:
        vault.journal.remove()  # the server answered, and no refresh token rotated: there is nothing to commit
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


def _successor(runtime: Runtime, job: RenewalJob, session: Session, tokens: TokenSet) -> Session:
    """Put the new tokens into the session. It keeps what the answer leaves out (RFC 6749 section 6)."""
    kept = session.refresh_token_expires_at if job.presents_refresh_token else None
    return replace(
        session,
        access_token=tokens.access_token,
        token_type=tokens.token_type,
        obtained_at=tokens.obtained_at,
        refreshed_at=tokens.obtained_at,
        expires_at=tokens.expires_at,
        **runtime.boot_time(),
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
    # After a 2xx reply without tokens the refresh token may be used up, and its successor is unknown.
    doubtful = reply.status < 300 and isinstance(error, Refused)
    return entry if doubtful or not job.presents_refresh_token else entry.answered()


def main() -> None:
    """Do the job that is on stdin."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    said = io.StringIO()
    try:
        job = renewal_job.loads(sys.stdin.read())
        runtime = Runtime(verbose=job.verbose)
        runtime.terminal = Terminal(verbose=job.verbose, err=said)
        outcome: Renewed | TokenctlError = work(runtime, vaults.open(runtime, job.profile), job)
    except TokenctlError as error:
        outcome = error
    except json.JSONDecodeError:
        sys.exit(1)  # the job did not arrive whole: its sender is gone, and nothing was done
    except Exception as error:  # a defect: its text could hold anything, its kind cannot
        outcome = TokenctlError(f"unexpected {type(error).__name__} in the worker", hint="please report it")
    try:
        print(renewal_job.dumps_outcome(outcome, said.getvalue()), flush=True)  # noqa: T201 (the answer's pipe)
    except BrokenPipeError:
        sys.stdout = None  # nobody waits any more; what was committed is found by the next run


if __name__ == "__main__":
    main()
