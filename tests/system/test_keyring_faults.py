"""A keyring that fails at any one call of a renewal: the command says so and ends, and the session goes on."""

from pathlib import Path

import pytest

from tests.killing.scene import Scene, one_clear_error
from tests.support.demo_server import Make
from tests.support.faulty_ring import ABSENT, DROP, ERROR, FAULTS, HANG, LOCKED

BACKEND = "tests.support.faulty_ring.FaultyRing"


def calls_of_a_renewal(scene: Scene) -> list[str]:
    """Renew once, unharmed, and list the calls to the keyring."""
    log = scene.ring.with_name("calls")
    scene.age()
    assert scene.token(environ={"FAULT_LOG": str(log)}).status == 0
    return log.read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "left"), [(fault, -60) for fault in FAULTS] + [(fault, 30) for fault in FAULTS if fault != HANG]
)
def test_a_keyring_that_fails_once_costs_no_session(tmp_path: Path, make_server: Make, fault: str, left: int) -> None:
    """Whichever call fails, the command ends with a token or a clear error, and a healthy one goes on."""
    scene = Scene(tmp_path / "scene", make_server(), backend=BACKEND)
    calls = calls_of_a_renewal(scene)
    assert calls[:2] == ["get session"] * 2 and "set session" in calls[2:], calls
    for number, call in enumerate(calls, 1):
        if fault == DROP and call.startswith("get"):
            continue  # reading drops nothing
        scene.age(left)
        asked = scene.refreshes
        result = scene.token(environ={"FAULT": f"{fault}:{number}"})
        where = (call, number, result)
        assert "Traceback" not in result.stderr and "unexpected" not in result.stderr, where
        renewed = number > 2  # the third call looks whether the session was replaced meanwhile; it is not needed
        if renewed:
            # It was renewed, and is safe: the token is good, and the person is told.
            assert result.status == 0 and scene.server.sessions.access_claims(result.stdout.strip()), where
            warned = "tokenctl: warning: " in result.stderr and "not in the keyring yet" in result.stderr
            assert warned or number == 3, where
        elif number == 1 or left < 0:
            one_clear_error(result, 3)
        assert scene.refreshes - asked == int(renewed), where
        scene.goes_on()
        assert scene.refreshes - asked == 1, where


@pytest.mark.slow
@pytest.mark.parametrize("fault", [ERROR, LOCKED, DROP, HANG])
def test_a_keyring_that_fails_while_the_last_run_is_finished_costs_no_session(
    tmp_path: Path, make_server: Make, fault: str
) -> None:
    """A renewed session that could not be copied waits in the redo log through further failures."""
    scene = Scene(tmp_path / "scene", make_server(), backend=BACKEND)
    scene.age()
    asked = scene.refreshes
    renewed = scene.token(environ={"FAULT": f"{DROP}:set"})
    for number in (4, 5) if fault in (ERROR, LOCKED) else (4,):
        again = scene.token(environ={"FAULT": f"{fault}:{number}"})
        assert (again.status, again.stdout) == (0, renewed.stdout), again
        assert "redo" in scene.left_over() or number == 5  # then it was written, and could not be read back
    assert scene.goes_on().stdout == renewed.stdout
    assert scene.refreshes - asked == 1


@pytest.mark.slow
def test_an_entry_that_is_absent_for_a_moment_is_no_signing_out(tmp_path: Path, make_server: Make) -> None:
    """Whichever read finds nothing, the next look finds the session."""
    scene = Scene(tmp_path / "scene", make_server(), backend=BACKEND)
    calls = calls_of_a_renewal(scene)
    for number, call in enumerate(calls, 1):
        if call == "get session":
            scene.age()
            result = scene.token(environ={"FAULT": f"{ABSENT}:{number}"})
            assert result.status == 0 and scene.server.sessions.access_claims(result.stdout.strip()), (number, result)
            scene.goes_on()


@pytest.mark.quick
@pytest.mark.parametrize("fault", [ERROR, LOCKED])
def test_a_keyring_that_cannot_be_read_is_no_signing_out(tmp_path: Path, make_server: Make, fault: str) -> None:
    """When the first call fails, the error is the keyring's own, and nothing is asked of the server."""
    scene = Scene(tmp_path / "scene", make_server(), backend=BACKEND)
    asked = len(scene.server.requests)
    result = scene.token(environ={"FAULT": f"{fault}:1"})
    one_clear_error(result, 3)
    assert "sign in" not in result.stderr and "signed in" not in result.stderr
    assert len(scene.server.requests) == asked
    scene.goes_on()
