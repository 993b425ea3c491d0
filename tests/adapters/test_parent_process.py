"""The name of the program that asks."""

import subprocess
import sys
from pathlib import Path

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
