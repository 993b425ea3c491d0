"""The name of the program that asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from tokenctl.adapters import parent_process

ASK = "from tokenctl.adapters import parent_process; print(parent_process.name())"
CHILD = f"'{sys.executable}' -c '{ASK}'; true"  # `true`: else the shell becomes Python


def named_by(*words: str) -> str:
    """Run a program that starts Python, and return the name that Python finds for it."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_the_parent_is_named_by_its_executable() -> None:
    """Without its arguments, which can hold a secret."""
    shell = Path("/bin/sh").resolve().name
    assert named_by("/bin/sh", "-c", CHILD, "s3cr3t") == shell
    assert (
        named_by(sys.executable, "-c", f"import subprocess; subprocess.run({CHILD!r}, shell=True)", "s3cr3t") == shell
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms tell no short name of a process")
@pytest.mark.parametrize("first", ["/bin/sh", "/bin/sh -e"])
@pytest.mark.parametrize("name", ["sync", "synchronize-all-the-photos"])
def test_a_script_is_named_itself_and_not_its_interpreter(tmp_path: Path, name: str, first: str) -> None:
    """Where it was started by its own name; its arguments are not looked at."""
    script = tmp_path / name
    script.write_text(f"#!{first}\n{CHILD}\n")
    script.chmod(0o700)
    assert named_by(str(script), "s3cr3t") == name


def test_a_parent_without_an_executable_is_named_by_the_kernel() -> None:
    """Or is not known; it is no error."""
    assert parent_process.name() != ""
