"""SIGKILL at every point of a login, a move and a sign-out: one session that every command finds, or none and no copy."""

import contextlib
import http.client
import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.killing.scene import Scene
from tests.support.commandline import Result
from tests.support.demo_server import Make
from tests.support.faulty_ring import DROP, ERROR, LOCKED
from tests.support.fetch import fetch

pytestmark = pytest.mark.slow
Run = Callable[[Mapping[str, str]], Result]


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody who is signed in, with a passphrase for the file store."""
    scene = Scene(tmp_path / "scene", make_server())
    scene.home.environ["TOKENCTL_PASSPHRASE_FILE"] = str(scene.home.folder / "passphrase")
    return scene


def killed_everywhere(scene: Scene, run: Run) -> Iterator[int]:
    """Kill a command before each of its changes in turn, until it ends by itself; the block looks at what is left."""
    below = f"{scene.state}:{scene.ring.parent}/ring."
    for number in range(1, 60):
        result = run({"KILL_BELOW": below, "KILL_AT": f"caller:{number}"})
        if result.status == 0:
            assert number > 3, "the command was not watched"
            return
        assert result.status == -signal.SIGKILL, (number, result)
        yield number
    raise AssertionError("the command never ended")


def visit(address: str) -> None:
    """Be the browser of a login that may be killed meanwhile."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        fetch(address)


def copies(scene: Scene) -> list[str]:
    """List every copy of a session or a part of it: keyring entries, encrypted files, redo logs, journals."""
    kept = list(json.loads(scene.ring.read_text())) if scene.ring.exists() else []
    files = (each.name for each in scene.state.iterdir())
    return kept + [name for name in files if name.startswith(("redo.", "journal.", "narrow.")) or "sealed" in name]


def gives_a_living_token(scene: Scene, *words: str) -> Result:
    """Expect a token that the server takes."""
    result = scene.token(*words)
    assert result.status == 0, result
    claims = scene.server.sessions.access_claims(result.stdout.strip())
    assert claims is not None, "the server has revoked it"
    assert not scene.anomalies, scene.anomalies
    return result


def signs_out(scene: Scene) -> None:
    """Expect that `revoke` leaves no copy."""
    result = scene.home.run("revoke")
    assert result.status == 0 and not copies(scene), (result, copies(scene))


@pytest.mark.parametrize("signed_in", [True, False], ids=["again", "first"])
def test_a_killed_login_leaves_no_session_that_no_command_finds(scene: Scene, signed_in: bool) -> None:
    """What it stored is found by `token`, replaced by the next login, and removed by `revoke`."""

    def run(environ: Mapping[str, str]) -> Result:
        if not signed_in and scene.home.run("show").status == 0:
            signs_out(scene)
        return scene.home.login(scene.server.issuer, environ=environ, visit=visit)

    for number in killed_everywhere(scene, run):
        stored = scene.ring.exists() and "tokenctl:t\nsession" in json.loads(scene.ring.read_text())
        result = scene.token()
        assert result.status == (0 if stored or signed_in else 4), (number, result)
        if stored:
            gives_a_living_token(scene)
            assert scene.home.run("refresh").status == 0, number
        if number % 3 == 0:
            assert scene.home.login(scene.server.issuer).status == 0
            gives_a_living_token(scene)
        assert scene.server.reuse_detections == 0
    signs_out(scene)


def test_a_killed_first_login_into_another_store_is_found_there(scene: Scene) -> None:
    """The profile names the keyring, and the login's option the file store: only the store choice knows that."""

    def run(environ: Mapping[str, str]) -> Result:
        if scene.home.run("show").status == 0:
            signs_out(scene)
        for path in scene.state.glob("store*.json"):
            path.unlink()
        return scene.home.login(scene.server.issuer, "--store", "file", environ=environ, visit=visit)

    for number in killed_everywhere(scene, run):
        stored = (scene.state / "session.sealed").exists()
        assert scene.token().status == (0 if stored else 4), number
    signs_out(scene)


