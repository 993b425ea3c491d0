"""A session begins, moves from one store to another, and ends.

All of it under the profile's lock. Nothing is removed before what takes its place was read back; only
`revoke` removes a session for good.
"""

import contextlib
from dataclasses import replace

from tokenctl import flows
from tokenctl.errors import StoreDamaged, StoreError, StoreLocked, Unreachable, UsageError
from tokenctl.flows import clients, sign_in
from tokenctl.flows.flow import SignIn
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.session_state import check_profile, logged_out
from tokenctl.model.store import Store, choice_of
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

# -- begin ---------------------------------------------------------------------------------------------


def begin(runtime: Runtime, vault: Vault) -> Session:
    """Begin the session of a machine that has its credentials at hand: the commands of one CI job share it.

    Raises LoginRequired when a person has to sign in, UsageError, Refused, Unreachable, Busy or StoreError.
    """
    profile = _machine(runtime, vault)
    with vault.exclusive():
        session = vault.recover()
        if session is not None:
            return check_profile(profile, session)
        secret = clients.secret_at_hand(runtime, vault, flows.of(profile.flow).secret, profile.auth_method)
        with sign_in.sign_in(sign_in.prepare(runtime, profile, secret)) as session:
            vault.keep(session)
        return session


def _machine(runtime: Runtime, vault: Vault) -> Profile:
    """Return the profile if no person is needed to sign in; where nothing is kept, `auto` means a machine."""
    profile = vault.profile
    if vault.lasting:
        if not (profile.by_machine and clients.has_credentials(runtime, profile)):
            raise logged_out(profile)
        return profile
    machine = flows.without_person(profile)
    vault.check_flow(machine.flow)
    return machine


def check_login(runtime: Runtime, vault: Vault) -> None:
    """Before a person signs in, see that the store will keep the session, and that none stays behind in another one.

    Two stores with a session each would be two refresh tokens, one of them forgotten and alive. Raises
    UsageError or StoreError.
    """
    previous = vault.previous
    if previous is vault.store:
        with contextlib.suppress(StoreDamaged):  # which the login replaces; a file that is not ours it cannot
            vault.newest()
    elif previous is not None:
        _check_empty(runtime, vault, previous)
    vault.prepare()


def _check_empty(runtime: Runtime, vault: Vault, previous: Store) -> None:
    name = vault.profile.name
    try:
        left_behind = previous.read(name) is not None
    except StoreError as error:
        runtime.terminal.warning(f"an older session may stay in the {previous.kind} store: {error.message}")
        return
    if left_behind:
        raise UsageError(
            f"{name!r} has a session in the {previous.kind} store ({previous.backend})",
            hint=f"take it along with 'tokenctl store migrate -p {name} --to {vault.store.kind}',"
            f" or end it with 'tokenctl revoke -p {name}', then sign in",
        )


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
                if not switch_account and (seen is None or _other_account(older, seen)):  # another one, meanwhile
                    raise _refused(vault.profile, older, session)
                was, now = _accounts(older, session)
                runtime.terminal.message(f"{vault.profile.name!r} was signed in as {was}, and is now {now}")
            session = replace(session, generation=older.generation + 1)
        vault.keep(session, secret)
        vault.forget_beside()
    return session


def _older(runtime: Runtime, vault: Vault) -> Session | None:
    try:
        return vault.newest()
    except StoreDamaged as damaged:
        runtime.terminal.warning(f"{damaged.message}; this login replaces it")
        return None


def _agreed(runtime: Runtime, vault: Vault, newer: Session) -> Session | None:
    """Return the session of another account that the person agrees to replace; None when there is none.

    Asked without the lock: a person may take their time, and others want tokens. Raises UsageError when the
    person does not agree, or nobody can be asked.
    """
    if not newer.subject:
        return None
    older = None
    with contextlib.suppress(StoreDamaged):  # which the login replaces, and says so
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


def _accounts(older: Session, newer: Session) -> tuple[str, str]:
    """Name two accounts so that they can be told apart."""
    if older.account != newer.account:
        return str(older.account), str(newer.account)
    was, now = (f"{each.account} ({each.subject} at {each.issuer})" for each in (older, newer))
    return was, now


def _refused(profile: Profile, older: Session, newer: Session) -> UsageError:
    """Make the error for a login as another account.

    It is not revoked: many servers end every session of that person and client with it, other profiles' too.
    """
    was, now = _accounts(older, newer)
    return UsageError(
        f"{profile.name!r} is signed in as {was}, and this sign-in was as {now}: it was not kept, {was} still is",
        hint=f"sign in as {was}, choose another profile with -p NAME, or say --switch-account;"
        f" the tokens of {now} were thrown away, and end at the server in their own time",
    )


# -- move ----------------------------------------------------------------------------------------------


def migrate(runtime: Runtime, profile: Profile) -> tuple[Store, Store]:
    """Move the profile's session to the store that the profile asks for; returns where it was and where it is.

    It is written there and read back before the store choice is changed, and removed here last: whatever fails
    on the way, one whole session is where the choice says. Raises LoginRequired, StoreError or Busy.
    """
    goal = vaults.open_for_login(runtime, profile)
    if not goal.lasting:
        raise UsageError("the memory store keeps nothing", hint="choose keyring, session or file")
    with goal.exclusive():
        source = vaults.open(runtime, profile)
        session = None if goal.previous is None else source.recover()
        if session is None:
            raise logged_out(profile)
        old, new = source.store, goal.store
        if choice_of(old) == choice_of(new):
            return old, new
        goal.keep(session, old.read_secret(profile.name))
        try:
            source.forget_narrower()
            old.delete(profile.name)
            if new.read(profile.name) != session:  # one keyring with two names: what was removed was this
                new.write(profile.name, session)
        except StoreError as error:
            runtime.terminal.warning(f"a copy stays in the {old.kind} store: {error.message}")
    return old, new


# -- end -----------------------------------------------------------------------------------------------


def revoke(runtime: Runtime, vault: Vault) -> bool:
    """Sign out: revoke at the server, then forget here. Tells whether the server revoked anything.

    Raises LoginRequired when there is no session, Refused or Unreachable when the server did not revoke: then
    the session stays.
    """
    with vault.exclusive():
        session = vault.newest()
        if session is None:
            raise logged_out(vault.profile)
        try:
            revoked = flows.of(session.flow).revoke(runtime, vault, session)
        except Unreachable as error:
            error.hint = (
                "the session is kept; try again later, or forget it here alone with --local: it stays alive there"
            )
            raise
        vault.forget()
    return revoked


def forget(vault: Vault) -> None:
    """Forget the session here, and leave it alive at the server. Raises LoginRequired when there is none."""
    with vault.exclusive():
        try:
            session = vault.newest()
        except (StoreDamaged, StoreLocked):
            vault.forget()
            return
        if session is None:
            vault.store.delete(vault.profile.name)  # what a login that the keyring cut short left there
            raise logged_out(vault.profile)
        vault.forget()
