"""A person with two profiles, whose configuration files of other programs are changed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.config_files import ORIGIN
from tokenctl.config import config_file
from tokenctl.demo.commands import temporary_environment
from tokenctl.handoff.clients import client, installing
from tokenctl.handoff.clients.changes import Asked, Change
from tokenctl.runtime import Runtime

CONFIG = '[profiles.t]\nissuer = "https://login.example.com"\nclient_id = "c"\n\n[profiles.u]\nissuer = "https://u.example.com"\nclient_id = "c"\n'


@dataclass(frozen=True, kw_only=True)
class Person:
    """A HOME with a config file of ours."""

    home: Path
    runtime: Runtime

    def write(self, name: str, content: bytes | None) -> Path:
        """Write the configuration file of a client, and return its path."""
        path = client(name).path(self.runtime.environ)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
            path.chmod(0o640)
        return path

    def install(self, name: str, origin: str = ORIGIN, **more: object) -> Change:
        """Set a client up."""
        return installing.install(self.runtime, Asked(client=name, origin=origin, **{"profile": "t", **more}))  # type: ignore[arg-type]

    def uninstall(self, name: str, origin: str = ORIGIN, profile: str | None = None) -> list[Change]:
        """Take our helper out."""
        return installing.uninstall(self.runtime, Asked(client=name, origin=origin, profile=profile))

    def hosts(self, profile: str = "t") -> tuple[str, ...]:
        """Tell what the config file has now."""
        return config_file.load(self.runtime.environ).profiles[profile].hosts

    def contents(self) -> dict[str, bytes]:
        """Read every file of the person, and the mode of each; our config file and locks are not theirs."""
        return {
            str(path.relative_to(self.home)): path.read_bytes() if path.is_file() else b"(folder)"
            for path in sorted(self.home.rglob("*"))
            if ".ours" not in path.parts
        }


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A person who has profiles `t` and `u`, and no helper."""
    ours = tmp_path / ".ours"
    ours.mkdir()
    environ = {
        name: value for name, value in temporary_environment({}, ours).items() if name.startswith("TOKENCTL_")
    } | {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    (ours / "config.toml").write_text(CONFIG)
    monkeypatch.setenv("HOME", str(tmp_path))  # for a client's own programs
    return Person(home=tmp_path, runtime=Runtime(environ))
