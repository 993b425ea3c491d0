"""What the helpers remember: nothing stays for ever, and what is still needed stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tokenctl.handoff.helpers import again, remembered
from tokenctl.runtime import Runtime

TOKEN = again.Remembered(1, 2, 3, 4)
LATELY, LONG_AGO, DAYS_AGO = 60, 3600, 100_000
"""Seconds since a file was written."""


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    """A run whose state directory is a new one."""
    return Runtime({"TOKENCTL_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)})


def left(runtime: Runtime, name: str, age: int) -> Path:
    """Leave a file as it was written `age` seconds ago."""
    remembered.write(runtime, name, TOKEN)
    path = Path(remembered.folder(runtime), name)
    os.utime(path, (time.time() - age,) * 2)
    return path


def swept(runtime: Runtime, *, ago: int) -> None:
    """Say when the folder was looked through."""
    os.utime(Path(remembered.folder(runtime), "swept"), (time.time() - ago,) * 2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells who asks")
def test_the_files_of_clients_that_do_not_ask_again_are_removed(runtime: Runtime) -> None:
    """A process that has ended, and one that asked days ago; not what is noted of a profile."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    kept = [
        left(runtime, f"client.{os.getpid()}-1.0000000a", LONG_AGO),
        left(runtime, f"client.{ended.pid}-1.0000000b", LATELY),
        left(runtime, "refused.client.x", DAYS_AGO),
    ]
    removed = [
        left(runtime, f"client.{ended.pid}-1.0000000c", LONG_AGO),
        left(runtime, f"client.{os.getpid()}-1.0000000d", DAYS_AGO),
        left(runtime, "client.new.0000000e", DAYS_AGO),
    ]
    assert all(each.exists() for each in [*kept, *removed])
    swept(runtime, ago=LONG_AGO)
    remembered.write(runtime, "refused.t", TOKEN)
    assert [each.exists() for each in [*kept, *removed]] == [True] * 3 + [False] * 3


def test_the_folder_is_not_looked_through_at_each_call(runtime: Runtime) -> None:
    """A folder with very many files does not make each answer slow. A clock that was set back does not stop it."""
    old = left(runtime, "client.1-1.0000000a", DAYS_AGO)
    remembered.write(runtime, "refused.t", TOKEN)
    assert old.exists()
    swept(runtime, ago=-DAYS_AGO)
    remembered.write(runtime, "refused.t", TOKEN)
    assert not old.exists()
