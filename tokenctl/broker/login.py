"""A login: whether its session could be kept, the sign-in, and keeping the session in the place of what was there."""

import contextlib
from dataclasses import replace

from tokenctl.broker import kept
from tokenctl.broker.current import current
from tokenctl.errors import LoginRequired, StoreDamaged, UsageError
from tokenctl.flows import sign_in
from tokenctl.flows.flow import SignIn
from tokenctl.model.profile import Profile
from tokenctl.model.session import DEFAULT_LIFETIME, Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault


def check(vault: Vault) -> None:
    """Before a person signs in, check that the store can keep the session. Raises UsageError or StoreError."""
    with contextlib.suppress(StoreDamaged):  # a login replaces a damaged entry
        vault.newest()
    vault.prepare()


def good(runtime: Runtime, profile: Profile) -> tuple[Vault, Session] | None:
    """Return the profile's session if it gives a token without a person, renewed if need be; None: a sign-in is needed.

    Raises what `current` raises for another reason, such as a server that cannot be reached: then nobody knows.
    """
    vault = vaults.open(runtime, profile)
    if not vault.lasting:
        return None
    try:
        return vault, current(runtime, vault)
    except (LoginRequired, StoreDamaged, UsageError) as reason:  # what a login mends, or says itself
        runtime.terminal.detail(f"a sign-in is needed: {reason.message}")
        return None


def login(runtime: Runtime, vault: Vault, start: SignIn, *, switch_account: bool = False) -> Session:
    """Sign in, and keep the session; see `keep`. Raises what a sign-in raises, too.

    No secret is sent when the login would replace the session of another server or client, or a person's by a
    machine's, unless `switch_account` or the person at the terminal says so.
    """
    vault.check_flow(start.flow.name)
    switch_account = switch_account or _replacement_agreed(runtime, vault, start)
    secret = start.client.secret
    with sign_in.sign_in(start) as session:
        return keep(
            runtime,
            vault,
            session,
            None if start.profile.client_key_file else secret,
            switch_account=switch_account,
            presented=secret,
        )


def _replacement_agreed(runtime: Runtime, vault: Vault, start: SignIn) -> bool:
    """Tell whether a person agreed to replace another account's session; False when there is none. Raises UsageError."""
    older = stored(vault)
    if older is None:
        return False
    was = f"{older.account or older.client_id} at {older.issuer}"
    if (older.issuer, older.client_id) != (start.server.issuer, start.client.client_id):
        now = f"the client {start.client.client_id} at {start.server.issuer}"
        was = f"{older.account or 'itself'}, the client {older.client_id} at {older.issuer}"
    elif start.flow.by_machine and not older.by_machine:
        now = f"a machine, by the flow {start.flow.name}"
    else:
        return False
    name = vault.profile.name
    question = f"{name!r} is signed in as {was}; replace that by {now}?"
    if not (runtime.terminal.attended and runtime.terminal.confirm(question)):
        raise UsageError(
            f"{name!r} is signed in as {was}, and this login is {now}: nothing was sent, and the session was not changed",
            hint="choose another profile with -p NAME, or say --switch-account to replace the session",
        )
    return True


def keep(
    runtime: Runtime,
    vault: Vault,
    session: Session,
    secret: str | None = None,
    *,
    switch_account: bool = False,
    presented: str | None = None,
) -> Session:
    """Keep what a login produced in the place of what was there, with the client's secret; returns it as stored.

    Another account than the profile's is kept with `switch_account`, or when the person at the terminal says so. The
    session of that account is then revoked. `presented` is the client secret of the sign-in. Raises UsageError when it
    is refused, StoreError or Busy; then the older session is still there.
    """
    seen = None if switch_account else _agreed(runtime, vault, session)
    with vault.exclusive():
        older, damaged = _older(runtime, vault)
        other = older is not None and _other_account(older, session)
        if older is not None and other:
            # The stored account can have changed since the person was asked.
            if not switch_account and (seen is None or _other_account(older, seen)):
                raise _refused(vault.profile, older, session)
            was, now = _accounts(older, session)
            runtime.terminal.message(f"{vault.profile.name!r} was signed in as {was}, and is now {now}")
        if older is not None:
            session = replace(session, generation=older.generation + 1)
            if not other and session.identity is None:  # a machine's identity is bound to its own key
                # The keyring can come back with the older entry. With its key, the redo log has this session then.
                session = replace(session, id=older.id, seal_key=older.seal_key)
                if _keeps_refresh_token(vault, older, session):
                    session = _with_refresh_token_of(older, session)
        session = vault.adopt(session)
        left_secret = (vault.previous or vault.store).read_secret(vault.profile.name) if other else None
        kept.keep(runtime, vault, session, secret=secret, presented=presented, older=older, damaged=damaged)
        if older is not None and other:
            kept.end(runtime, vault.profile, older, left_secret)
    return session


