"""A machine's session begins, a session moves from one store to another, and a session ends; `login` is a person's way in.

All of it under the profile's lock. Nothing is removed before what takes its place was read back; only
`revoke` removes a session for good.
"""

import contextlib
from dataclasses import replace
from functools import partial

from tokenctl import flows
from tokenctl.broker import kept, matching, reports
from tokenctl.errors import Refused, StoreDamaged, StoreError, StoreLocked, TokenctlError, Unreachable, UsageError
from tokenctl.flows import clients, sign_in
from tokenctl.flows.flow import SecretKind
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession, check_not_signing_out, logged_out
from tokenctl.model.store import Store, choice_of
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

# -- begin ---------------------------------------------------------------------------------------------


def begin(runtime: Runtime, vault: Vault, seen: Session | None = None) -> Session:
    """Begin the session of a machine that has its credentials at hand: the commands of one CI job share it.

    `seen` is a stored session that was made for something else; a machine's session takes the place of a machine's.
    Raises LoginRequired when a person has to sign in, UsageError, Refused, Unreachable, Busy or StoreError.
    """
    machine_of(runtime, vault, seen)  # before the lock: no wait for an answer that is known already
    with vault.exclusive():
        stored = vault.recover()
        if stored is not None and matching.belongs(runtime, vault, stored):
            check_not_signing_out(vault.profile, signing_out=vault.signing_out(stored))
            if not stored.expired(runtime.time_of(stored)):
                return stored  # another process began it
            if not can_begin(runtime, vault, stored):  # never sign a person in here
                raise _changed(vault.profile)
        profile = machine_of(runtime, vault, stored)
        # Also the passphrase of a file store: a token must not be asked for that could not be kept.
        vault.prepare()
        secret = clients.secret_at_hand(runtime, vault, flows.of(profile.flow).secret, profile.auth_method, stored)
        with sign_in.sign_in(sign_in.prepare(runtime, profile, secret, stored=stored)) as session:
            if stored is not None:
                session = replace(session, generation=stored.generation + 1)
            session = vault.adopt(session)
            kept.keep(runtime, vault, session, secret=None, presented=secret, older=stored)
        return session


def machine_of(runtime: Runtime, vault: Vault, stored: Session | None) -> Profile:
    """Return the profile if no person is needed to sign in; where nothing is kept, `auto` means a machine.

    Raises LoginRequired. It says why the session that is `stored` is not handed out.
    """
    profile = vault.profile
    if vault.lasting:
        reason = logged_out(profile) if stored is None else matching.difference(runtime, vault, stored)
        if reason is not None and not can_begin(runtime, vault, stored):
            if stored is None and profile.by_machine:
                reason.hint = clients.secret_hint(profile, flows.of(profile.flow).secret)
            raise reason
        return profile
    machine = flows.without_person(profile)
    vault.check_flow(machine.flow)
    return machine


def _changed(profile: Profile) -> OtherSession:
    return OtherSession(
        f"the session of {profile.name!r} was replaced several times while this command waited",
        hint="run the command again",
    )


def can_begin(runtime: Runtime, vault: Vault, stored: Session | None) -> bool:
    """Tell whether the profile is a machine's, its credentials are at hand, and no person's session is in the way."""
    profile = vault.profile
    if not profile.by_machine or (stored is not None and not stored.by_machine):
        return False
    if clients.has_credentials(runtime, profile):
        return True
    # A changed scope: the secret that was kept at login is for this server and this client.
    same = stored is not None and clients.is_with(profile, stored) and profile.accepts_flow(stored.flow)
    return same and stored is not None and clients.secret_in_store(vault, stored) is not None


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
        source = vaults.open_source(runtime, profile)
        session = None if goal.previous is None else source.recover()
        if session is None:
            raise logged_out(profile)
        old, new = source.store, goal.store
        if choice_of(old) != choice_of(new):
            # As the next generation: so nobody takes what it leaves for the session itself.
            _move(goal, replace(session, generation=session.generation + 1), old, new)
    return old, new


def _move(goal: Vault, session: Session, old: Store, new: Store) -> None:
    report = partial(reports.migration, goal.profile, session, old.kind, new.kind)
    goal.record(report("started"))
    try:
        goal.keep(session, old.read_secret(goal.profile.name))
    except (StoreError, UsageError):
        goal.record(report("failed"))
        raise
    goal.record(report("ok"))


# -- end -----------------------------------------------------------------------------------------------


def revoke(runtime: Runtime, vault: Vault) -> bool:
    """Sign out: revoke at the server, then remove the session here. Tells whether the server revoked anything.

    The journal gets the mark "signing out" first: from then on no command gives the session's tokens away. The mark
    is taken back when the server surely revoked nothing. It stays when the answer was lost, or when the session
    cannot be removed here; the next `revoke` finishes it. Raises LoginRequired when there is no session, Refused or
    Unreachable when the server did not revoke: then the session stays.
    """
    with vault.exclusive():
        session = vault.recover()
        if session is None:
            vault.forget()  # the rest of a login or a migration that was interrupted
            raise logged_out(vault.profile)
        before = vault.journal.read(session)
        vault.journal.write(replace(before, signing_out=True))
        try:
            revoked = flows.of(session.flow).revoke(runtime, vault, session)
        except TokenctlError as error:
            vault.record(reports.revocation(vault.profile, session, "failed"))
            if _may_have_revoked(error):
                error.hint = (
                    "the server may have revoked it, so its tokens are not given away any more: run 'tokenctl revoke'"
                    " again, or use --local to forget it here"
                )
                raise
            vault.journal.write(before)
            if isinstance(error, Unreachable):
                error.hint = (
                    "the session is kept; try again later, or use --local to forget it here: then it stays valid there"
                )
            raise
        for token in vault.narrower_tokens():
            _end_narrower(runtime, vault, token)
        vault.forget()
        vault.record(reports.revocation(vault.profile, session, "ok"))
    return revoked


def _end_narrower(runtime: Runtime, vault: Vault, token: Session) -> None:
    """Revoke a narrower token: a server need not end it with the session. The session is revoked, so no failure counts."""
    try:
        flows.of(token.flow).revoke(runtime, vault, token)
    except TokenctlError as error:
        runtime.terminal.detail(f"a narrower token was not revoked: {error.message}")


def _may_have_revoked(error: TokenctlError) -> bool:
    """Tell whether the server may have revoked something. Other errors come before a request, such as a missing secret."""
    return (isinstance(error, Unreachable) and error.sent) or (isinstance(error, Refused) and error.lost)


def kept_secret(vault: Vault) -> SecretKind | None:
    """Tell which secret of the profile's client is kept beside its session, and goes with it; None when there is none."""
    with contextlib.suppress(StoreError, UsageError):  # the end of the session tells what is wrong with the store
        if vault.store.read_secret(vault.profile.name) is not None:
            return flows.of(vault.profile.flow).secret
    return None


def forget(vault: Vault) -> None:
    """Forget the session here, and leave it alive at the server. Raises LoginRequired when there is none."""
    with vault.exclusive():
        try:
            session = vault.newest()
        except (StoreDamaged, StoreLocked):
            vault.forget()
            return
        vault.forget()  # also the rest of a login or a migration that was interrupted
        if session is None:
            raise logged_out(vault.profile)
        vault.record(reports.revocation(vault.profile, session, "local"))
