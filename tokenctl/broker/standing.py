"""The state of a profile's session: the one rule by which `token` and `show` go, so that they always agree."""

from typing import TYPE_CHECKING

from tokenctl.broker import matching
from tokenctl.errors import LoginRequired, StoreError, TokenctlError, UsageError
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession, check_not_signing_out, logged_out, state
from tokenctl.runtime import Runtime

if TYPE_CHECKING:
    from tokenctl.storage.vault import Vault


class Standing:
    """The state (`fresh`, `stale`, `expired`, `login_required`, `signing_out` or `logged_out`), and the error that it means.

    `problem` is the error that ends `token`, where it is known without a request: a person must sign in, or the
    journal cannot be read. No dataclass: each one costs a fresh `token` a third of a millisecond.
    """

    __slots__ = ("problem", "state")

    def __init__(self, state: str, problem: TokenctlError | None = None) -> None:
        self.state = state
        self.problem = problem


def standing(runtime: Runtime, vault: "Vault", session: Session | None, min_ttl: int) -> Standing:
    """Find out how the session stands. `min_ttl` is seconds. Asks nobody; reads the journal of an expired session only."""
    if session is None:
        return Standing("logged_out", logged_out(vault.profile))
    try:
        matching.check(runtime, vault, session)
    except OtherSession as other:
        return Standing("login_required", other)
    try:
        check_not_signing_out(vault.profile, signing_out=vault.signing_out(session))
    except LoginRequired as error:
        return Standing("signing_out", error)
    found = state(session, runtime.time_of(session), min_ttl)
    if found != "expired":
        return Standing(found)
    try:
        _check_renewable(runtime, vault, session)
    except LoginRequired as error:
        return Standing("login_required", error)
    except (StoreError, UsageError) as error:  # the journal is damaged, or not private
        return Standing("expired", error)
    return Standing("expired")


def _check_renewable(runtime: Runtime, vault: "Vault", session: Session) -> None:
    from tokenctl.broker.permission import permitted_grant

    permitted_grant(runtime, vault.profile, session, vault.journal.read(session))
