"""What the journal knows of the refresh token."""

from dataclasses import replace

import pytest

from tests.doctor.conftest import NOW, Setup
from tokenctl.doctor import journal


@pytest.mark.parametrize(
    ("entry", "said", "remedy"),
    [
        ({}, "the server takes the refresh token", None),
        ({"dead": True}, "has refused", "run 'tokenctl login -p t'"),
        ({"tries": 3, "not_before": NOW + 20}, "3 times without an answer; the next try is in 20 s", "run"),
        ({"not_before": NOW + 30}, "asked not to be asked for 30 s more", "wait"),
    ],
)
def test_each_mark_is_said(setup: Setup, entry: dict[str, object], said: str, remedy: str | None) -> None:
    """With what to do; it is a warning, since the check of the session says what it means for `token`."""
    session, vault = setup.sign_in(), setup.vault()
    if entry:
        vault.journal.write(replace(vault.journal.read(session), **entry))  # type: ignore[arg-type]
    (found,) = journal.look(setup.case())
    assert said in found.sentence and (found.remedy or "").startswith(remedy or "")
    assert (found.status, found.exit_status) == ("warning" if remedy else "ok", 0)


def test_what_the_check_of_the_session_says_needs_no_second_remedy(setup: Setup) -> None:
    """Its remedy is the one: nobody gets the tokens of a session that is signing out."""
    session, vault = setup.sign_in(), setup.vault()
    vault.journal.write(replace(vault.journal.read(session), signing_out=True))
    (found,) = journal.look(setup.case())
    assert (found.status, found.remedy) == ("warning", None) and "sign-out has begun" in found.sentence


def test_a_journal_that_is_damaged(setup: Setup) -> None:
    """A fresh token does not need it. When the token has ended, the check of the session says so."""
    for left, statuses in ((900, ["warning"]), (-1, [])):
        path = setup.vault().journal.path(setup.sign_in(left))
        path.write_text("nonsense")
        path.chmod(0o600)
        assert [each.status for each in journal.look(setup.case())] == statuses
