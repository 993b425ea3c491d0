"""A renewal needs a little space, and a folder that can be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.conftest import Setup
from tests.support.paths import ROOT
from tokenctl.doctor import disk

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.support.sessions import session
from tokenctl.doctor import disk
from tokenctl.doctor.case import Case
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
case = Case(runtime=Runtime({}), name=None, asks_server=True)
for each in (case, replace(case, asks_server=False, profile=Profile(name="t"), session=session())):
    for found in disk.look("state", each, Path(sys.argv[1])):
        print(found.status, found.exit_status, found.sentence, found.remedy)
"""


def test_a_disk_with_space(setup: Setup, tmp_path: Path) -> None:
    """Nothing is said, also where the folder is not there yet."""
    assert not [*disk.look("state", setup.case(), tmp_path / "a" / "b")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("size=32k", "is full"),
        ("size=16m,nr_inodes=1", "is full"),
        ("ro", "cannot be written"),
        ("size=512k", "has 512 KiB left"),
    ],
)
def test_a_disk_that_has_none(tmp_path: Path, options: str, said: str) -> None:
    """A renewal would end with 3 before its request; as long as the token lives, it is a warning."""
    mount = f"mount -t tmpfs -o mode=700,{options} tmpfs {tmp_path}"
    script = f"{mount} && exec {sys.executable} -P -c '{SCRIPT}' {tmp_path}"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    if done.stderr.startswith(("unshare:", "mount:")):
        pytest.skip(f"no mounts here: {done.stderr}")
    first, second = done.stdout.splitlines()
    assert said in first and said in second
    assert first.startswith("warning 0" if "left" in said else "failed 3") and second.startswith("warning 0")
    assert "refresh" not in first and ("'tokenctl refresh -p t'" in second) == ("left" not in said)


def test_a_limit_of_the_size_of_files(setup: Setup, tmp_path: Path) -> None:
    """A renewal would end with 3, as on a full disk."""
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; "$@" | cat', "sh", sys.executable, "-P", "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    first, second = done.stdout.splitlines()
    assert first.startswith("failed 3") and second.startswith("warning 0") and "as large as" in first
