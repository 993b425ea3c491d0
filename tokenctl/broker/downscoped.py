"""Tokens for a narrower target: for one API or with fewer rights than the session's, kept beside it and never over it.

By refreshing with a narrower scope or resource (RFC 6749 section 6, RFC 8707 section 2.2), or by token
exchange (RFC 8693) where there is an audience or the profile says so; a machine simply asks for less.
Each is kept in the same store under a key made of what was asked for, written under the profile's lock, and
goes at sign-out and whenever a person asks for `refresh`.
"""

import hashlib
import json
from dataclasses import dataclass, field, replace

from tokenctl import flows
from tokenctl.adapters.worker_process import LostContact, Worker
from tokenctl.broker import matching, older_tokens, permission, renewal, worker_call
from tokenctl.broker.current import current
from tokenctl.errors import LoginRequired, Refused, StoreDamaged, StoreError, Unreachable, UsageError
from tokenctl.flows.exchange import exchange
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import Grant
from tokenctl.model.session import Session
from tokenctl.model.session_state import check_not_signing_out
from tokenctl.model.target import Target
from tokenctl.oauth.scopes import UNLISTED, not_granted
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault


def downscoped(
    runtime: Runtime, vault: Vault, wanted: Target, min_ttl: int | None = None, refused: str | None = None
) -> Session:
    """Return a token for the target with at least `min_ttl` seconds left, from the store or from the server.

    It has the form of a session without a refresh token. `refused` is an access token that an API refused: another one
    is returned. Raises UsageError, and what `current` raises.
    """
    profile = vault.profile
    ttl = profile.min_ttl if min_ttl is None else min_ttl
    if not vault.lasting:
        return _check_scope(current(runtime, _memory_vault_for(runtime, profile, wanted), ttl), wanted.scope)
    session = vault.newest()
    if session is None or not matching.belongs(runtime, vault, session):
        session = current(runtime, vault, ttl)  # a machine begins another one; else this tells what is wrong
    check_not_signing_out(profile, signing_out=vault.signing_out(session))
    asked = _asked(profile, session, wanted, ttl, refused)
    token = _kept(runtime, vault, session, asked)
    if token is not None:
        return token
    if asked.exchanged:
        current(runtime, vault, ttl)
        return _by_exchange(runtime, vault, asked)
    try:
        return _by_renewal(runtime, vault, session, asked)
    except _NotGiven:
        _raise_if_dead(runtime, vault)
        raise


