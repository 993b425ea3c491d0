"""A session moves in at a login, moves house from one store to another, and moves out when it is revoked.

All of it under the profile's lock. Nothing is removed before what takes its place was read back; only
`revoke` removes a session for good.
"""

import contextlib
from dataclasses import replace

from tokenctl import flows
from tokenctl.broker import downscoped as narrowing
from tokenctl.broker import record
from tokenctl.errors import StoreDamaged, StoreError, StoreLocked, Unreachable, UsageError
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime, logged_out
from tokenctl.storage import Store


def check(runtime: Runtime, profile: Profile) -> None:
    """Before a login, see that its store will keep a session, and that none stays behind in another one.

    Two stores with a session each would be two refresh tokens, one of them forgotten and alive. Raises
    UsageError or StoreError.
    """
    if profile.store == "memory":
        return
    new, old = runtime.new_store(profile), runtime.pinned_store(profile)
    if old is not None and _same(old, new):
        with contextlib.suppress(StoreDamaged):  # which the login replaces; a file that is not ours it cannot
            record.newest(runtime, profile, old)
    elif old is not None:
        _check_empty(runtime, profile, old, new)
    runtime.prepare(profile, new)


def _check_empty(runtime: Runtime, profile: Profile, old: Store, new: Store) -> None:
    try:
        left_behind = old.read(profile.name) is not None
    except StoreError as error:
        runtime.terminal.warning(f"an older session may stay in the {old.kind} store: {error.message}")
        return
    if left_behind:
        raise UsageError(
            f"{profile.name!r} has a session in the {old.kind} store ({old.backend})",
            hint=f"take it along with 'tokenctl store migrate -p {profile.name} --to {new.kind}',"
            f" or end it with 'tokenctl revoke -p {profile.name}', then sign in",
        )


def login(runtime: Runtime, profile: Profile, session: Session, secret: str | None, *, switch: bool = False) -> Session:
    """Keep what a login produced, in the place of what was there; returns it as stored.

    Another account than the profile's is kept with `switch`, or when the person at the terminal says so.
    Raises UsageError when it is refused, StoreError or Busy; then the older session is still there.
    """
    store = runtime.new_store(profile)
    before = None
    if session.subject and not switch:
        with contextlib.suppress(StoreDamaged):  # which the login replaces, and says so
            before = record.newest(runtime, profile, store)
        # Asked without the lock: a person may take their time, and others want tokens.
        if before is not None and _other_account(before, session) and not _agreed(runtime, profile, before, session):
            raise _refused(profile, before, session)
    with runtime.locked(profile):
        try:
            older = store.read(profile.name)
            if older is not None and runtime.has_redo_log(profile):
                older = runtime.redo_log(profile).read(older) or older
        except StoreDamaged as damaged:
            runtime.terminal.warning(f"{damaged.message}; this login replaces it")
            older = None
        if older is not None:
            if _other_account(older, session):
                if not switch and (before is None or _other_account(older, before)):  # yet another one, meanwhile
                    raise _refused(profile, older, session)
                was, now = _accounts(older, session)
                runtime.terminal.message(f"{profile.name!r} was signed in as {was}, and is now {now}")
            session = replace(session, generation=older.generation + 1)
        if secret is not None and session.token_endpoint_auth_method != "none":
            store.write_secret(profile.name, secret)
        store.write(profile.name, session)
        runtime.pin(profile, store)
        _forget_logs(runtime, profile, store)
    return session


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


def _agreed(runtime: Runtime, profile: Profile, older: Session, newer: Session) -> bool:
    """Ask the person, if there is one, whether the profile may change hands."""
    was, now = _accounts(older, newer)
    question = f"{profile.name!r} is signed in as {was}, and you signed in as {now}: switch to {now}?"
    return runtime.terminal.attended and runtime.terminal.confirm(question)


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


def migrate(runtime: Runtime, profile: Profile) -> tuple[Store, Store]:
    """Move the profile's session to the store that the profile asks for; returns where it was and where it is.

    It is written there and read back before the pin is changed, and removed here last: whatever fails
    on the way, one whole session is where the pin says. Raises LoginRequired, StoreError or Busy.
    """
    if profile.store == "memory":
        raise UsageError("the memory store keeps nothing", hint="choose keyring, session or file")
    with runtime.locked(profile):
        new, old = runtime.new_store(profile), runtime.pinned_store(profile)
        session = None if old is None else record.settled(runtime, profile, old)
        if old is None or session is None:
            raise logged_out(profile)
        if _same(old, new):
            return old, new
        secret = old.read_secret(profile.name)
        if secret is not None:
            new.write_secret(profile.name, secret)
        new.write(profile.name, session)
        runtime.pin(profile, new)
        try:
            narrowing.forget(runtime, profile, old)
            old.delete(profile.name)
            if new.read(profile.name) != session:  # one keyring with two names: what was removed was this
                new.write(profile.name, session)
        except StoreError as error:
            runtime.terminal.warning(f"a copy stays in the {old.kind} store: {error.message}")
    return old, new


def revoke(runtime: Runtime, profile: Profile, *, local: bool = False) -> bool:
    """Sign out: revoke at the server, then forget here; with `local` only forget.

    Tells whether the server revoked anything. Raises LoginRequired when there is no session, Refused or
    Unreachable when the server did not revoke: then the session stays.
    """
    with runtime.locked(profile):
        store = runtime.store(profile)
        revoked = False
        try:
            session = record.newest(runtime, profile, store)
        except (StoreDamaged, StoreLocked):
            if not local:
                raise
        else:
            if session is None:
                if local:  # what a login that the keyring cut short left there
                    store.delete(profile.name)
                raise logged_out(profile)
            if not local:
                try:
                    revoked = flows.end(runtime, profile, session)
                except Unreachable as error:
                    error.hint = "the session is kept; try again later, or forget it here alone with --local: it stays alive there"
                    raise
        store.delete(profile.name)
        _forget_logs(runtime, profile, store)
    return revoked


def _forget_logs(runtime: Runtime, profile: Profile, store: Store) -> None:
    if profile.store != "memory":
        narrowing.forget(runtime, profile, store)
        runtime.redo_log(profile).remove()
        runtime.journal(profile).remove()


def _same(one: Store, other: Store) -> bool:
    return (one.kind, one.backend) == (other.kind, other.backend)
