"""Step 5 of a renewal, by the caller: a worker is started, gets the job, and says what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tokenctl.adapters import signals, worker_process
from tokenctl.adapters.worker_process import LostContact, NotStarted, Worker
from tokenctl.errors import StoreError, TokenctlError
from tokenctl.model import renewal_job
from tokenctl.model.renewal_job import RenewalJob, Renewed
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

WORKER = "tokenctl.broker.worker"


@contextmanager
def ahead(
    runtime: Runtime, vault: Vault, seen: Session, lock: int | None, min_ttl: int | None = None
) -> Iterator[Worker | None]:
    """Start the worker before the session is read again, if it will most likely be needed: it loads its modules meanwhile.

    `min_ttl` None means that the session is renewed even if it is fresh. A worker that got no job is ended with the
    block, and does not keep the lock. None: `run` starts the worker later, if one is needed.
    """
    needed = min_ttl is None or not seen.fresh(runtime.time_of(seen), min_ttl)
    # Of a hundred processes that waited for the lock, only the first one still has the newest session.
    if lock is None or not needed or not _can_work(runtime) or not vault.unchanged(seen):
        yield None
        return
    try:
        worker = Worker(WORKER, runtime.environ, lock)
    except NotStarted:
        yield None
        return
    try:
        yield worker
    finally:
        worker.dismiss()


def run(runtime: Runtime, vault: Vault, job: RenewalJob, worker: Worker | None = None) -> Renewed:
    """Step 5: give the job to a worker, which has the lock too and does steps 6 to 9 even if this process ends.

    `worker` is one that was started ahead; else one is started. Where no worker can be, this process does the steps and
    postpones signals. Raises what the steps raise, and LostContact.
    """
    renewed = _work(runtime, vault, job, worker)
    if renewed.error is not None:  # a new refresh token came with an access token that cannot be used
        vault.publish(renewed.session)
        raise renewed.error
    return renewed


def _can_work(runtime: Runtime) -> bool:
    """Tell whether a worker can do a job of this process. The lock must be one that it can inherit."""
    return worker_process.POSSIBLE and runtime.is_default


def _work(runtime: Runtime, vault: Vault, job: RenewalJob, worker: Worker | None) -> Renewed:
    if job.lock is not None and _can_work(runtime):
        host = job.session.token_endpoint.split("/")[2]
        try:
            worker = worker or Worker(WORKER, runtime.environ, job.lock)
            with runtime.terminal.delayed_progress(f"tokenctl: waiting for {host} "):
                answer = worker.work(renewal_job.dumps(job))
        except NotStarted as reason:  # such as too many processes of this user
            runtime.terminal.detail(f"no worker could be started ({reason}); renewing without one")
        else:
            return _outcome(runtime, answer)
    from tokenctl.broker.worker import work

    with signals.postponed():
        return work(runtime, vault, job)


def _outcome(runtime: Runtime, answer: str) -> Renewed:
    try:
        told = renewal_job.loads_outcome(answer)
    except (ValueError, KeyError, TypeError, StoreError):  # not the answer of a worker of this version
        raise LostContact from None
    for line in () if runtime.terminal.quiet else told.said.splitlines():
        runtime.terminal.plain_line(line)
    runtime.events_failed_at = told.events_failed_at
    for event in told.events:
        runtime.terminal.event(event)
    if isinstance(told.outcome, TokenctlError):
        raise told.outcome
    return told.outcome
