"""A token that is fresh enough: the hot path."""

from typing import TYPE_CHECKING

from tokenctl.broker import matching
from tokenctl.broker.standing import standing
from tokenctl.errors import Busy, StoreError, TokenctlError, Unreachable
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession, check_not_signing_out, logged_out, older_access_tokens
from tokenctl.runtime import Runtime

if TYPE_CHECKING:
    from tokenctl.storage.vault import Vault

SOFT_WINDOW = 15
"""Seconds. A token with less than this above `min_ttl` is renewed early by one process; the others use it.

Not at a server that ends the older token at a renewal: the others still use it.
"""
PASSING = (Unreachable, StoreError, Busy)
"""Failures that may be over at the next try, so that nothing has to be done about them."""


def current(runtime: Runtime, vault: "Vault", min_ttl: int | None = None, refused: str | None = None) -> Session:
    """Return a session whose access token has at least `min_ttl` seconds left; None means what the profile says.

    The stored one if it has: no lock, no network. Otherwise renew. If that fails, the stored access token is handed
    out with a warning until it expires: a refresh token that is dead does not end it. Raises LoginRequired, Refused,
    Unreachable, Busy or StoreError.

    `refused` is an access token that an API refused: if the stored one is still the same, it counts as expired.
    """
    wanted = vault.profile.min_ttl if min_ttl is None else min_ttl
    # Step 1: read. Fresh: that is all.
    session = vault.newest()
    found = standing(runtime, vault, session, wanted)
    if session is None or isinstance(found.problem, OtherSession):
        return _begin(runtime, vault, session)
    if found.problem is not None and (
        found.state == "signing_out" or (found.state == "login_required" and not vault.behind)
    ):
        raise found.problem
    if found.state == "fresh" and session.access_token != refused:
        # Where a renewal ends the token that others still use, it is not done earlier than needed.
        ends = older_access_tokens(vault.profile, session) == "ended"
        early_ttl = wanted if ends else wanted + SOFT_WINDOW
        soon = not session.fresh(runtime.time_of(session), early_ttl)
        soon = soon or vault.behind or _in_doubt(vault, session)
        if not soon and min_ttl is None:
            vault.offer(session, early_ttl)
        early = _renewed_early(runtime, vault, session, early_ttl) if soon else session
        if early is not None:
            return early
    # While the token can still be handed out, wait for at most half of what it lives.
    left = session.remaining(runtime.time_of(session)) if session.access_token != refused else None
    try:
        return _renewed(runtime, vault, session, wanted, patience=left / 2 if left else None, refused=refused)
    except OtherSession:  # another process replaced it while this one waited for the lock
        return _begin(runtime, vault, session)
    except Busy as error:
        if left and session.expired(runtime.time_of(session)):  # it expired meanwhile: wait as long as others do
            return _renewed(runtime, vault, session, wanted, patience=None)
        return _at_hand(runtime, vault, session, error, refused)
    except TokenctlError as error:
        return _at_hand(runtime, vault, session, error, refused)


def _in_doubt(vault: "Vault", session: Session) -> bool:
    """Tell whether the server may have ended the access token, because an answer of it was lost."""
    return older_access_tokens(vault.profile, session) != "kept" and vault.unanswered(session)


def _renewed_early(runtime: Runtime, vault: "Vault", session: Session, min_ttl: int) -> Session | None:
    """Renew early, or finish what an earlier run left undone, unless another process does: the stored token is fresh.

    None: the stored token expired meanwhile, and another process has the lock.
    """
    try:
        return _renewed(runtime, vault, session, min_ttl, patience=0.0)
    except TokenctlError as error:
        if not session.expired(runtime.time_of(session)):
            runtime.terminal.detail(f"not renewed early: {error.message}")
            return session
        if isinstance(error, Busy):
            return None
        raise  # the try took long


def _at_hand(
    runtime: Runtime, vault: "Vault", seen: Session, error: TokenctlError, refused: str | None = None
) -> Session:
    """Return the stored session while its access token lives, and warn that it could not be renewed.

    Raises the error when the token has expired or was `refused`. Raises LoginRequired when the session is no longer there,
    or no longer the profile's.
    """
    try:
        session = vault.newest()
    except StoreError:  # such as a keyring that was locked meanwhile
        session = seen
    if session is None:
        raise logged_out(vault.profile)
    matching.check(runtime, vault, session)
    check_not_signing_out(vault.profile, signing_out=vault.signing_out(session))
    now = runtime.time_of(session)
    if session.expired(now) or session.access_token == refused:
        raise error
    left = session.remaining(now)
    life = "has no known end" if left is None else f"lives {left} s more"
    runtime.terminal.warning(f"could not renew ({error.message}); the token at hand {life}")
    if error.hint and not isinstance(error, PASSING):
        runtime.terminal.hint(error.hint)
    return session


def _renewed(
    runtime: Runtime, vault: "Vault", seen: Session, min_ttl: int, *, patience: float | None, refused: str | None = None
) -> Session:
    """Renew. If the machine slept while the answer was on its way, so that the new token is used up, do it once more."""
    from tokenctl.broker.renewal import renew_if_stale

    session = renew_if_stale(runtime, vault, seen, min_ttl, patience=patience, refused=refused)
    if session.expired(runtime.time_of(session)):
        session = renew_if_stale(runtime, vault, session, min_ttl)
    return session


def _begin(runtime: Runtime, vault: "Vault", seen: Session | None) -> Session:
    from tokenctl.broker.lifecycle import begin

    return begin(runtime, vault, seen)
