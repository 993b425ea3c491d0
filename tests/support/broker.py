"""The broker, the vault and a sign-in for a profile, each opened anew as a new process would."""

from collections.abc import Callable

from tokenctl import flows
from tokenctl.broker import current as currents
from tokenctl.broker import lifecycle, login, renewal
from tokenctl.flows import sign_in as sign_ins
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

SOFT_WINDOW = currents.SOFT_WINDOW


def vault(runtime: Runtime, profile: Profile) -> Vault:
    """Open the profile's vault."""
    return vaults.open(runtime, profile)


def current(runtime: Runtime, profile: Profile, min_ttl: int | None = None) -> Session:
    """Do what `token` does."""
    return currents.current(runtime, vault(runtime, profile), min_ttl)


def renew(runtime: Runtime, profile: Profile, *, again: bool = False) -> Session:
    """Do what `refresh` does."""
    return renewal.renew_now(runtime, vault(runtime, profile), with_credentials=again)


def sign_in(
    runtime: Runtime,
    profile: Profile,
    *,
    keep: Callable[[Session], Session] = lambda session: session,
    client_secret: str | None = None,
    no_browser: bool = False,
    timeout: int = sign_ins.TIMEOUT,
) -> Session:
    """Do what `login` does, with another way to keep the session."""
    start = sign_ins.prepare(runtime, profile, client_secret, no_browser=no_browser, timeout=timeout)
    vaults.open_for_login(runtime, profile).check_flow(start.flow.name)
    with sign_ins.sign_in(start) as session:
        return keep(session)


def keep(runtime: Runtime, profile: Profile, session: Session, *, switch: bool = False) -> Session:
    """Keep a session as `login` does."""
    return login.keep(runtime, vaults.open_for_login(runtime, profile), session, switch_account=switch)


def revoke(runtime: Runtime, profile: Profile) -> bool:
    """Do what `revoke` does."""
    return lifecycle.revoke(runtime, vault(runtime, profile))


def forget(runtime: Runtime, profile: Profile) -> None:
    """Do what `revoke --local` does."""
    lifecycle.forget(vault(runtime, profile))


def revoke_session(runtime: Runtime, profile: Profile, session: Session) -> bool:
    """End a session at its server, and leave the store alone."""
    return flows.of(session.flow).revoke(runtime, vault(runtime, profile), session)
