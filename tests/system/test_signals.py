"""Whoever ends the process that renews, and however: its work is done, and the next one has it."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.killing.scene import Scene
from tests.servers.faulty_server import FaultyServer, Received, Reply
from tests.support.commandline import COMMAND, LONG
from tests.support.demo_server import Make

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals, process groups and terminals of POSIX")


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody whose access token has expired."""
    scene = Scene(tmp_path / "scene", make_server())
    scene.age()
    return scene


class Asked(threading.Event):
    """A request has come and is processed; `answer` lets its answer go."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = threading.Event()


@contextmanager
def slow(server: FaultyServer) -> Iterator[Asked]:
    """Let the server process each request at once, and answer when it is told to."""
    come = Asked()

    def late(request: Received) -> Reply:
        reply = server.answer(request)
        come.set()
        come.answer.wait(LONG)
        return reply

    server.overrides["/token"] = late
    try:
        yield come
    finally:
        come.answer.set()
        server.overrides.clear()


def went_well(scene: Scene) -> None:
    """Expect that one request was all it took, and that the next process prints what came of it."""
    token = scene.well(scene.once_settled(scene.token())).stdout
    assert scene.refreshes == 1
    assert scene.kept["generation"] == scene.first["generation"] + 1
    assert token.strip() != scene.first["access_token"]


Send = Callable[[int, int], None]


@pytest.mark.quick
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to the process", "to its group"])
@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGHUP, -1), (signal.SIGQUIT, -3), (signal.SIGKILL, -9)],
    ids=lambda each: each.name if isinstance(each, signal.Signals) else "",
)
def test_a_signal_while_the_server_takes_its_time(scene: Scene, send: Send, number: int, status: int) -> None:
    """The command ends as the signal wants, without a token, and its worker goes on."""
    with slow(scene.server) as come, scene.home.start("token", new_session=True) as process:
        assert come.wait(LONG)
        send(process.pid, number)
        stdout, stderr = process.communicate(timeout=LONG)
        assert (process.returncode, stdout) == (status, "")
        assert "Traceback" not in stderr
        come.answer.set()
        went_well(scene)


def test_ctrl_c_three_times(scene: Scene) -> None:
    """A person who is impatient loses nothing."""
    with slow(scene.server) as come, scene.home.start("token", new_session=True) as process:
        assert come.wait(LONG)
        for _ in range(3):
            os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=LONG)
        assert process.returncode in (130, -signal.SIGINT) and stdout == "", (process.returncode, stderr)
        assert "Traceback" not in stderr
        come.answer.set()
        went_well(scene)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_a_polite_signal_to_the_worker_is_not_heard(scene: Scene, number: signal.Signals) -> None:
    """It ends when its work is done: nobody else can do it."""
    with slow(scene.server) as come, scene.home.start("token") as process:
        assert come.wait(LONG)
        worker = scene.worker()
        assert worker is not None
        os.kill(worker, number)
        come.answer.set()
        stdout, _ = process.communicate(timeout=LONG)
        assert process.returncode == 0
        assert stdout.strip() == scene.kept["access_token"]
        went_well(scene)


@pytest.mark.parametrize("how", ["closed", "Ctrl-C", "Ctrl-\\"])
def test_a_terminal_that_ends_it(scene: Scene, how: str) -> None:
    """The terminal's window is closed, or its keys are pressed, in the middle of a renewal."""
    controller, terminal = os.openpty()
    with slow(scene.server) as come:
        process = subprocess.Popen(
            ["setsid", "--ctty", *COMMAND, "token"],
            env=scene.home.environ,
            cwd=scene.home.folder,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        try:
            assert come.wait(LONG)
            if how == "closed":
                os.close(controller)
            else:
                os.write(controller, b"\x03" if how == "Ctrl-C" else b"\x1c")
            status = process.wait(LONG)
        finally:
            process.kill()
            if how != "closed":
                os.close(controller)
        assert status == {"closed": -signal.SIGHUP, "Ctrl-C": 130, "Ctrl-\\": -signal.SIGQUIT}[how]
        come.answer.set()
        went_well(scene)


@pytest.mark.parametrize(
    ("name", "seconds"), [("TERM", "0.1"), ("TERM", "0.2"), ("TERM", "0.3"), ("KILL", "0.3"), ("INT", "0.5")]
)
def test_a_command_that_is_given_too_little_time(scene: Scene, name: str, seconds: str) -> None:
    """`timeout -s TERM 0.3 tokenctl token` costs no session, wherever the command is when its time is up."""
    with slow(scene.server) as come:
        done = subprocess.run(
            ["timeout", "-s", name, seconds, *COMMAND, "token"],
            env=scene.home.environ,
            cwd=scene.home.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (124, -9, 137) and done.stdout == "", done
        come.answer.set()
        went_well(scene)
