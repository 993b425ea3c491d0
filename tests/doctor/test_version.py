"""Which tokenctl answers."""

import platform
import sys

import tokenctl
from tests.doctor.conftest import Setup
from tokenctl.doctor import version


def test_version_python_and_how_it_is_installed(setup: Setup) -> None:
    """All that a bug report needs; from the source folder, as the tests run it."""
    found, *others = version.look(setup.case())
    assert found.status == "ok" and not others
    assert found.sentence.startswith(f"tokenctl {tokenctl.__version__} on {platform.python_implementation()} ")
    assert found.more["executable"] == sys.executable and "installed" in found.more
