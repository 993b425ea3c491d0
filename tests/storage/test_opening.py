"""The table of stores has every kind that outlives a process, and no other kind falls into it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ring
from tests.support.commandline import LONG
from tokenctl.errors import UsageError
from tokenctl.model.choices import LASTING_STORES
from tokenctl.model.profile import Profile
from tokenctl.runtime import Runtime
from tokenctl.storage.opening import open_store

PROFILE = Profile(name="t")


@pytest.mark.parametrize("kind", [kind for kind in LASTING_STORES if kind != "session"])
def test_every_kind_can_be_opened(tmp_path: Path, kind: str) -> None:
    """Each store says its own kind."""
    backend = f"{ring.__name__}.{ring.Ring.__qualname__}"
    assert open_store(Runtime({}), PROFILE, tmp_path, kind, backend).kind == kind


@pytest.mark.parametrize("kind", ["database", "memory", ""])
def test_an_unknown_kind_is_refused(tmp_path: Path, kind: str) -> None:
    """It is not taken for the OS keyring."""
    with pytest.raises(UsageError, match="knows no store"):
        open_store(Runtime({}), PROFILE, tmp_path, kind, None)


def test_without_the_d_bus_library_nothing_is_read_ahead() -> None:
    """Only Linux has it; elsewhere each session is read alone, and each group is gone through."""
    program = (
        "import sys; sys.modules['jeepney'] = None\n"
        "from tokenctl.runtime import Runtime; from tokenctl.storage.opening import read_ahead\n"
        "print(list(read_ahead(Runtime({}), iter([[], []]))))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LONG)
    assert said.stdout == "[None, None]\n"


def test_who_only_looks_waits_for_no_lock_of_a_file_of_all_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store reads, and makes no folder for the lock that its writers take."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    password = {"KEYRING_PROPERTY_KEYRING_KEY": "throw-away"}  # it would be asked for at a terminal
    runtime = Runtime({"TOKENCTL_STATE_DIR": str(tmp_path / "state"), **password})
    runtime.look_only()
    store = open_store(runtime, Profile(name="t"), tmp_path, "keyring", "tests.support.file_rings.Alt")
    assert store.read("t") is None and not (tmp_path / "state").exists()
