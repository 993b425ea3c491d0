"""What `token` would do with the session that is stored: as far as that can be told without a lock and a request."""

from dataclasses import dataclass

from tokenctl import flows
from tokenctl.broker import downscoped, lifecycle, permission
from tokenctl.broker.standing import standing
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.flows import clients, discovery, identities
from tokenctl.model.session import Session
from tokenctl.model.session_state import OtherSession, renewed_elsewhere
from tokenctl.model.target import from_members
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The session's state, whether `token` has to ask the server, and the error that it would end with before that."""

    state: str
    asks_server: bool
    problem: TokenctlError | None = None


def outlook(runtime: Runtime, vault: Vault, session: Session | None) -> Outlook:
    """Foresee what `token` does. `session` is the newest one. Raises what `token` would end with before it knows the state."""
    if not vault.lasting:
        return _beginning(runtime, vault, session, "logged_out")
    stands = standing(runtime, vault, session, vault.profile.min_ttl)
    if session is None or isinstance(stands.problem, OtherSession):
        return _beginning(runtime, vault, session, stands.state)
    if stands.problem is not None:
        return Outlook(state=stands.state, asks_server=False, problem=stands.problem)
    # A stale token is renewed too; but it is given away all the same while it lives.
    asks = stands.state == "expired"
    target = runtime.asked(vault.profile)
    if any(target.values()):  # the environment asks for a token with fewer rights
        asks = downscoped.kept(runtime, vault, session, from_members(target, "environment")) is None
    problem = _obstacle(runtime, vault, session) if asks else None
    return Outlook(state=stands.state, asks_server=asks and problem is None, problem=problem)


def _beginning(runtime: Runtime, vault: Vault, session: Session | None, state: str) -> Outlook:
    """Foresee the begin of a machine's session, or the error that a person must sign in."""
    try:
        profile = lifecycle.machine_of(runtime, vault, session)
        flow = flows.of(profile.flow)
        flow.check_profile(profile)
        if profile.api is None:
            discovery.issuer_of(profile)
        secret = clients.secret_at_hand(runtime, vault, flow.secret, profile.auth_method, session)
        if secret is None and not flow.by_platform:
            raise UsageError(
                f"the {flow.name} flow needs the {flow.secret.name}", hint=clients.secret_hint(profile, flow.secret)
            )
        identities.check_source(runtime, profile)
    except TokenctlError as error:
        return Outlook(state=state, asks_server=False, problem=error)
    return Outlook(state="expired" if session else state, asks_server=True)


def _obstacle(runtime: Runtime, vault: Vault, session: Session) -> TokenctlError | None:
    """Return the error that a renewal would end with before its request; in the order in which a renewal looks."""
    if not vault.renews(session):
        return renewed_elsewhere(vault.profile, session)
    try:
        entry = vault.journal.read(session)
        permission.permitted_grant(runtime, vault.profile, session, entry)
        permission.check_pause(runtime, vault.profile, entry, runtime.clock())
        clients.secret_of_session(runtime, vault, session)
    except TokenctlError as error:
        return error
    return None
