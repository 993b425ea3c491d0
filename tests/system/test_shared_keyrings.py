"""State directories and keyrings that are shared in another way than one to one: two locks never guard one session."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.killing.scene import Scene, one_clear_error
from tests.support.attended import attended
from tests.support.commandline import LONG, Home, Result
from tests.support.demo_server import Make

ELSEWHERE = "is renewed by another state directory"


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody who is signed in, at a server that forgives nothing."""
    return Scene(tmp_path / "scene", make_server(reuse_grace=0))


def other(tmp_path: Path) -> dict[str, str]:
    """Another state directory, as a container has one."""
    return {"TOKENCTL_STATE_DIR": str(tmp_path / "other-state")}


def race(scene: Scene, environs: list[dict[str, str]]) -> list[Result]:
    """Run `tokenctl token` at once in each of the environments."""
    started = [scene.home.start("token", environ=each) for each in environs]
    results = []
    for process in started:
        with process:
            stdout, stderr = process.communicate(timeout=LONG)
            results.append(Result(status=process.returncode, stdout=stdout, stderr=stderr))
    return results


def test_two_state_directories_with_one_keyring_lose_nothing(scene: Scene, tmp_path: Path) -> None:
    """The one that signed in renews; the other says so, sends nothing, and hands out what is fresh."""
    for _ in range(3):
        scene.age()
        results = race(scene, [{}, other(tmp_path)] * 3)
        assert {each.status for each in results[::2]} == {0}, results
        for each in results[1::2]:
            if each.status == 0:
                assert each.stdout == results[0].stdout
            else:
                one_clear_error(each, 2)
                assert ELSEWHERE in each.stderr and str(scene.state.parent) in each.stderr
    assert scene.refreshes == 3 and scene.detections == 0
    assert scene.token(environ=other(tmp_path)).stdout == scene.goes_on().stdout


@pytest.mark.parametrize("words", [("token",), ("refresh",), ("token", "--scope", "openid")], ids=" ".join)
def test_a_foreign_state_directory_sends_nothing(scene: Scene, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whatever is asked for: the refresh token is presented under one lock only."""
    scene.age()
    asked = len(scene.server.requests)
    result = scene.home.run(*words, environ=other(tmp_path))
    one_clear_error(result, 2)
    assert ELSEWHERE in result.stderr and "tokenctl refresh" in result.stderr
    assert len(scene.server.requests) == asked
    scene.goes_on()


def test_a_person_at_a_terminal_moves_the_renewals(scene: Scene, tmp_path: Path) -> None:
    """After `refresh` there, the other state directory is the one that says so."""
    refused = attended(scene.home, "refresh", environ=other(tmp_path), answers=[("from now on?", b"n\n")])
    assert refused.status == 2 and ELSEWHERE in refused.stderr and scene.refreshes == 0
    person = attended(scene.home, "refresh", environ=other(tmp_path), answers=[("from now on?", b"y\n")])
    assert person.status == 0 and "from now on t is renewed here" in person.stderr, person
    scene.age()
    one_clear_error(scene.token(), 2)
    assert scene.token(environ=other(tmp_path)).status == 0
    assert scene.detections == 0


def test_a_state_directory_that_was_moved_or_removed_is_no_other_one(scene: Scene, tmp_path: Path) -> None:
    """Where nothing is left of it, nobody else can renew; where it was moved, it is the same one."""
    moved = {"TOKENCTL_STATE_DIR": str(tmp_path / "moved")}
    scene.state.parent.rename(tmp_path / "moved")
    scene.age()
    assert scene.token(environ=moved).status == 0
    shutil.rmtree(tmp_path / "moved")
    scene.age()
    assert scene.token(environ=other(tmp_path)).status == 0
    assert scene.detections == 0


def test_a_copy_of_a_state_directory_is_another_one(scene: Scene, tmp_path: Path) -> None:
    """A home directory that was copied to a second machine has a lock of its own."""
    copy = {"TOKENCTL_STATE_DIR": str(tmp_path / "copy")}
    subprocess.run(["cp", "-a", str(scene.state.parent), copy["TOKENCTL_STATE_DIR"]], check=True)
    scene.age()
    one_clear_error(scene.token(environ=copy), 2)
    scene.goes_on()


def test_one_state_directory_with_two_keyrings_mixes_nothing(scene: Scene, tmp_path: Path) -> None:
    """A home directory on two machines: each has its session, redo log and journal, and leaves the other's alone."""
    rings = [{"TEST_RING": str(tmp_path / f"ring-{number}.json")} for number in (1, 2)]
    for ring in rings:
        assert scene.home.login(scene.server.issuer, environ=ring).status == 0

    def behind(ring: dict[str, str]) -> None:
        """Renew, and let the keyring come back with the session before: the redo log alone has the new one."""
        before = Path(ring["TEST_RING"]).read_text()
        assert scene.home.run("refresh", environ=ring).status == 0
        Path(ring["TEST_RING"]).write_text(before)

    for _ in range(2):
        for ring in rings:
            behind(ring)
    for ring in rings:
        assert scene.home.run("refresh", environ=ring).status == 0
    assert scene.server.reuse_detections == 0
    kept = [json.loads(json.loads(Path(ring["TEST_RING"]).read_text())["tokenctl:t\nsession"]) for ring in rings]
    assert {f"redo.{each['id']}" for each in kept} <= {each.name for each in scene.state.iterdir()}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_stored_session_names_its_state_directory(scene: Scene) -> None:
    """A person who looks into the keyring finds where it is renewed."""
    assert scene.kept["state_path"] == str(scene.state.parent) and scene.kept["version"] == 2
    assert (scene.state.parent / ".id").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("names", [("Work", "work"), ("env", "ENV"), ("a.b", "A.B")])
def test_profiles_that_differ_only_in_case_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    """On a disk that ignores case they would be one folder, and one keyring's redo log would be the other's."""
    home = Home(tmp_path / "home")
    home.write_config(
        "".join(f'[profiles."{name}"]\nissuer = "https://a.example"\nclient_id = "c"\n' for name in names)
    )
    result = home.run("show", "-p", names[0])
    one_clear_error(result, 2)
    assert names[0] in result.stderr and names[1] in result.stderr


def test_a_login_to_a_profile_that_differs_only_in_case_is_refused(scene: Scene) -> None:
    """Before the person signs in."""
    words = ("login", "-p", "T", "--issuer", scene.server.issuer, "--client-id", "tokenctl-demo")
    one_clear_error(scene.home.run(*words), 2)
