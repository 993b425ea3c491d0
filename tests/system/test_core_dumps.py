"""No memory of a process that holds tokens is written to a disk, and a command run by `exec` keeps its caller's limit."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.killing.scene import Scene, wait_until
from tests.support.commandline import COMMAND, LONG, Home
from tests.support.demo_server import Make
from tests.system.test_signals import slow

if sys.platform == "win32":
    pytest.skip("limits of POSIX", allow_module_level=True)

import resource

UNLIMITED = resource.RLIM_INFINITY
ABORTS = [signal.SIGABRT, signal.SIGQUIT, signal.SIGSEGV]
LIMITED = ["sh", "-c", 'ulimit -S -c "$1"; shift; exec "$@"', "sh"]


@pytest.fixture
def scene(tmp_path: Path, make_server: Make) -> Scene:
    """Somebody whose access token has expired, in a place where an ordinary process that aborts leaves a core dump."""
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != UNLIMITED:
        pytest.skip("core dumps are limited here")
    scene = Scene(tmp_path / "scene", make_server())
    control = subprocess.Popen([*LIMITED, "unlimited", "sh", "-c", "kill -ABRT $$"], cwd=scene.home.folder)
    _, status = os.waitpid(control.pid, 0)
    control.returncode = status
    if not dumps(scene.home):
        pytest.skip("an ordinary process leaves no core dump here")
    for each in dumps(scene.home):
        each.unlink()
    scene.age()
    return scene


def dumps(home: Home) -> list[Path]:
    """Find the core dumps below a HOME, where its processes run."""
    return [each for each in home.folder.rglob("core*") if each.is_file()]


def started(scene: Scene, *words: str) -> "subprocess.Popen[bytes]":
    """Start a command that may dump as much as it likes."""
    return subprocess.Popen(
        [*LIMITED, "unlimited", *COMMAND, *words],
        env=scene.home.environ,
        cwd=scene.home.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("number", ABORTS, ids=lambda each: each.name)
def test_a_renewal_that_is_aborted_leaves_no_core_dump(scene: Scene, number: signal.Signals) -> None:
    """Neither the command that waits nor the worker that has the refresh token."""
    with slow(scene.server) as come, started(scene, "token") as process:
        assert come.wait(LONG)
        worker = scene.worker()
        assert worker is not None
        process.send_signal(number)
        assert process.wait(LONG) == -number
        os.kill(worker, number)
        wait_until(lambda: scene.worker() is None)
    assert dumps(scene.home) == []


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV], ids=lambda each: each.name)
def test_the_keeper_of_a_token_file_leaves_no_core_dump(scene: Scene, number: signal.Signals) -> None:
    """It holds tokens for as long as its command runs, also after it has started the command."""
    child = "touch started; while test -e started; do sleep 0.05; done"
    with started(scene, "exec", "--token-file", "--", "sh", "-c", child) as process:
        wait_until((scene.home.folder / "started").exists)
        process.send_signal(number)
        assert process.wait(LONG) == -number
    (scene.home.folder / "started").unlink()
    assert dumps(scene.home) == []


@pytest.mark.parametrize("words", [(), ("--token-file",)], ids=["exec", "token file"])
@pytest.mark.parametrize("limit", [0, 4096, UNLIMITED])
def test_the_command_has_its_callers_own_limit(
    home: Home, make_server: Make, words: tuple[str, ...], limit: int
) -> None:
    """The soft limit and the hard one are as without tokenctl."""
    assert home.login(make_server().issuer).status == 0
    ask = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] != UNLIMITED:
        pytest.skip("core dumps are limited here")
    resource.setrlimit(resource.RLIMIT_CORE, (limit, before[1]))
    try:
        assert home.run("exec", *words, "--", sys.executable, "-c", ask).stdout.strip() == str((limit, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
