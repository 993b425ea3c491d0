"""A new session is kept, or its tokens are ended at the server; and a session that is replaced is ended there."""

import contextlib
from copy import copy
from dataclasses import replace
from functools import partial

from tokenctl import flows
from tokenctl.broker import reports
from tokenctl.errors import StoreError, StoreUnavailable, TokenctlError, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.client_auth import WORKLOAD
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.memory_vault import MemoryVault
from tokenctl.storage.vault import Vault

TIME = 20
"""Seconds for ending tokens at a server, while other processes wait for the lock."""


def keep(
    runtime: Runtime,
    vault: Vault,
    session: Session,
    *,
    secret: str | None,
    presented: str | None,
    older: Session | None,
    damaged: bool = False,
) -> None:
    """Keep a new session. If it cannot be kept, revoke its tokens, so that nothing stays alive that nobody has.

    `secret` is kept with it; `presented` is the client secret that it was made with. `older` is the session in its
    place. Nothing is revoked where an older session of the same account exists or may exist (`damaged`): some servers
    then end every grant of that user and client. And nothing where the store has the session all the same, such as after
    a write that could not be read back: its tokens must not be dead then. Raises StoreError or UsageError.
    """
    report = partial(reports.login, vault.profile, session, older)
    vault.record(report("started"))
    try:
        vault.keep(session, secret)
    except (StoreError, UsageError, OSError) as error:
        vault.record(report("failed"))
        same = older is not None and account(older) == account(session)
        if not (same or damaged or _in_other_profile(runtime, vault.profile, session) or _is_there(vault, session)):
            end(runtime, vault.profile, session, presented)
        if isinstance(error, OSError):
            raise StoreUnavailable(f"the session cannot be kept: {error.strerror}") from None
        raise
    vault.record(report("ok"))
    for event in reports.changed_endpoints(vault.profile, session, older):
        vault.record(event)


def _is_there(vault: Vault, session: Session) -> bool:
    """Tell whether the session is found although it could not be kept well: its tokens are given away then.

    Where the store does not answer, the session gets the mark "signing out". So nobody gets its tokens if it is there.
    """
    try:
        found = vault.newest()
    except (StoreError, UsageError):
        with contextlib.suppress(StoreError, UsageError):
            vault.journal.write(replace(vault.journal.read(session), signing_out=True))
        return False
    return found is not None and found.access_token == session.access_token


def account(session: Session) -> tuple[str, str, str | None, bool]:
    """Return what tells two accounts apart: issuer, client, subject, and whether it is a machine's."""
    return session.issuer, session.client_id, session.subject, session.by_machine


def end(runtime: Runtime, profile: Profile, session: Session, secret: str | None) -> None:
    """Revoke a session that nothing keeps, with the client secret that it was made with. Warns when that fails.

    The secrets of the environment are not used: they can be of another client, at another server. Nor is the job's
    identity, where the profile is for another server now.
    """
    alone = copy(runtime)
    names = {f"TOKENCTL_{name}{suffix}" for name in ("CLIENT_SECRET", "API_KEY") for suffix in ("", "_FILE")}
    alone.environ = {name: value for name, value in runtime.environ.items() if name not in names}
    alone.store = MemoryStore()
    if secret is not None:
        alone.store.write_secret(profile.name, secret)
    of_session = profile
    if session.token_endpoint_auth_method != WORKLOAD:
        of_session = replace(profile, issuer=session.issuer, client_id=session.client_id)
    try:
        with alone.requests_end_at(alone.since_boot() + TIME):
            flows.of(session.flow).revoke(alone, MemoryVault(alone, of_session), session)
    except TokenctlError as error:
        runtime.terminal.warning(
            f"tokens of {session.account or session.client_id} at {session.issuer} stay valid until they expire:"
            f" they could not be revoked ({error.message})"
        )


def _in_other_profile(runtime: Runtime, profile: Profile, session: Session) -> bool:
    """Tell whether another profile is for the same server and client, so that the account may have a session there."""
    try:
        return any(
            each.name != profile.name and (each.issuer, each.client_id) == (session.issuer, session.client_id)
            for each in runtime.config.profiles.values()
        )
    except UsageError:  # a profile with a mistake may be for it
        return True
