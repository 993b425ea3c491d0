"""A renewal whose worker cannot start, works elsewhere than its caller thinks, stops, or says nothing in the end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.killing.scene import Scene
from tests.support.commandline import LONG
from tests.support.demo_server import Make
from tests.support.paths import ROOT
from tests.system.test_signals import slow, went_well

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no worker elsewhere")


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody whose access token has expired, at a server that forgives nothing."""
    scene = Scene(tmp_path / "scene", make_server())
    scene.age()
    return scene


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_and_a_kill(scene: Scene, closed: str) -> None:
    """The worker has the lock, whichever numbers were free when it was taken: the next command waits for it."""
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "tokenctl", "token"]
    with slow(scene.server) as come:
        process = subprocess.Popen(
            words, env=scene.home.environ, cwd=scene.home.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert come.wait(LONG)
        process.kill()
        process.wait(LONG)
        with scene.home.start("token") as other:
            time.sleep(1)
            assert (other.poll(), scene.refreshes) == (None, 1)
            come.answer.set()
            assert other.wait(LONG) == 0
        went_well(scene)


INSTEAD_OF_PYTHON = {
    "no interpreter is known": None,
    "no such program": "/no/such/program",
    "says nothing": "#!/bin/sh\n",
    "fails": "#!/bin/sh\nexit 3\n",
    "says something else": "#!/bin/sh\necho usage: server --config FILE\n",
    "repeats the job": "#!/bin/sh\nexec cat\n",
    "is killed at once": "#!/bin/sh\nkill -9 $$\n",
    "closes the pipe": "#!/bin/sh\nexec <&-\nsleep 0.3\n",
    "has no worker": '#!/bin/sh\nexec "$PYTHON" -c "import tokenctl.absent"\n',
    "has an older worker": '#!/bin/sh\nsed s/.version.:/\\"other\\":/ | "$PYTHON" "$@"\n',
    "works, and says nothing": '#!/bin/sh\n"$PYTHON" "$@" >/dev/null\n',
    "works, and says too little": '#!/bin/sh\n"$PYTHON" "$@" | head -c 20\n',
    "works, and speaks another version": '#!/bin/sh\n"$PYTHON" "$@" >/dev/null; echo \'{"version": 9}\'\n',
    "works, and is killed": '#!/bin/sh\n"$PYTHON" "$@"; kill -9 $$\n',
}
EMBEDDED = "import sys; sys.executable = {}; from tokenctl.__main__ import main; main()"


def embedded(scene: Scene, folder: Path, what: str, *words: str) -> str:
    """Run a command in a program that says its interpreter is something else, and return the token that it prints."""
    program = INSTEAD_OF_PYTHON[what]
    path = folder / "interpreter"
    if program is not None and program.startswith("#!"):
        path.write_text(program)
        path.chmod(0o755)
    executable = None if program is None else str(path) if program.startswith("#!") else program
    done = subprocess.run(
        [sys.executable, "-c", EMBEDDED.format(repr(executable)), *words],
        env={**scene.home.environ, "PYTHON": sys.executable},
        cwd=scene.home.folder,
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done
    return done.stdout.strip()


@pytest.mark.parametrize("what", INSTEAD_OF_PYTHON)
def test_an_interpreter_that_is_not_python(scene: Scene, tmp_path: Path, what: str) -> None:
    """A program that embeds Python names itself, or nothing: one request is made all the same, and never two."""
    assert embedded(scene, tmp_path, what, "token") == scene.kept["access_token"]
    went_well(scene)


@pytest.mark.parametrize("what", INSTEAD_OF_PYTHON)
def test_a_narrower_token_where_no_worker_works(scene: Scene, tmp_path: Path, what: str) -> None:
    """A narrower token is got too: without a worker if nothing was sent, else with one more request; no login is lost."""
    assert embedded(scene, tmp_path, what, "token", "--scope", "openid") not in ("", scene.kept["access_token"])
    assert scene.home.run("refresh").status == 0


@pytest.mark.slow
def test_a_worker_that_is_stopped_past_its_deadline(scene: Scene) -> None:
    """The answer has arrived meanwhile: it is read, and the refresh token is not presented again."""
    with slow(scene.server) as come, scene.home.start("token") as process:
        assert come.wait(LONG)
        worker = scene.worker()
        assert worker is not None
        os.kill(worker, signal.SIGSTOP)
        come.answer.set()
        time.sleep(32)  # longer than a request may take
        os.kill(worker, signal.SIGCONT)
        stdout, _ = process.communicate(timeout=LONG)
        assert (process.returncode, stdout.strip()) == (0, scene.kept["access_token"])
        went_well(scene)


def test_a_program_that_is_taken_away_while_the_server_answers(scene: Scene, tmp_path: Path) -> None:
    """As an upgrade does: the worker needs no more of its files to commit a refresh token that the server has replaced."""
    folder = tmp_path / "installed"
    shutil.copytree(ROOT / "tokenctl", folder / "tokenctl")
    environ = {"PYTHONPATH": f"{folder}{os.pathsep}{scene.home.environ['PYTHONPATH']}"}
    with slow(scene.server) as come, scene.home.start("token", environ=environ) as process:
        assert come.wait(LONG)
        (folder / "tokenctl").rename(folder / "taken-away")
        come.answer.set()
        process.wait(LONG)
    scene.well(scene.once_settled(scene.token()))
