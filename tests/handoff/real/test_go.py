"""Go gets its tokens by GOAUTH: the real program, at a module proxy that gives nothing to anybody without a good token."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.servers.faulty_server import FaultyServer
from tests.servers.package_registry import MODULE, PackageRegistry
from tests.support.commandline import LONG, Started
from tests.support.real_parts import available, script, without_settings


class Go:
    """Go with nothing of its own kept, so that each run downloads the module again."""

    def __init__(self, registry: PackageRegistry, folder: Path, ca_file: Path) -> None:
        self.registry = registry
        self._folder = folder
        self._runs = 0
        with available():
            self._words = (script("go"), "mod", "download", "-x")
        self._environ = {
            **os.environ,
            "GOPROXY": registry.origin,
            "SSL_CERT_FILE": str(ca_file),
            **{"GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw"},
        }

    def start(self, version: str = "v1.0.0") -> Started:
        """Start a download, for a `with` block."""
        self._runs += 1
        folder = self._folder / str(self._runs)
        return Started(
            [*self._words, f"{MODULE}@{version}"],
            env=self._environ | {"GOMODCACHE": str(folder / "mod"), "GOCACHE": str(folder / "cache")},
            cwd=self._folder,
            text=True,
            stderr=subprocess.PIPE,
        )

    def run(self, version: str = "v1.0.0") -> tuple[bool, str]:
        """Download the module; tell whether that went well, and what was said."""
        self.registry.tokens.clear()
        with self.start(version) as process:
            _, said = process.communicate(timeout=LONG)
        return process.returncode == 0, said


@pytest.fixture
def go(account: Account, demo_server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Go]:
    """Go, set up for the proxy, to which the account's profile is bound."""
    without_settings(monkeypatch, "GO")
    with PackageRegistry(demo_server, tmp_path / "ca.pem") as registry:
        account.tokenctl("helper", "install", "go", "--host", registry.origin)
        yield Go(registry, tmp_path, tmp_path / "ca.pem")


def test_it_sends_a_good_token(account: Account, go: Go) -> None:
    """It is the session's, or a renewed one. A version that is not there renews nothing."""
    well, said = go.run()
    assert well, said
    assert go.registry.sent == {account.session.access_token}
    well, said = go.run("v1.0.1")
    assert not well and "404" in said and account.refreshes == 0

    account.age()
    well, said = go.run()
    assert well, said
    assert len(go.registry.sent - {account.session.access_token}) == 1 and account.refreshes == 1


def test_a_token_that_is_refused_is_renewed_once(account: Account, go: Go) -> None:
    """Also for several processes that are refused with it at the same time; none of them fails."""
    go.registry.refused.add(account.session.access_token)
    with ExitStack() as stack:
        started = [stack.enter_context(go.start()) for _ in range(2)]
        for process in started:
            _, said = process.communicate(timeout=LONG)
            assert process.returncode == 0, said
    assert len(go.registry.sent - go.registry.refused) == 1 and account.refreshes == 1


def test_without_a_token_nothing_is_sent(account: Account, go: Go) -> None:
    """With -x Go shows why there is none: for a session that is dead, but not for a proxy that is not bound."""
    account.server.kill_session()
    account.age()
    well, said = go.run()
    assert not well and not go.registry.sent and "run 'tokenctl login -p t'" in said

    account.tokenctl("profile", "set", "t", f"hosts-={go.registry.origin}")
    well, said = go.run()
    assert not well and not go.registry.sent and "tokenctl:" not in said
