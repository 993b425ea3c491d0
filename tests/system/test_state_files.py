"""What may happen to the files beside a session: each is refused in one sentence, left alone, and asks nothing of the server."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.killing.damage import DAMAGE, DISGUISE, NOBODY, ROOT, Damage, one_character, put_back, seen
from tests.killing.folders import remount, small_disk
from tests.killing.scene import Scene, one_clear_error
from tests.servers.faulty_server import Received, Reply
from tests.support.demo_server import Make
from tests.support.faulty_ring import DROP

DAMAGED, UNSAFE = 3, 2

posix = pytest.mark.skipif(os.name != "posix", reason="owners, modes and links of POSIX")
as_root = pytest.mark.skipif(not ROOT, reason="only root may give a file away")


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody who is signed in."""
    return Scene(tmp_path / "scene", make_server(), backend="tests.support.faulty_ring.FaultyRing")


def with_redo_log(scene: Scene) -> Path:
    """Renew without a keyring that keeps it."""
    scene.age()
    assert scene.token(environ={"FAULT": f"{DROP}:set"}).status == 0
    return scene.redo_log


def with_journal(scene: Scene) -> Path:
    """Renew while the server loses each answer before it is made; so the refresh token is still good."""

    def lost(request: Received) -> Reply:
        return Reply(drop_before=True)

    scene.server.overrides["/token"] = lost
    scene.age()
    assert scene.token().status == 6
    scene.server.overrides.clear()
    return scene.journal


def with_lock(scene: Scene) -> Path:
    """The lock is always there."""
    scene.age()
    return scene.state / "lock"


def refused(scene: Scene, path: Path, status: int, *words: str) -> None:
    """Expect one clear error that names the file, which stays as it is, and no request."""
    before, asked, session = seen(path), len(scene.server.requests), scene.kept
    result = scene.home.run(*words or ["token"])
    one_clear_error(result, 125 if "exec" in words else status)
    assert str(path) in result.stderr, result
    assert seen(path) == before, "it was changed"
    assert len(scene.server.requests) == asked
    assert scene.kept == session


@posix
@pytest.mark.parametrize(
    ("make", "damages", "status"),
    [
        (with_redo_log, DAMAGE | {"one character": one_character}, DAMAGED),
        (with_redo_log, DISGUISE, UNSAFE),
        (with_journal, DAMAGE, DAMAGED),
        (with_journal, DISGUISE, UNSAFE),
        (with_lock, DISGUISE, UNSAFE),
    ],
    ids=["damaged redo log", "disguised redo log", "damaged journal", "disguised journal", "disguised lock"],
)
def test_a_file_that_is_not_as_it_was_is_refused_and_kept(
    scene: Scene, make: Callable[[Scene], Path], damages: dict[str, Damage], status: int
) -> None:
    """What cannot be trusted ends the command and is left alone: it may be the only copy, or the only warning."""
    path = make(scene)
    content = path.read_bytes()
    for name, damage in damages.items():
        damage(path)
        try:
            refused(scene, path, status)
        except AssertionError as failure:
            raise AssertionError(f"{name}: {failure}") from failure
        put_back(path, content)
    for words in (["refresh"], ["exec", "--", "true"]):
        next(iter(damages.values()))(path)
        refused(scene, path, status, *words)
        put_back(path, content)
    assert scene.home.run("refresh").status == 0
    scene.goes_on()


@posix
@pytest.mark.parametrize("make", [with_redo_log, with_journal], ids=["redo log", "journal"])
def test_a_login_repairs_what_a_file_has_become(scene: Scene, make: Callable[[Scene], Path]) -> None:
    """To sign in again is a way out of every damage, and of a disguise too, or the login says which file is in the way."""
    disguises = {name: (damage, UNSAFE) for name, damage in DISGUISE.items() if name in ("a link", "world-readable")}
    damages = {name: (damage, DAMAGED) for name, damage in DAMAGE.items() if name in ("truncated", "newer")}
    for damage, status in (damages | disguises).values():
        path = make(scene)
        damage(path)
        result = scene.home.login(scene.server.issuer)
        if status == UNSAFE and result.status != 0:
            one_clear_error(result, UNSAFE)
            assert str(path) in result.stderr
            path.unlink()
            scene.login()
        assert scene.token().status == 0
        scene.first = scene.kept
        scene.age()
        scene.goes_on()


@pytest.mark.quick
@pytest.mark.parametrize("whole", [True, False], ids=["all profiles", "one profile"])
def test_a_state_directory_that_is_gone_is_made_anew(scene: Scene, whole: bool) -> None:
    """Somebody tidied up: the session is in the keyring, and the folder is private again."""
    shutil.rmtree(scene.state.parent if whole else scene.state)
    scene.age()
    asked = scene.refreshes
    scene.goes_on()
    assert scene.refreshes - asked == 1
    assert [path.stat().st_mode & 0o777 for path in (scene.state.parent, scene.state)] == [0o700, 0o700]


def _file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("not a folder\n")


def _link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to(path.with_name("moved"))


@posix
@pytest.mark.parametrize("damage", [_file, _link, lambda path: path.chmod(0o770)], ids=["a file", "a link", "shared"])
@pytest.mark.parametrize("whole", [True, False], ids=["all profiles", "one profile"])
def test_a_state_directory_that_is_none_of_ours_is_refused(
    scene: Scene, damage: Callable[[Path], object], whole: bool
) -> None:
    """A file or a link in its place, or a folder that others may write to, is refused and left as it is."""
    path = scene.state.parent if whole else scene.state
    scene.age()
    damage(path)
    refused(scene, path, UNSAFE)


@as_root
def test_a_state_directory_of_somebody_else_is_refused(scene: Scene) -> None:
    """Whoever owns it could put anything there."""
    scene.age()
    os.chown(scene.state, NOBODY, NOBODY)
    refused(scene, scene.state, UNSAFE)


@pytest.mark.slow
@as_root
def test_a_state_directory_that_is_read_only_is_said_before_anything_is_sent(tmp_path: Path, make_server: Make) -> None:
    """A fresh token is handed out as ever; an expired one is not renewed, and costs nothing."""
    with small_disk(tmp_path / "disk") as disk:
        scene = Scene(tmp_path / "scene", make_server(), state=disk)
        remount(disk, "ro")
        assert scene.token().status == 0
        scene.age()
        asked = len(scene.server.requests)
        result = scene.token()
        one_clear_error(result, 2, 3)
        assert str(disk) in result.stderr
        assert len(scene.server.requests) == asked
        remount(disk, "rw")
        scene.goes_on()
        assert scene.refreshes == 1


@pytest.mark.parametrize("words", [(), ("--scope", "openid")], ids=["renewal", "narrower"])
def test_a_folder_that_goes_in_the_middle_costs_nothing(scene: Scene, words: tuple[str, ...]) -> None:
    """Somebody tidies up while the server answers: the keyring alone gets what rotated."""

    def tidied(request: Received) -> None:
        shutil.rmtree(scene.state)

    scene.server.overrides["/token"] = tidied
    scene.age(600 if words else -60)
    result = scene.token(*words)
    assert result.status == 0 and "Traceback" not in result.stderr, result
    scene.server.overrides.clear()
    assert scene.home.run("refresh").status == 0
    scene.goes_on()