def _keeps_refresh_token(vault: Vault, older: Session, newer: Session) -> bool:
    """Tell whether the older session's refresh token goes on: the new sign-in is the same, and brought none.

    Some servers give a refresh token at the first consent only.
    """
    if newer.refresh_token is not None or older.refresh_token is None or older.by_machine or newer.by_machine:
        return False
    if not _same_account(older, newer) or _target(older, newer) != _target(newer, newer):
        return False  # a renewal would bring another person's token, or what was asked for at the older login
    known = vault.journal.read(older)
    return not (known.dead or known.signing_out)


def _target(session: Session, newer: Session) -> tuple[set[str], set[str], str | None]:
    """Return what a session was made for; an older document that does not say counts as the newer one."""
    known = newer if session.requested_scope is None else session
    return set((known.requested_scope or "").split()), set(session.resource), known.audience


def _with_refresh_token_of(older: Session, newer: Session) -> Session:
    """Put the older session's refresh token into the newer one, whose access token can be renewed then."""
    return replace(
        newer,
        expires_at=newer.obtained_at + DEFAULT_LIFETIME if newer.expires_at is None else newer.expires_at,
        refresh_token=older.refresh_token,
        refresh_token_expires_at=older.refresh_token_expires_at,
    )


def _older(runtime: Runtime, vault: Vault) -> tuple[Session | None, bool]:
    """Return the session in the vault, and whether it is damaged."""
    try:
        return vault.newest(), False
    except StoreDamaged as damaged:
        runtime.terminal.warning(f"{damaged.message}; this login replaces it")
        return None, True


def stored(vault: Vault) -> Session | None:
    """Read the session that a login would replace; None when there is none, or it is damaged."""
    with contextlib.suppress(StoreDamaged):  # a login replaces a damaged entry, and says so
        return vault.newest()
    return None


def _agreed(runtime: Runtime, vault: Vault, newer: Session) -> Session | None:
    """Return the session of another account that the person agrees to replace; None when there is none.

    The lock is not held: a person may need minutes, and other processes need tokens. Raises UsageError when the
    person does not agree, or nobody can be asked.
    """
    older = stored(vault)
    if older is None or not _other_account(older, newer):
        return older
    was, now = _accounts(older, newer)
    question = f"{vault.profile.name!r} is signed in as {was}, and you signed in as {now}: switch to {now}?"
    if not (runtime.terminal.attended and runtime.terminal.confirm(question)):
        raise _refused(vault.profile, older, newer)
    return older


def _other_account(older: Session, newer: Session) -> bool:
    """Tell whether two sessions are of different accounts, as far as both say whose they are.

    A machine's session in the place of a person's is another account's; a person may take a machine's place.
    """
    if (older.issuer, older.client_id) != (newer.issuer, newer.client_id):
        return True
    if newer.by_machine and not older.by_machine:
        return True
    return bool(older.subject and newer.subject) and older.subject != newer.subject


def _same_account(older: Session, newer: Session) -> bool:
    """Tell whether two sessions are surely of one account: same server, client and subject."""
    whose = [(each.issuer, each.client_id, each.subject, each.by_machine) for each in (older, newer)]
    return whose[0] == whose[1] and (newer.subject is not None or newer.by_machine)


def _accounts(older: Session, newer: Session) -> tuple[str, str]:
    """Name two accounts so that they can be told apart."""
    names = [each.account or each.client_id for each in (older, newer)]
    if names[0] != names[1]:
        return names[0], names[1]
    was, now = (
        f"{each.account or each.client_id} ({each.subject or each.flow} at {each.issuer})" for each in (older, newer)
    )
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
