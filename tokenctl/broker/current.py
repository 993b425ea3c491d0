"""A token that is fresh enough: the hot path."""

from typing import TYPE_CHECKING

from tokenctl.broker import matching
from tokenctl.errors import Busy, StoreError, TokenctlError, Unreachable
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession
from tokenctl.runtime import Runtime

if TYPE_CHECKING:
    from tokenctl.storage.vault import Vault

SOFT_WINDOW = 15
"""Seconds. A token with less than this above `min_ttl` is renewed early by one process; the others use it."""


def current(runtime: Runtime, vault: "Vault", min_ttl: int | None = None) -> Session:
    """Return a session whose access token has at least `min_ttl` seconds left; None means what the profile says.

    The stored one if it has: no lock, no network. Otherwise renew; and should that fail for a passing
    reason, the stored token is still good until it expires. Raises LoginRequired, Refused, Unreachable,
    Busy or StoreError.
    """
    wanted = vault.profile.min_ttl if min_ttl is None else min_ttl
    # Step 1: read. Fresh: that is all.
    session = vault.newest()
    if session is None or not matching.belongs(runtime, vault, session):
        return _begin(runtime, vault, session)
    if session.fresh(runtime.time_of(session), wanted):
        soon = not session.fresh(runtime.time_of(session), wanted + SOFT_WINDOW)
        return _renewed_early(runtime, vault, session, wanted) if soon or vault.unfinished else session
    left = session.remaining(runtime.time_of(session))
    try:
        # Wait for at most half of what the token still lives, so that it can be handed out if the lock stays taken.
        return _renewed(runtime, vault, session, wanted, patience=left / 2 if left > 0 else None)
    except OtherSession:  # another process replaced it while this one waited for the lock
        return _begin(runtime, vault, session)
    except (Unreachable, StoreError, Busy) as error:
        if session.expired(runtime.time_of(session)):
            raise
        left = session.remaining(runtime.time_of(session))
        runtime.terminal.warning(f"could not renew ({error.message}); the token at hand lives {left} s more")
        return session


def _renewed_early(runtime: Runtime, vault: "Vault", session: Session, min_ttl: int) -> Session:
    """Renew early, or finish what an earlier run left undone, unless another process does: the stored token is fresh."""
    try:
        return _renewed(runtime, vault, session, min_ttl + SOFT_WINDOW, patience=0.0)
    except TokenctlError as error:
        if session.expired(runtime.time_of(session)):  # the try took long
            raise
        runtime.terminal.detail(f"not renewed early: {error.message}")
        return session


def _renewed(runtime: Runtime, vault: "Vault", seen: Session, min_ttl: int, *, patience: float | None) -> Session:
    from tokenctl.broker.renewal import renew_if_stale

    return renew_if_stale(runtime, vault, seen, min_ttl, patience=patience)


def _begin(runtime: Runtime, vault: "Vault", seen: Session | None) -> Session:
    from tokenctl.broker.lifecycle import begin

    return begin(runtime, vault, seen)
