"""Work that survives its caller."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commandline import LONG
from tests.support.paths import ROOT
from tokenctl.adapters import worker_process as detached
from tokenctl.adapters.signals import postponed

pytestmark = pytest.mark.skipif(not detached.POSSIBLE, reason="there are no workers here")

WORKER = """
import os, signal, sys, time
from pathlib import Path
folder, task = Path(os.environ["FOLDER"]), sys.stdin.buffer.read().decode()
(folder / "begun").write_text(f"{os.getpid()} {os.getsid(0)}")
while (folder / "wait").exists():
    time.sleep(0.01)
(folder / "done").write_text(task, encoding="utf-8")
sys.stdout.buffer.write(task.upper().encode())
main = lambda: None
"""
CALLER = """
import os, sys
from pathlib import Path
from tokenctl.adapters import worker_process as detached
from tokenctl.storage.lock import exclusive
with exclusive(Path(os.environ["FOLDER"]) / "lock") as lock:
    worker = detached.Worker("throwaway", os.environ, lock)
    print(worker.work("the task"), flush=True)
"""


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment in which `throwaway` is a module, for this process and for a CALLER."""
    (tmp_path / "throwaway.py").write_text(WORKER)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lock").touch(0o600)
    return {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "FOLDER": str(tmp_path)}


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold a lock, for its descriptor."""
    descriptor = os.open(folder / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def is_free(folder: Path) -> bool:
    """Tell whether nobody holds the lock."""
    try:
        with locked(folder):
            return True
    except BlockingIOError:
        return False


def until(path: Path) -> None:
    """Wait for a file."""
    end = time.monotonic() + LONG
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.01)


def test_a_worker_gets_its_task_and_answers(tmp_path: Path, environ: dict[str, str]) -> None:
    """Through pipes, in a session of its own, however long the task is."""
    with locked(tmp_path) as lock:
        assert detached.Worker("throwaway", environ, lock).work("ä" * 200_000) == "Ä" * 200_000
    process, group = (tmp_path / "begun").read_text().split()
    assert process == group != str(os.getsid(0))


def test_a_worker_that_is_not_needed_keeps_no_lock(tmp_path: Path, environ: dict[str, str]) -> None:
    """It is gone when it is dismissed, even if it ignores signals; one that got its task is left alone."""
    (tmp_path / "throwaway.py").write_text(
        "import signal; [signal.signal(each, signal.SIG_IGN) for each in (1, 2, 15)]\n" + WORKER
    )
    with locked(tmp_path) as lock:
        worker = detached.Worker("throwaway", environ, lock)
        worker.dismiss()
        worker.dismiss()
    assert is_free(tmp_path) and not (tmp_path / "done").exists()
    with locked(tmp_path) as lock:
        worker = detached.Worker("throwaway", environ, lock)
        assert worker.work("task") == "TASK"
        worker.dismiss()


def test_a_worker_whose_caller_ended_before_it_gave_the_task_ends_too(tmp_path: Path, environ: dict[str, str]) -> None:
    """It has nothing to do, and the lock is free then."""
    idle = CALLER.replace('print(worker.work("the task"), flush=True)', "os.kill(os.getpid(), 9)")
    with subprocess.Popen([sys.executable, "-c", idle], env=environ, stderr=subprocess.DEVNULL) as caller:
        assert caller.wait(LONG) == -signal.SIGKILL
    end = time.monotonic() + LONG
    while not is_free(tmp_path):
        assert time.monotonic() < end, "the lock was never freed"
        time.sleep(0.01)


def test_a_fork_of_its_caller_keeps_no_worker_waiting(tmp_path: Path, environ: dict[str, str]) -> None:
    """A program with threads can fork while a worker waits for its task: the worker sees the task's end all the same."""
    forking = CALLER.replace(
        "    print(", "    if os.fork() == 0:\n        sys.stdin.read()\n        os._exit(0)\n    print("
    )
    with subprocess.Popen(
        [sys.executable, "-c", forking], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout is not None and caller.stdin is not None
        assert caller.stdout.readline() == "THE TASK\n"
        assert caller.wait(LONG) == 0 and is_free(tmp_path)
        caller.stdin.close()  # which ends the fork


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_outlives_its_caller_and_keeps_the_lock(tmp_path: Path, environ: dict[str, str], number: int) -> None:
    """Whoever ends the caller, or its whole process group, frees nothing before the work is done."""
    (tmp_path / "wait").touch()
    words = [sys.executable, "-c", CALLER]
    with subprocess.Popen(words, env=environ, stderr=subprocess.DEVNULL, start_new_session=True) as caller:
        until(tmp_path / "begun")
        os.killpg(caller.pid, number)
        assert caller.wait(LONG) != 0
    assert not is_free(tmp_path) and not (tmp_path / "done").exists()
    (tmp_path / "wait").unlink()
    until(tmp_path / "done")
    assert (tmp_path / "done").read_text() == "the task"
    end = time.monotonic() + LONG
    while not is_free(tmp_path):
        assert time.monotonic() < end, "the lock was never freed"
        time.sleep(0.01)


@pytest.mark.parametrize(
    "program", ["raise SystemExit(1)", "import os; print('half', flush=True); os.kill(os.getpid(), 9)", "syntax error"]
)
def test_a_worker_that_dies_is_one_that_contact_was_lost_with(
    tmp_path: Path, environ: dict[str, str], program: str
) -> None:
    """What it had said by then does not count."""
    (tmp_path / "throwaway.py").write_text(program)
    with locked(tmp_path) as lock, pytest.raises(detached.LostContact):
        detached.Worker("throwaway", environ, lock).work("x" * 200_000)
    assert is_free(tmp_path)


def test_a_worker_that_is_not_there_is_one_that_died(tmp_path: Path, environ: dict[str, str]) -> None:
    """A module that cannot be found, in an interpreter that was started."""
    with locked(tmp_path) as lock, pytest.raises(detached.LostContact):
        detached.Worker("no_such_module", environ, lock).work("x")


def test_an_interpreter_that_cannot_be_started_did_nothing(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as in a program that embeds Python: the caller may do the work itself."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with locked(tmp_path) as lock, pytest.raises(detached.NotStarted, match="No such file"):
        detached.Worker("throwaway", environ, lock).work("x")


@pytest.mark.parametrize("unknown", [None, ""])
def test_an_interpreter_that_is_not_known_cannot_be_started(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, unknown: str | None
) -> None:
    """A program that embeds Python may not say where one is."""
    monkeypatch.setattr(sys, "executable", unknown)
    with locked(tmp_path) as lock, pytest.raises(detached.NotStarted, match="not known"):
        detached.Worker("throwaway", environ, lock).work("x")


def test_a_worker_knows_nothing_of_where_it_was_started(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No module is loaded from the current directory, and no other descriptor is inherited."""
    (tmp_path / "throwaway.py").write_text(
        "import os, sys; print('' in sys.path, os.getcwd() in sys.path, os.path.exists(f'/dev/fd/{sys.stdin.read()}'))\n"
        "main = lambda: None"
    )
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    other = os.open(tmp_path / "lock", os.O_RDONLY)
    os.set_inheritable(other, True)
    try:
        with locked(tmp_path) as lock:
            assert detached.Worker("throwaway", environ, lock).work(str(other)) == "False False False\n"
    finally:
        os.close(other)


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
PUT_OFF = """
import os, signal, sys, time
from tokenctl.adapters.signals import postponed
number, action = int(sys.argv[1]), sys.argv[2]
if action == "ignored":
    signal.signal(number, signal.SIG_IGN)
if action == "handled":
    signal.signal(number, lambda *_: print("handled"))
with postponed():
    print("in", flush=True)
    sys.stdin.readline()
    print("end", flush=True)
print("after", flush=True)
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("action", ["default", "handled", "ignored"])
def test_signals_come_after_the_block_and_not_in_it(number: int, action: str) -> None:
    """Each with the effect that it would have had."""
    words = [sys.executable, "-c", PUT_OFF, str(int(number)), action]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "in\n"
        process.send_signal(number)
        process.send_signal(number)
        time.sleep(0.1)
        assert process.poll() is None
        said, _ = process.communicate("\n", timeout=LONG)
    if action == "default":
        assert (said, process.returncode) == ("end\n", -number)
    else:
        assert (
            said == {"handled": "end\nhandled\nafter\n", "ignored": "end\nafter\n"}[action] and process.returncode == 0
        )


def test_the_handlers_are_as_they_were() -> None:
    """After the block, however it ends."""
    before = [signal.getsignal(each) for each in SIGNALS]
    within = []
    with contextlib.suppress(KeyError), postponed():
        within = [signal.getsignal(each) for each in SIGNALS]
        raise KeyError
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert not {*within} & {*before}


def poison(folder: Path) -> str:
    """Make a folder of modules that end whoever imports one; all are loaded while a worker starts, or while it works."""
    folder.mkdir()
    for name in ("runpy", "sitecustomize", "usercustomize", "json", "dataclasses", "enum", "typing", "httpx", "click"):
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name} of another program')\n")
    return str(folder)


VARIABLES = {
    "PYTHONPATH": "poison",
    "PYTHONIOENCODING": "utf-16",
    "PYTHONUTF8": "0",
    "LC_ALL": "C",
    "LANG": "de_DE.ISO-8859-1",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONSTARTUP": "/no/such/file",
    "PYTHONHOME": "/no/such/folder",
    "PYTHONPLATLIBDIR": "nothing",
    "PYTHONWARNINGS": "error",
    "PYTHONDEVMODE": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONINSPECT": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONBREAKPOINT": "no.such.thing",
    "PYTHONMALLOC": "no such one",
    "PYTHONHASHSEED": "no number",
    "PYTHONTRACEMALLOC": "no number",
    "PYTHONINTMAXSTRDIGITS": "no number",
}


@pytest.mark.parametrize("name", VARIABLES)
def test_no_variable_disturbs_a_worker(tmp_path: Path, environ: dict[str, str], name: str) -> None:
    """Each of these ends an ordinary interpreter, changes what it imports or says, or breaks its pipes."""
    (tmp_path / "throwaway.py").write_text("import dataclasses, enum, typing, json, httpx, click, sys\n" + WORKER)
    environ[name] = poison(tmp_path / "poison") if name == "PYTHONPATH" else VARIABLES[name]
    with locked(tmp_path) as lock:
        assert detached.Worker("throwaway", environ, lock).work("dürfen €😀") == "DÜRFEN €😀"


def test_the_search_path_is_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute entries in their order; those of PYTHONPATH last, but not the folder of the package itself."""
    monkeypatch.chdir(tmp_path)
    path = ["", "/script", ".", "relative", "/other", detached.PACKAGE_PATH, "/lib/python", "/user", "/site"]
    environ = {"PYTHONPATH": f"/other:{detached.PACKAGE_PATH}::/absent"}
    expected = ["/script", detached.PACKAGE_PATH, "/lib/python", "/user", "/site", "/other"]
    assert detached.search_path(path, environ) == expected
    assert detached.search_path(["/lib"], {}) == ["/lib", detached.PACKAGE_PATH]
    assert detached.search_path([str(tmp_path), "/lib"], {})[0] == str(tmp_path)  # no PYTHONPATH names nothing


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a current directory go")
@pytest.mark.parametrize("pythonpath", [None, ":relative"])
def test_a_worker_needs_no_current_directory(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, pythonpath: str | None
) -> None:
    """It can have been removed: by a build that cleans up, for one."""
    environ.pop("PYTHONPATH")
    environ |= {"PYTHONPATH": pythonpath} if pythonpath else {}
    monkeypatch.syspath_prepend("")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with locked(tmp_path) as lock:
        assert detached.Worker("throwaway", environ, lock).work("task") == "TASK"
