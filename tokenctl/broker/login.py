"""A login: whether its session could be kept, the sign-in, and keeping the session in the place of what was there."""

import contextlib
from dataclasses import replace

from tokenctl.errors import StoreDamaged, UsageError
from tokenctl.flows import sign_in
from tokenctl.flows.flow import SignIn
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def check(vault: Vault) -> None:
    """Before a person signs in, check that the store can keep the session. Raises UsageError or StoreError."""
    with contextlib.suppress(StoreDamaged):  # a login replaces a damaged entry
        vault.newest()
    vault.prepare()


def login(runtime: Runtime, vault: Vault, start: SignIn, *, switch_account: bool = False) -> Session:
    """Sign in, and keep the session; see `keep`. Raises what a sign-in raises, too."""
    vault.check_flow(start.flow.name)
    key_file = start.profile.client_key_file
    with sign_in.sign_in(start) as session:
        return keep(runtime, vault, session, None if key_file else start.client.secret, switch_account=switch_account)


def keep(
    runtime: Runtime, vault: Vault, session: Session, secret: str | None = None, *, switch_account: bool = False
) -> Session:
    """Keep what a login produced in the place of what was there, with the client's secret; returns it as stored.

    Another account than the profile's is kept with `switch_account`, or when the person at the terminal says so.
    Raises UsageError when it is refused, StoreError or Busy; then the older session is still there.
    """
    seen = None if switch_account else _agreed(runtime, vault, session)
    with vault.exclusive():
        older = _older(runtime, vault)
        if older is not None:
            if _other_account(older, session):
                if not switch_account and (
                    seen is None or _other_account(older, seen)
                ):  # the stored account changed meanwhile
                    raise _refused(vault.profile, older, session)
                was, now = _accounts(older, session)
                runtime.terminal.message(f"{vault.profile.name!r} was signed in as {was}, and is now {now}")
            session = replace(session, generation=older.generation + 1)
            if _same_account(older, session):
                # The keyring can come back with the older entry. With its key, the redo log has this session then.
                session = replace(session, id=older.id, seal_key=older.seal_key)
        session = vault.adopt(session)
        vault.keep(session, secret)
    return session


def _older(runtime: Runtime, vault: Vault) -> Session | None:
    try:
        return vault.newest()
    except StoreDamaged as damaged:
        runtime.terminal.warning(f"{damaged.message}; this login replaces it")
        return None


def _agreed(runtime: Runtime, vault: Vault, newer: Session) -> Session | None:
    """Return the session of another account that the person agrees to replace; None when there is none.

    The lock is not held: a person may need minutes, and other processes need tokens. Raises UsageError when the
    person does not agree, or nobody can be asked.
    """
    if not newer.subject:
        return None
    older = None
    with contextlib.suppress(StoreDamaged):  # a login replaces a damaged entry, and says so
        older = vault.newest()
    if older is None or not _other_account(older, newer):
        return older
    was, now = _accounts(older, newer)
    question = f"{vault.profile.name!r} is signed in as {was}, and you signed in as {now}: switch to {now}?"
    if not (runtime.terminal.attended and runtime.terminal.confirm(question)):
        raise _refused(vault.profile, older, newer)
    return older


def _other_account(older: Session, newer: Session) -> bool:
    """Tell whether two sessions are of different people, as far as both say whose they are."""
    whose = [(each.issuer, each.subject) for each in (older, newer)]
    return bool(older.subject and newer.subject) and whose[0] != whose[1]


def _same_account(older: Session, newer: Session) -> bool:
    """Tell whether two sessions are surely of one account: same server, client and subject."""
    whose = [(each.issuer, each.client_id, each.subject, each.by_machine) for each in (older, newer)]
    return whose[0] == whose[1] and (newer.subject is not None or newer.by_machine)


def _accounts(older: Session, newer: Session) -> tuple[str, str]:
    """Name two accounts so that they can be told apart."""
    if older.account != newer.account:
        return str(older.account), str(newer.account)
    was, now = (f"{each.account} ({each.subject} at {each.issuer})" for each in (older, newer))
    return was, now


def _refused(profile: Profile, older: Session, newer: Session) -> UsageError:
    """Make the error for a login as another account.

    The new session is not revoked: many servers then end all sessions of that person and client.
    """
    was, now = _accounts(older, newer)
    return UsageError(
        f"{profile.name!r} is signed in as {was}, and this sign-in was as {now}: it was not kept, {was} still is",
        hint=f"sign in as {was}, choose another profile with -p NAME, or say --switch-account;"
        f" the tokens of {now} were thrown away, and end at the server in their own time",
    )
