"""SIGKILL at every point of a renewal, of the caller and of the worker: the session goes on, or one sentence says that it does not."""

import shutil
from pathlib import Path

import pytest

from tests.killing.matrix import (
    BETWEEN_THE_COMMITS,
    CALLER,
    OK,
    SIGN_IN,
    STEPS,
    WORKER,
    Matrix,
    outcome,
    points,
    table,
    watch,
    watched,
)
from tests.killing.scene import Scene
from tests.support.demo_server import Make

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

GRACE = 300
"""Seconds for which a server forgives a used refresh token: on a busy machine the next process comes late."""


@pytest.mark.slow
@pytest.mark.parametrize("grace", [0, GRACE])
@pytest.mark.parametrize("role", [CALLER, WORKER])
def test_a_session_survives_a_kill_at_any_point(tmp_path: Path, make_server: Make, role: str, grace: int) -> None:
    """Only a worker killed between the server's commit and ours costs a login, and only where the server has no grace."""
    scene = Scene(tmp_path / "scene", make_server(reuse_grace=grace))
    found = points(scene)
    assert [each.name for each in found if each.name not in STEPS] == [], "name the broker's step of it in STEPS"
    matrix: Matrix = {}
    failures = []
    for point in (each for each in found if each.role == role):
        try:
            matrix[point.name, role, grace] = outcome(scene, point)
        except AssertionError as failure:
            matrix[point.name, role, grace] = "broken"
            failures.append(f"{point.name}: {failure}")
            shutil.rmtree(tmp_path / "scene")
            scene = Scene(tmp_path / "scene", make_server(reuse_grace=grace))
    print(f"\n{table(matrix)}")
    assert not failures, "\n".join(failures)
    lost = {name for name, _, _ in matrix if matrix[name, role, grace] != OK}
    costly = BETWEEN_THE_COMMITS if (role, grace) == (WORKER, 0) else ()
    assert lost <= set(costly)
    assert all(matrix[name, role, grace] == SIGN_IN for name in lost)
    assert len(matrix) >= 9, "the processes under test were not watched"


@pytest.mark.slow
def test_finishing_what_was_left_may_be_killed_too(tmp_path: Path, make_server: Make) -> None:
    """A redo log that is left survives the killing of each process that copies it to the keyring."""
    scene = Scene(tmp_path / "scene", make_server())
    at = next(each.number for each in points(scene) if each.name == "caller write ring.new")
    log = tmp_path / "log"
    environ = {"KILL_BELOW": f"{scene.state}:{scene.ring}", "KILL_LOG": str(log)}
    scene.age()
    asked = scene.refreshes
    assert scene.token(environ=environ | {"KILL_AT": f"caller:{at}"}).status == -9
    kills = 0
    while scene.token(environ=environ | {"KILL_AT": f"caller:{kills + 1}"}).status == -9:
        kills += 1
        assert kills < 20
    assert kills >= 2, log.read_text()
    scene.goes_on()
    assert scene.refreshes == asked + 1


@pytest.mark.slow
def test_a_worker_that_cannot_start_costs_nothing(tmp_path: Path, make_server: Make) -> None:
    """When the machine has no more processes for a moment, the worker is started when it is needed."""
    scene = Scene(tmp_path / "scene", make_server())
    at = next(each.number for each in points(scene) if each.name == "caller start worker")
    environ = {"KILL_BELOW": str(scene.state), "KILL_AT": f"caller:{at}", "KILL_WITH": "EAGAIN"}
    scene.age()
    asked = scene.refreshes
    result = scene.token(environ=environ)
    assert (result.status, result.stderr) == (0, "")
    assert scene.refreshes == asked + 1
    scene.goes_on()


@pytest.mark.slow
def test_killed_processes_leave_nothing_for_ever(tmp_path: Path, make_server: Make) -> None:
    """What a process that was killed had half written is gone when a healthy one has renewed."""
    scene = Scene(tmp_path / "scene", make_server(reuse_grace=600))
    at = next(each.number for each in points(scene) if each.name == "worker write redo.next")
    before = set(scene.state.iterdir())
    scene.age()
    for _ in range(2):
        assert scene.token(environ={"KILL_BELOW": str(scene.state), "KILL_AT": f"worker:{at}"}).status == 6
    scene.goes_on()
    assert set(scene.state.iterdir()) == before


@pytest.mark.slow
@pytest.mark.parametrize(("role", "grace"), [(CALLER, 0), (WORKER, 0), (WORKER, GRACE)])
def test_getting_a_narrower_token_may_be_killed_too(tmp_path: Path, make_server: Make, role: str, grace: int) -> None:
    """Twice at any point: it costs no more than the killing of any other renewal does."""
    scene = Scene(tmp_path / "scene", make_server(reuse_grace=grace))
    narrower = ("--scope", "openid")
    found = [each for each in watched(scene, *narrower) if each.role == role]
    assert len(found) >= 6, found
    for point in found:
        for _ in range(
            3
        ):  # a server that is slow to say what it does with older tokens leaves the caller less to write
            scene.login()  # which also forgets the narrower token, and what is known about the server
            scene.age(600)
            environ = watch(scene, tmp_path / "log") | {"KILL_AT": f"{role}:{point.number}"}
            killed, again = (scene.token(*narrower, environ=environ) for _ in range(2))
            if role != CALLER or killed.status != 0:
                break
        assert killed.status == -9 if role == CALLER else killed.status in (0, 6), (point, killed)
        assert again.status in (-9, 0, 4, 5, 6), (point, again)
        result = scene.home.run("refresh")
        if (role, grace) == (WORKER, 0) and point.name in BETWEEN_THE_COMMITS and result.status == 4:
            scene.login()
        else:
            assert (result.status, scene.detections) == (0, 0), (point, killed, again, result)
        scene.goes_on()
    assert scene.token(*narrower).status == 0
