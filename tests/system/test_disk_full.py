"""A full disk: found out before anything is sent, or when it fills up meanwhile, costing nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.killing.folders import fill, small_disk
from tests.killing.scene import Scene, one_clear_error
from tests.servers.faulty_server import FaultyServer, Override, Received, Reply
from tests.support.demo_server import Make
from tests.support.faulty_ring import DROP
from tokenctl.storage.redo_log import RESERVED

PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    with small_disk(tmp_path / "disk", kib=1024) as disk:
        yield disk


@pytest.fixture
def scene(tmp_path: Path, make_server: Make, disk: Path) -> Scene:
    """Somebody who is signed in, with the state directory on a small disk and the keyring on a large one."""
    return Scene(tmp_path / "scene", make_server(), backend="tests.support.faulty_ring.FaultyRing", state=disk)


def goes_on_when_there_is_room(scene: Scene, ballast: Path, refreshes: int = 1) -> None:
    """Make room, and expect that the session can be renewed as ever."""
    ballast.unlink()
    asked = scene.refreshes
    scene.age()
    scene.goes_on()
    assert scene.refreshes - asked == refreshes


@pytest.mark.quick
@pytest.mark.parametrize("left", [0, PAGE, RESERVED - PAGE, RESERVED], ids=lambda left: f"{left} bytes left")
def test_without_room_nothing_is_sent(scene: Scene, disk: Path, left: int) -> None:
    """Room for nothing, or for the answer and not for the journal: an error that names the folder, before any request."""
    ballast = fill(disk, left)
    asked = len(scene.server.requests)
    scene.age()
    before = scene.kept
    expired = scene.token()
    one_clear_error(expired, 3)
    assert str(scene.state) in expired.stderr
    assert len(scene.server.requests) == asked
    assert scene.kept == before
    goes_on_when_there_is_room(scene, ballast)


@pytest.mark.parametrize("left", [0, RESERVED], ids=lambda left: f"{left} bytes left")
def test_without_room_a_token_that_still_lives_is_handed_out(scene: Scene, disk: Path, left: int) -> None:
    """The token at hand is still good, and the person is warned."""
    ballast = fill(disk, left)
    asked = len(scene.server.requests)
    scene.age(30)
    result = scene.token()
    assert (result.status, result.stdout.strip()) == (0, scene.kept["access_token"])
    assert "tokenctl: warning: could not renew" in result.stderr and str(scene.state) in result.stderr
    assert len(scene.server.requests) == asked
    goes_on_when_there_is_room(scene, ballast)


def test_the_room_goes_back_when_the_journal_has_none(scene: Scene, disk: Path) -> None:
    """What was set aside for an answer is not kept from others when nothing was asked."""
    fill(disk, RESERVED)
    scene.age()
    one_clear_error(scene.token(), 3)
    assert not scene.left_over()


def test_a_disk_that_fills_up_meanwhile_costs_nothing(scene: Scene, disk: Path) -> None:
    """The answer goes into the room that was set aside for it: the redo log alone saves the session."""

    def fills_up(request: Received) -> Reply | None:
        fill(disk)
        return None

    scene.server.overrides["/token"] = fills_up
    scene.age()
    asked = scene.refreshes
    before = scene.kept
    result = scene.token(environ={"FAULT": f"{DROP}:set"})
    assert result.status == 0 and "cannot be written" not in result.stderr, result
    assert scene.kept == before, "this was to be about the redo log"
    assert "redo" in scene.left_over()
    scene.server.overrides.clear()
    assert scene.goes_on().stdout == result.stdout  # the disk is still full
    assert scene.refreshes - asked == 1
    goes_on_when_there_is_room(scene, disk / "ballast")


@pytest.mark.parametrize("id_token", [True, False], ids=["with an ID token", "without"])
def test_an_answer_larger_than_its_room_is_saved_by_the_keyring(scene: Scene, disk: Path, id_token: bool) -> None:
    """On a full disk an answer that does not fit is warned of, and kept in the keyring all the same."""
    scene.server.overrides["/token"] = large_answer(scene.server, disk, id_token=id_token)
    scene.age()
    asked = scene.refreshes
    result = scene.token()
    assert result.status == 0, result
    assert f"tokenctl: warning: {scene.redo_log} cannot be written" in result.stderr
    assert len(scene.kept["scope"]) > RESERVED
    assert scene.kept["access_token"] == result.stdout.strip()
    scene.server.overrides.clear()
    assert scene.goes_on().stdout == result.stdout
    assert scene.refreshes - asked == 1
    goes_on_when_there_is_room(scene, disk / "ballast")


def large_answer(server: FaultyServer, disk: Path, *, id_token: bool) -> Override:
    """Make a server that fills the disk, and whose answer has a scope of 80,000 characters."""

    def answer(request: Received) -> Reply:
        usual = server.answer(request)
        document = usual.document | {"scope": " ".join(["openid offline_access", *["x" * 79] * 1000])}
        if not id_token:
            del document["id_token"]
        fill(disk)
        return replace(usual, body=json.dumps(document).encode())

    return answer
