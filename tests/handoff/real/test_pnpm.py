"""pnpm gets its token from the helper: real ones of two generations, at a registry that gives nothing to anybody else."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import servers
from tests.handoff.conftest import Account
from tests.servers.faulty_server import FaultyServer
from tests.servers.package_registry import PackageRegistry
from tests.support.commandline import COMMAND, LONG
from tests.support.real_parts import Missing, available, program

INSTALLED = Path(servers.__file__).parent / "pnpm" / "node_modules"


class Pnpm:
    """One pnpm with a home and a project of its own; nothing that it has downloaded is kept."""

    def __init__(self, words: Sequence[str], registry: PackageRegistry, folder: Path) -> None:
        self.registry = registry
        self._words = words
        self._folder = folder
        helper, index = folder / "token-helper", f"{registry.origin}/npm/"
        helper.write_text(f'#!/bin/sh\nexec {shlex.join((*COMMAND, "helper", "pnpm", "-p", "t"))} "$@"\n')
        helper.chmod(0o700)
        (folder / ".npmrc").write_text(f"registry={index}\n{index.removeprefix('http:')}:tokenHelper={helper}\n")

    def run(self) -> subprocess.CompletedProcess[str]:
        """Install the package into a new project."""
        self.registry.tokens.clear()
        project = self._folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        (project / "package.json").write_text('{"dependencies": {"demopkg": "1.0.0"}}')
        kept = [f"--{name}-dir={project / name}" for name in ("store", "cache")]
        environ = {name: value for name, value in os.environ.items() if not name.lower().startswith("npm_")}
        return subprocess.run(
            [*self._words, "install", "--no-lockfile", "--config.fetch-retries=0", *kept],
            env=environ | {"HOME": str(self._folder), "XDG_CONFIG_HOME": str(self._folder / "config")},
            capture_output=True,
            text=True,
            cwd=project,
            timeout=LONG,
        )

    @property
    def sent(self) -> set[str]:
        """The tokens that reached the registry."""
        return {each for each in self.registry.tokens if each is not None}


def words_of(name: str) -> Sequence[str]:
    """How a pnpm is called, or `Missing`."""
    pattern = "pnpm/bin/pnpm.cjs" if name == "pnpm 10" else "@pnpm/exe.*/pnpm"
    found = next(INSTALLED.glob(pattern), None)
    if found is None:
        raise Missing(f"no {name} in {INSTALLED}")
    return [program("node"), str(found)] if name == "pnpm 10" else [str(found)]


@pytest.fixture(params=["pnpm 10", "pnpm 12"])
def pnpm(request: pytest.FixtureRequest, account: Account, demo_server: FaultyServer, tmp_path: Path) -> Iterator[Pnpm]:
    """The program, and the registry; the helper is called with `-p`, so that the profile needs no binding."""
    with available():
        words = words_of(request.param)
    with PackageRegistry(demo_server) as registry:
        yield Pnpm(words, registry, tmp_path)


def test_it_sends_a_good_token(account: Account, pnpm: Pnpm) -> None:
    """It is the session's, or a renewed one; without one nothing is sent, and pnpm does not show why."""
    done = pnpm.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert pnpm.sent == {account.session.access_token} and account.refreshes == 0

    account.age()
    done = pnpm.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(pnpm.sent - {account.session.access_token}) == 1 and account.refreshes == 1

    account.server.kill_session()
    account.age()
    done = pnpm.run()
    assert done.returncode != 0 and not pnpm.sent
