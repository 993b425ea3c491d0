"""Backends that keep the entries of all profiles in one file, with the real packages and real processes."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.commandline import LONG
from tests.support.paths import ROOT

PROFILES, ROUNDS = 6, 8
WRITER = """
import os, sys
from tests.support.sessions import session
from tokenctl.storage.backends import open_keyring
from tokenctl.storage.patience import Patience

backend, profile, rounds = sys.argv[1:]
store = open_keyring(os.environ, "keyring", backend, Patience(seconds=120))
for generation in range(1, int(rounds) + 1):
    store.write(profile, session(generation))
    found = store.read(profile)
    assert found == session(generation), (profile, generation, found)
"""
READER = """
import os, sys
from tokenctl.storage.backends import open_keyring
from tokenctl.storage.patience import Patience

store = open_keyring(os.environ, "keyring", sys.argv[1], Patience(seconds=120))
found = [store.read(profile) for profile in sys.argv[2:]]
print([each and each.generation for each in found])
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tests.support.file_rings.Alt", "tests.support.file_rings.Crypt"])
def test_profiles_lose_none_of_each_others_entries(tmp_path: Path, backend: str) -> None:
    """Six processes write six entries of one file at the same time, and each is there at every moment."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "XDG_DATA_HOME": str(tmp_path / "share"),
        "TOKENCTL_STATE_DIR": str(tmp_path / "state"),
    }
    names = [f"p{number}" for number in range(PROFILES)]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-P", "-c", WRITER, backend, name, str(ROUNDS)],
                    env=environ,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for name in names
        ]
        said = [writer.communicate(timeout=LONG)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * PROFILES, said
    read = subprocess.run(
        [sys.executable, "-P", "-c", READER, backend, *names], env=environ, capture_output=True, text=True, check=True
    )
    assert json.loads(read.stdout) == [ROUNDS] * PROFILES
