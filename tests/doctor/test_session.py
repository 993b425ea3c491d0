"""The state of the session in words, and what would stop its renewal."""

import pytest

from tests.doctor.conftest import NOW, Setup
from tests.support.flows import PassingClock
from tests.support.sessions import SECRET
from tokenctl.doctor import session
from tokenctl.doctor.case import case_of
from tokenctl.doctor.finding import Finding
from tokenctl.runtime import Runtime


def looked(setup: Setup, **environ: str) -> list[Finding]:
    """What the check finds."""
    return [*session.look(setup.case(environ=environ))]


@pytest.mark.parametrize(
    ("left", "said"),
    [(900, "lives 15 m; then it is renewed"), (-1, "has ended: the next command asks the server for another one")],
)
def test_how_long_the_token_lives(setup: Setup, left: int, said: str) -> None:
    """Without a token, and without a fingerprint of one."""
    setup.sign_in(left)
    found = looked(setup)[0]
    assert found.status == "ok" and said in found.sentence
    assert found.more["refresh_token"] is True and SECRET not in repr(found)


def test_nobody_is_signed_in(setup: Setup) -> None:
    """What to run is said, and the status is 4."""
    (found,) = looked(setup)
    assert (found.status, found.exit_status, found.remedy) == ("failed", 4, "run 'tokenctl login -p t'")


def test_without_a_refresh_token_a_person_has_to_sign_in_again(setup: Setup) -> None:
    """That is said while the token lives."""
    setup.sign_in(refresh_token=None)
    (found,) = looked(setup)
    assert found.status == "ok" and "there is no refresh token" in found.sentence


@pytest.mark.parametrize(("left", "status"), [(900, ["ok"]), (-1, ["ok", "could not check"])])
def test_what_the_server_will_say_is_not_known(setup: Setup, left: int, status: list[str]) -> None:
    """Where `token` has to ask it, nobody can promise that all is well."""
    setup.sign_in(left)
    assert [each.status for each in looked(setup)] == status


@pytest.mark.parametrize(("left", "status", "number"), [(900, "warning", 0), (-1, "failed", 4)])
def test_the_refresh_token_has_reached_its_end(setup: Setup, left: int, status: str, number: int) -> None:
    """The server would refuse it."""
    setup.sign_in(left, refresh_token_expires_at=NOW - 10)
    found = looked(setup)[-1]
    assert (found.status, found.exit_status) == (status, number) and "reached its end" in found.sentence


@pytest.mark.parametrize("shift", [-7200, 10**7])
def test_a_wrong_clock_ends_no_refresh_token(setup: Setup, shift: int) -> None:
    """`token` presents it, and the server takes it: so nothing is said of it when one of our clocks is set wrong."""
    boot = {"boot_id": "this boot", "booted_at_ms": (NOW - 9000) * 1000}
    setup.sign_in(10**6, obtained_at=NOW - 60, refresh_token_expires_at=NOW + 10**5, **boot)
    clock = PassingClock(NOW + shift, ("this boot", 9000 * 1000))
    found = session.look(case_of(Runtime(setup.environ, clock=clock), None))
    assert all(each.status in ("ok", "could not check") for each in found)


def test_the_secret_of_the_client_is_gone(setup: Setup) -> None:
    """The next renewal needs it: a warning, and a failure when the token has ended."""
    setup.sign_in(token_endpoint_auth_method="client_secret_basic")
    _, warning = looked(setup)
    setup.sign_in(-1, token_endpoint_auth_method="client_secret_basic")
    (failed,) = looked(setup)
    assert (warning.status, warning.exit_status) == ("warning", 0) and "is gone" in warning.sentence
    assert (failed.status, failed.exit_status) == ("failed", 4) and failed.sentence == warning.sentence


def test_another_state_directory_renews_it(setup: Setup) -> None:
    """Which one is said, before the token ends."""
    setup.sign_in()
    _, found = looked(setup, TOKENCTL_STATE_DIR=f"{setup.state}-2")
    assert found.status == "warning" and found.sentence.endswith(f"another state directory: {setup.state}")


def test_a_keyring_that_does_not_give_it(setup: Setup) -> None:
    """It could not be checked: the check of the keyring says what is wrong."""
    text = setup.config.read_text()
    setup.config.write_text(text.replace("ring.Ring", "ring.Locked"))
    (found,) = looked(setup)
    assert found.status == "could not check" and "the keyring is locked" in found.sentence


def test_a_session_that_is_damaged(setup: Setup) -> None:
    """The keyring works, so the session is what is wrong."""
    from tests.support.ring import Ring

    Ring().set_password("tokenctl:t", "session", "nonsense")
    (found,) = looked(setup)
    assert (found.status, found.exit_status) == ("failed", 3) and "damaged" in found.sentence