@pytest.mark.parametrize("goal", ["file", "keyring"])
def test_a_killed_move_leaves_one_session(scene: Scene, goal: str) -> None:
    """Every command finds it, a login works as ever, and a sign-out removes every copy."""
    start = "keyring" if goal == "file" else "file"

    def run(environ: Mapping[str, str]) -> Result:
        if scene.home.run("show").status != 0:
            assert scene.home.login(scene.server.issuer).status == 0
        assert scene.home.run("store", "migrate", "--to", start).status == 0
        return scene.home.run("store", "migrate", "--to", goal, environ=environ)

    for number in killed_everywhere(scene, run):
        assert gives_a_living_token(scene) == gives_a_living_token(scene)
        assert scene.home.run("show").status == 0
        assert scene.home.run("refresh").status == 0, number
        if number % 2:
            result = scene.home.login(scene.server.issuer)
            assert result.status == 0, (number, result)
            gives_a_living_token(scene)
        signs_out(scene)
    gives_a_living_token(scene)
    signs_out(scene)


def test_a_killed_sign_out_gives_no_revoked_token_away(scene: Scene) -> None:
    """The token that `token` prints is alive; else it and `show` ask to sign in, and the next `revoke` ends it."""

    def run(environ: Mapping[str, str]) -> Result:
        if scene.home.run("show").status != 0:
            assert scene.home.login(scene.server.issuer).status == 0
        return scene.home.run("revoke", environ=environ)

    for number in killed_everywhere(scene, run):
        result, shown = scene.token(), scene.home.run("show", "--json")
        assert result.status == shown.status and result.status in (0, 4), (number, result, shown)
        if result.status == 0:
            gives_a_living_token(scene)
        again = scene.home.run("revoke")
        assert again.status in (0, 4) and not copies(scene), (number, again, copies(scene))
    assert not copies(scene)


@pytest.mark.parametrize("words", [("token",), ("show",), ("exec", "--", "true")], ids=" ".join)
def test_a_move_is_not_seen_by_those_who_read(scene: Scene, words: tuple[str, ...]) -> None:
    """While a session moves between two stores and back, every reader finds it."""
    ended, results = threading.Event(), []

    def read() -> None:
        while not ended.is_set():
            results.append(scene.home.run(*words))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        moves = [scene.home.run("store", "migrate", "--to", kind) for kind in ("file", "keyring") * 4]
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert {each.status for each in moves} == {0}, moves
    assert {each.status for each in results} == {0} and len(results) > 5, [each for each in results if each.status]


@pytest.mark.parametrize("fault", [ERROR, LOCKED, DROP])
def test_a_keyring_that_fails_at_sign_out_gives_no_revoked_token_away(
    tmp_path: Path, make_server: Make, fault: str
) -> None:
    """The server has revoked it, so nobody gets it any more; the next `revoke` removes what is left."""
    scene = Scene(tmp_path / "scene", make_server(), backend="tests.support.faulty_ring.FaultyRing")
    result = scene.home.run("revoke", environ={"FAULT": f"{fault}:delete"})
    assert result.status == 3 and "Traceback" not in result.stderr, result
    token, shown = scene.token(), scene.home.run("show", "--json")
    assert (token.status, token.stdout, shown.status) == (4, "", 4)
    assert json.loads(shown.stdout)["state"] == "signing_out"
    for words in (("refresh",), ("exec", "--", "true"), ("token", "--scope", "openid")):
        assert scene.home.run(*words).status in (4, 125), words
    signs_out(scene)


def test_a_login_after_a_killed_sign_out_is_a_session_like_any_other(scene: Scene) -> None:
    """The mark "signing out" goes with the session that it is about."""

    def run(environ: Mapping[str, str]) -> Result:
        assert scene.home.login(scene.server.issuer).status == 0
        gives_a_living_token(scene)
        return scene.home.run("revoke", environ=environ)

    for _ in killed_everywhere(scene, run):
        pass
