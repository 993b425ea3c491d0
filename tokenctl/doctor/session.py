"""Check: the session: its state, how long its token lives, and who renews it."""

from collections.abc import Iterator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.doctor.trouble import OF_THE_STORE, finding_of
from tokenctl.errors import LoginRequired, TokenctlError
from tokenctl.flows import clients
from tokenctl.model.session import Session
from tokenctl.model.session_state import renewed_elsewhere
from tokenctl.model.spans import span
from tokenctl.storage.vault import Vault

NAME = "session"


def look(case: Case) -> Iterator[Finding]:
    """Say how the session stands, and what would stop its renewal."""
    unread, problem = case.failed_at("reading"), case.failed_at("session")
    if case.vault is None:
        yield Finding(check=NAME, status="could not check", sentence="it is not known which session is meant")
    elif isinstance(unread, OF_THE_STORE):
        # The check of the keyring says what is wrong there.
        yield Finding(check=NAME, status="could not check", sentence=f"it cannot be read: {unread.message}")
    elif unread is not None:
        yield finding_of(NAME, unread)
    elif problem is not None:
        yield finding_of(NAME, problem)
    else:
        yield _state(case, case.vault)
    if case.asks_server:
        sentence = "only the server knows whether it gives a token; 'tokenctl token' asks it"
        yield Finding(check=NAME, status="could not check", sentence=sentence)
    if case.vault is not None and case.session is not None:
        yield from _obstacles(case, case.vault, case.session)


def _state(case: Case, vault: Vault) -> Finding:
    session = case.session
    if not vault.lasting:
        sentence = "it is not kept: each command signs in by itself"
    elif session is None:
        sentence = "there is none yet: the next command signs in by itself"
    elif case.asks_server:
        sentence = "its access token has ended: the next command asks the server for another one"
    else:
        sentence = f"{_life(case, session)}; {_goes_on(vault, session)}"
    return Finding(check=NAME, status="ok", sentence=sentence, more=_values(case, session))


def _life(case: Case, session: Session) -> str:
    left = session.remaining(case.runtime.time_of(session))
    return "its access token lives until it is refused" if left is None else f"its access token lives {span(left)}"


def _goes_on(vault: Vault, session: Session) -> str:
    if session.refresh_token is not None and not _is_dead(vault, session):
        return "then it is renewed"
    return (
        "then the machine signs in again"
        if session.by_machine
        else "then a person has to sign in, for there is no refresh token that works"
    )


def _is_dead(vault: Vault, session: Session) -> bool:
    try:
        return vault.journal.read(session).dead
    except TokenctlError:  # the check of the journal says why
        return False


def _values(case: Case, session: Session | None) -> dict[str, object]:
    if session is None:
        return {"state": case.state}
    return {
        "state": case.state,
        "flow": session.flow,
        "expires_in": session.remaining(case.runtime.time_of(session)),
        "lifetime": session.lifetime,
        "refresh_token": session.refresh_token is not None,
        "generation": session.generation,
        "renewed_by": session.state_path,
    }


def _obstacles(case: Case, vault: Vault, session: Session) -> Iterator[Finding]:
    """Find out what would stop the next renewal; it is a warning while the token lives."""
    runtime = case.runtime
    if not vault.renews(session) and not case.asks_server and case.failed_at("session") is None:
        yield finding_of(NAME, renewed_elsewhere(vault.profile, session), counts=False)
    if vault.lasting and case.state in ("fresh", "stale"):
        try:
            clients.secret_of_session(runtime, vault, session)
        except TokenctlError as error:
            yield finding_of(NAME, error, counts=False)
    ends = session.refresh_token_expires_at
    # `token` presents it all the same, and the server decides; so this counts only where no clock of ours denies it.
    if ends is not None and not session.by_machine and runtime.earliest_time_of(session) >= ends:
        over = LoginRequired(
            "by this machine's clock the refresh token has reached its end", hint=vault.profile.login_hint
        )
        yield finding_of(NAME, over, counts=case.asks_server)
