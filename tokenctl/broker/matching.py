"""Whether a stored session answers for what is asked: a session is only handed out for what it was made for."""

from typing import TYPE_CHECKING

from tokenctl.model.profile import ENVIRONMENT_PROFILE
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession, check_profile
from tokenctl.runtime import Runtime

if TYPE_CHECKING:
    from tokenctl.storage.vault import Vault


def check(runtime: Runtime, vault: "Vault", session: Session) -> Session:
    """Return the session if it is what the vault's profile and this process's credentials ask for.

    The session that is returned says what it was made for; see `check_profile`. A vault that keeps nothing has this
    process's own session. Raises OtherSession, and UsageError when a machine's credentials cannot be read.
    """
    profile = vault.profile
    known = check_profile(profile, session)
    if profile.name == ENVIRONMENT_PROFILE and session.by_machine and not profile.by_machine and vault.lasting:
        raise OtherSession(
            f"the session that is kept for {profile.name!r} is a machine's, and the environment has no credential of it",
            hint="set TOKENCTL_CLIENT_SECRET, or the credential that the session was made with",
        )
    if profile.by_machine and vault.lasting:
        from tokenctl.flows import identities

        if identities.is_other(runtime, profile, session):
            raise OtherSession(
                f"the session of {profile.name!r} was made with other credentials than those at hand",
                hint=f"{profile.login_hint}, or name another profile with -p; the session was not changed",
            )
    return known


def difference(runtime: Runtime, vault: "Vault", session: Session) -> OtherSession | None:
    """Return the error of `check`, or None when the session is what is asked for."""
    try:
        check(runtime, vault, session)
    except OtherSession as other:
        return other
    return None


def belongs(runtime: Runtime, vault: "Vault", session: Session) -> bool:
    """Tell whether the session is what is asked for; see `check`."""
    return difference(runtime, vault, session) is None
