"""pnpm gets its token from the helper: real ones of two generations, at a registry that gives nothing to anybody else."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import servers
from tests.handoff.conftest import Account
from tests.servers.faulty_server import FaultyServer
from tests.servers.package_registry import PackageRegistry
from tests.support.commandline import LONG
from tests.support.real_parts import Missing, available, program, without_settings

INSTALLED = Path(servers.__file__).parent / "pnpm" / "node_modules"


class Pnpm:
    """One pnpm with a home and a project of its own; nothing that it has downloaded is kept."""

    def __init__(self, words: Sequence[str], registry: PackageRegistry, folder: Path) -> None:
        self.registry = registry
        self._words = words
        self._folder = folder

    def run(self, registry: PackageRegistry | None = None) -> subprocess.CompletedProcess[str]:
        """Install the package into a new project, from this registry or another one."""
        self.registry.tokens.clear()
        project = self._folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        (project / "package.json").write_text('{"dependencies": {"demopkg": "1.0.0"}}')
        kept = [f"--{name}-dir={project / name}" for name in ("store", "cache")]
        index = f"--registry={(registry or self.registry).origin}/npm/"
        return subprocess.run(
            [*self._words, "install", "--no-lockfile", "--config.fetch-retries=0", index, *kept],
            capture_output=True,
            text=True,
            cwd=project,
            timeout=LONG,
        )


def words_of(name: str) -> Sequence[str]:
    """How a pnpm is called, or `Missing`."""
    pattern = "pnpm/bin/pnpm.cjs" if name == "pnpm 10" else "@pnpm/exe.*/pnpm"
    found = next(INSTALLED.glob(pattern), None)
    if found is None:
        raise Missing(f"no {name} in {INSTALLED}")
    return [program("node"), str(found)] if name == "pnpm 10" else [str(found)]


@pytest.fixture(params=["pnpm 10", "pnpm 12"])
def pnpm(
    request: pytest.FixtureRequest,
    account: Account,
    demo_server: FaultyServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pnpm]:
    """The program, set up for the registry."""
    with available():
        words = words_of(request.param)
    without_settings(monkeypatch, "NPM_", "PNPM_")
    with PackageRegistry(demo_server) as registry:
        account.tokenctl("helper", "install", "pnpm", "--host", registry.origin)
        yield Pnpm(words, registry, tmp_path)


def test_it_sends_a_good_token(account: Account, pnpm: Pnpm) -> None:
    """It is the session's, or a renewed one. A registry that is not set up gets none, and nobody does when there is none."""
    done = pnpm.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert pnpm.registry.sent == {account.session.access_token} and account.refreshes == 0

    account.age()
    done = pnpm.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(pnpm.registry.sent - {account.session.access_token}) == 1 and account.refreshes == 1

    with PackageRegistry(account.server) as other:
        done = pnpm.run(other)
        assert done.returncode != 0 and other.tokens and not other.sent

    account.server.kill_session()
    account.age()
    done = pnpm.run()
    assert done.returncode != 0 and not pnpm.registry.sent
