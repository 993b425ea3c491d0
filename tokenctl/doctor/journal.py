"""Check: what the journal knows of the refresh token, such as that it was presented without an answer."""

from collections.abc import Iterator

from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding, Status
from tokenctl.doctor.trouble import finding_of
from tokenctl.errors import TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.storage.journal import Entry

NAME = "journal"


def look(case: Case) -> Iterator[Finding]:
    """Read the journal of the session."""
    vault, session = case.vault, case.session
    if vault is None or session is None or session.refresh_token is None:
        return
    try:
        entry = vault.journal.read(session)
    except TokenctlError as error:
        if case.problem is None:  # else it is what the check of the session says
            yield finding_of(NAME, error, counts=False)
        return
    sentence, remedy = _said(vault.profile, entry, entry.pause(case.runtime.now()))
    status: Status = "ok" if remedy is None else "warning"
    if case.failed_at("session") is not None:  # the check of the session says what to do
        remedy = None
    more = {"state": entry.state, "tries": entry.tries, "signing_out": entry.signing_out}
    yield Finding(check=NAME, status=status, sentence=sentence, remedy=remedy, more=more)


def _said(profile: Profile, entry: Entry, pause: int) -> tuple[str, str | None]:
    """Return a sentence, and a remedy if there is something to do. `pause` is seconds."""
    if entry.signing_out:
        return "a sign-out has begun and not ended", f"tokenctl revoke -p {profile.name}"
    if entry.dead:
        return "the server has refused the refresh token", profile.login_hint
    if entry.tries:
        waits = f"; the next try is in {pause} s" if pause else ""
        return f"the refresh token was presented {entry.tries} times without an answer{waits}", "run the command again"
    if pause:
        return f"the server asked not to be asked for {pause} s more", "wait for that time"
    return "as far as it is known here, the server takes the refresh token", None
