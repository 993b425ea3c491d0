"""Whether keyring and redo log agree."""

from dataclasses import replace

from tests.doctor.conftest import Setup
from tests.support.ring import Ring
from tokenctl.doctor import mirror
from tokenctl.doctor.finding import Finding
from tokenctl.model import session as sessions


def looked(setup: Setup) -> list[Finding]:
    """What the check finds."""
    return [*mirror.look(setup.case())]


def test_they_agree(setup: Setup) -> None:
    """After a login both have the session."""
    setup.sign_in()
    (found,) = looked(setup)
    assert found.status == "ok"


def test_the_keyring_is_behind(setup: Setup) -> None:
    """A renewal was committed, and the keyring does not have it yet: the next command copies it, not the doctor."""
    session = setup.sign_in()
    setup.vault().commit(replace(session, generation=2, access_token="at2", refresh_token="rt2"))
    before = Ring().get_password("tokenctl:t", "session")
    (found,) = looked(setup)
    assert found.status == "warning" and "the keyring does not have it yet" in found.sentence
    assert Ring().get_password("tokenctl:t", "session") == before


def test_somebody_else_stored_another_session(setup: Setup) -> None:
    """A newer generation than the one that was stored here."""
    session = setup.sign_in()
    Ring().set_password("tokenctl:t", "session", sessions.dumps(replace(session, generation=9, access_token="at9")))
    (found,) = looked(setup)
    assert found.status == "warning" and "a newer generation" in found.sentence


def test_somebody_else_changed_the_tokens(setup: Setup) -> None:
    """The generation is the same, and the tokens are not."""
    session = setup.sign_in()
    Ring().set_password("tokenctl:t", "session", sessions.dumps(replace(session, refresh_token="rt9")))
    (found,) = looked(setup)
    assert found.status == "warning" and "other tokens" in found.sentence and "rt9" not in repr(found)


def test_without_a_session_there_is_nothing_to_compare(setup: Setup) -> None:
    """Another check says that."""
    assert not looked(setup)
