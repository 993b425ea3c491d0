"""The program that started this process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

CHILD = f"{sys.executable} -c 'from tokenctl.adapters.parent_process import name; print(name())'"


def named_by(*words: str) -> str:
    """Run a program that starts Python, and return the name that Python finds for it."""
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have no short name of a process")
@pytest.mark.parametrize("first", ["/bin/sh", "/bin/sh -e"])
@pytest.mark.parametrize("name", ["sync", "synchronize-all-the-photos"])
def test_a_script_is_named_itself(tmp_path: Path, name: str, first: str) -> None:
    """Its arguments are not, whatever they are."""
    script = tmp_path / name
    script.write_text(f"#!{first}\n{CHILD}\nexit $?\n")
    script.chmod(0o700)
    assert named_by(str(script), "secret") == name


@pytest.mark.skipif(sys.platform == "win32", reason="no such programs")
def test_another_program_is_named_by_its_executable() -> None:
    """A shell that runs what stands in an argument, and Python too."""
    assert named_by("/bin/sh", "-c", f"{CHILD}; exit $?", "secret") == Path("/bin/sh").resolve().name
    code = f"import subprocess; subprocess.run({CHILD!r}, shell=True)"
    assert named_by(sys.executable, "-c", code) == Path("/bin/sh").resolve().name
