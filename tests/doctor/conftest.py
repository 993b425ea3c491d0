"""A profile of a config file, whose session is in a keyring of the tests: what the doctor looks at."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.flows import SetClock
from tests.support.ring import Ring
from tests.support.sessions import session
from tokenctl.doctor.case import Case, case_of
from tokenctl.fast_path import JOBS
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

RING = f"{Ring.__module__}.Ring"
NOW = int(time.time())


class Setup:
    """The config file, the state directory and the keyring of one test."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "config.toml"
        self.state = folder / "state"
        alone = {name: value for name, value in os.environ.items() if name not in JOBS}
        self.environ = {**alone, "TOKENCTL_CONFIG": str(self.config), "TOKENCTL_STATE_DIR": str(self.state)}
        self.write("t")

    def write(self, *names: str, head: str = "", more: str = "") -> None:
        """Write the config file, with a profile of each name."""
        table = f'issuer = "https://a.example"\nclient_id = "c"\nkeyring_backend = "{RING}"\n{more}'
        self.config.write_text(head + "".join(f"[profiles.{name}]\n{table}\n" for name in names))

    def runtime(self, environ: Mapping[str, str] = {}) -> Runtime:
        """Make a run whose clock stands still."""
        return Runtime({**self.environ, **environ}, clock=SetClock(lambda: NOW))

    def sign_in(self, left: int = 900, **members: Any) -> Session:
        """Keep a session whose access token lives `left` seconds, as a login does."""
        runtime = self.runtime()
        vault = vaults.open_for_login(runtime, runtime.profile("t"))
        usual: dict[str, Any] = {"obtained_at": NOW - 3600, "expires_at": NOW + left, "requested_scope": ""}
        made = vault.adopt(session(**usual | members))
        vault.keep(made)
        return made

    def vault(self) -> vaults.Vault:
        """Open the vault as a command that renews does."""
        runtime = self.runtime()
        return vaults.open(runtime, runtime.profile("t"))

    def case(self, name: str | None = None, environ: Mapping[str, str] = {}, *, offline: bool = False) -> Case:
        """Make the doctor's case."""
        return case_of(self.runtime(environ), name, offline=offline)


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """A profile `t`, to which nobody is signed in."""
    monkeypatch.setenv("TEST_RING", str(tmp_path / "ring.json"))
    return Setup(tmp_path)