def kept(runtime: Runtime, vault: Vault, session: Session, wanted: Target) -> Session | None:
    """Return the token for the target if there is a fresh one; None: the server has to be asked. Asks nobody.

    Raises UsageError or Refused when the session cannot get such a token.
    """
    return _kept(runtime, vault, session, _asked(vault.profile, session, wanted, vault.profile.min_ttl))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A narrower token that is asked for.

    Its key in the vault, its target, the scope of the command line, `min_ttl`, whether token exchange gets it, and the
    access token that an API refused, if one did.
    """

    key: str
    target: Target
    scope: str | None
    min_ttl: int
    exchanged: bool
    refused: str | None = field(default=None, repr=False)


def _asked(profile: Profile, session: Session, wanted: Target, min_ttl: int, refused: str | None = None) -> _Asked:
    target, exchanged = _complete(profile, session, wanted)
    _check_session(profile, session, wanted, exchanged=exchanged)
    key = _key(session, target, exchanged=exchanged)
    return _Asked(key=key, target=target, scope=wanted.scope, min_ttl=min_ttl, exchanged=exchanged, refused=refused)


def _by_exchange(runtime: Runtime, vault: Vault, asked: _Asked) -> Session:
    with vault.exclusive():
        session = renewal.checked(runtime, vault)  # a sign-out or another login can have come first
        asked = replace(asked, key=_key(session, asked.target, exchanged=True))
        token = _kept(runtime, vault, session, asked)
        if token is None:
            token = exchange(runtime, vault, session, asked.target)
            _keep(runtime, vault, asked, token)
    return token


def _by_renewal(runtime: Runtime, vault: Vault, seen: Session, asked: _Asked) -> Session:
    """Ask for the target with the steps of a renewal: present the refresh token, or a machine's credentials.

    `seen` is the session as it was read without the lock. Where contact with the worker was lost and nothing is in
    doubt, this process asks without one, as a renewal does.
    """
    waited_since = runtime.clock()
    try:
        with vault.exclusive() as lock, worker_call.ahead(runtime, vault, seen, lock) as worker:
            return _under_lock(runtime, vault, asked, waited_since, lock, worker)
    except LostContact:
        with vault.exclusive():  # which waits for the worker's end
            session = renewal.read_again(runtime, vault)
            if vault.journal.read(session).tries == 0:
                return _under_lock(runtime, vault, asked, waited_since, None, None)
        raise renewal.cut_off() from None


def _under_lock(
    runtime: Runtime, vault: Vault, asked: _Asked, waited_since: float, lock: int | None, worker: Worker | None
) -> Session:
    session = renewal.read_again(runtime, vault)
    token = _kept(runtime, vault, session, asked)
    if token is not None:
        return token
    entry = vault.journal.read(session)
    grant = Grant.CREDENTIALS if session.by_machine else Grant.REFRESH_TOKEN
    permission.check_may_ask(runtime, vault.profile, entry, grant, waited_since)
    permission.pace(runtime, max(entry.failed_at + 1, session.obtained_at + 2))
    job = replace(renewal.new_job(runtime, vault, session, grant, lock, "narrower"), target=asked.target)
    vault.reserve(session)
    try:
        renewed = worker_call.run(runtime, vault, job, worker)
    except (LoginRequired, Refused, Unreachable) as error:
        vault.recover()  # the worker may have committed a new refresh token before it ended
        if isinstance(error, LoginRequired) and grant is Grant.REFRESH_TOKEN:
            raise _NotGiven(error.message) from None
        raise
    latest, token = older_tokens.settle(runtime, vault, job, renewed)
    if latest != session:
        vault.publish(latest)
    vault.journal.remove(latest)
    _keep(runtime, vault, asked, token)
    return token


class _NotGiven(Refused):
    """`invalid_grant` for a narrower token: the refresh token is dead, or nobody consented to that scope."""

    def __init__(self, message: str) -> None:
        super().__init__(f"the server gives no token for that scope or resource: {message}")


def _raise_if_dead(runtime: Runtime, vault: Vault) -> None:
    """Renew the session itself, which raises LoginRequired when its refresh token is dead."""
    session = vault.newest()
    if session is not None and not vault.journal.read(session).in_doubt:
        runtime.sleep(1)
        renewal.renew_now(runtime, vault)


def _complete(profile: Profile, session: Session, wanted: Target) -> tuple[Target, bool]:
    """Complete the target with the profile's own settings, and tell whether token exchange gets its token.

    A machine's request has the profile's scope. A person's request leaves the scope out, and the server keeps the
    scope that was granted (RFC 6749 section 6).
    """
    target = Target(
        scope=wanted.scope or (profile.scope if session.by_machine else None),
        resource=wanted.resource or profile.resource,
        audience=wanted.audience or profile.audience,
    )
    by_exchange = target.audience is not None or profile.narrow_by == "token-exchange"
    return target, by_exchange and not session.by_machine


def _check_session(profile: Profile, session: Session, wanted: Target, *, exchanged: bool) -> None:
    """Check that the session can get a narrower token, and that no more is asked for than was granted."""
    if not flows.of(session.flow).narrows:
        raise UsageError(f"the API of {profile.name!r} is not OAuth: it knows no narrower tokens")
    if exchanged or session.by_machine:
        return
    if session.refresh_token is None:
        raise UsageError(
            f"the session of {profile.name!r} has no refresh token to get a narrower one with",
            hint='set narrow_by = "token-exchange" in the profile, where the server offers that',
        )
    more = () if session.scope is None else not_granted(wanted.scope, session.scope)
    if more:
        raise Refused(
            f"the session of {profile.name!r} was not granted {' '.join(more)!r:.200}",
            hint=f"{profile.login_hint} with --scope, to be granted more",
        )


def _check_scope(token: Session, scope: str | None) -> Session:
    """Check that the token has exactly the scopes that were asked for, apart from UNLISTED. Raises Refused."""
    given, wanted = set((token.scope or "").split()), set((scope or "").split())
    if wanted and (given - wanted or wanted - given - UNLISTED):
        raise Refused(
            f"the server gave a token for {token.scope or 'nothing'!r:.200}, and {scope!r:.200} was asked for",
            hint="it is not handed out; the server may narrow by token exchange only (narrow_by), or not at all",
        )
    return token


def _key(session: Session, target: Target, *, exchanged: bool) -> str:
    """Make the key of a target's token. The login is part of it, so that tokens of another login are not found."""
    what = json.dumps([target.scope, target.resource, target.audience, exchanged, session.seal_key])
    return hashlib.sha256(what.encode()).hexdigest()[:12]


def _kept(runtime: Runtime, vault: Vault, session: Session, asked: _Asked) -> Session | None:
    """Read the token from the vault, if it is there and fresh, and the server has not ended it since."""
    try:
        token = vault.narrower(asked.key)
    except StoreDamaged:
        return None
    if token is None or (
        older_tokens.may_have_ended(vault.profile, session, token) and not (session.by_machine or asked.exchanged)
    ):
        return None
    if token.access_token == asked.refused:
        return None
    return token if token.fresh(runtime.time_of(token), asked.min_ttl) else None


def _keep(runtime: Runtime, vault: Vault, asked: _Asked, token: Session) -> None:
    _check_scope(token, asked.scope)
    try:
        vault.keep_narrower(asked.key, token)
    except (StoreError, OSError) as error:
        runtime.terminal.warning(f"this token is not kept for the next time ({error})")


def _memory_vault_for(runtime: Runtime, profile: Profile, wanted: Target) -> Vault:
    """Open a vault that keeps nothing, for a machine that asks for the target alone."""
    changes = {name: value for name in ("scope", "resource", "audience") if (value := getattr(wanted, name))}
    return vaults.open(runtime, replace(profile, **changes))
