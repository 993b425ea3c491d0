<<<<<<< HEAD
"""The program that started this process."""
=======
"""The name of the program that asks."""
>>>>>>> d1d0b4cb463338132ef826ed397b76145dd5f902

import subprocess
import sys
from pathlib import Path

<<<<<<< HEAD
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
=======
from tokenctl.adapters import parent_process

ASK = "from tokenctl.adapters import parent_process; print(parent_process.name())"


def test_the_parent_is_named_by_its_executable() -> None:
    """Without its arguments, which can hold a secret."""
    shell = f"'{sys.executable}' -c '{ASK}'; true"  # `true`: else the shell becomes Python
    found = subprocess.run(
        ["/bin/sh", "-c", shell, "s3cr3t"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert found == Path("/bin/sh").resolve().name


def test_a_parent_without_an_executable_is_named_by_the_kernel() -> None:
    """Or is not known; it is no error."""
    assert parent_process.name() != ""
>>>>>>> d1d0b4cb463338132ef826ed397b76145dd5f902
