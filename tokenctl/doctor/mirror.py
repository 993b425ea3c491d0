"""Check: do the keyring and the redo log agree? The redo log has a copy of the newest session."""

from collections.abc import Iterator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.model.session import Session
from tokenctl.storage.vault import Vault

NAME = "redo-log"


def look(case: Case) -> Iterator[Finding]:
    """Compare the session in the keyring with its copy."""
    vault, session = case.vault, case.session
    if vault is None or session is None or not vault.lasting:
        return
    # What another state directory renews has no mirror here; the check of the session says so.
    moved = _moved(vault, session) if vault.renews(session) and not vault.behind else None
    if vault.behind:
        yield Finding(
            check=NAME,
            status="warning",
            sentence="a renewed session is safe in the redo log, and the keyring does not have it yet",
            remedy="run any command, such as 'tokenctl token': it copies the session to the keyring",
        )
    elif moved is not None:
        yield Finding(
            check=NAME,
            status="warning",
            sentence=f"the keyring has {moved}, which this tokenctl did not store there",
            remedy="if no other machine or container uses this keyring: tokenctl audit",
        )
    else:
        yield Finding(check=NAME, status="ok", sentence="the keyring has the newest session that is known here")


def _moved(vault: Vault, session: Session) -> str | None:
    other = "other tokens than its mirror" if vault.differs_from_mirror(session) else None
    return vault.moved_apart(session) or other
