"""kubectl gets its token from the helper: the real program, at a server that lets in nobody without a good token."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.servers.cloud_api import CloudApi
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import COMMAND, LONG
from tests.support.real_parts import available, program


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with a kubeconfig of its own."""

    program: str
    config: Path

    def run(self) -> subprocess.CompletedProcess[str]:
        """Ask the server for its version."""
        words = [self.program, "--kubeconfig", str(self.config), "get", "--raw", "/version"]
        return subprocess.run(words, capture_output=True, text=True, timeout=LONG)


def tokenctl(*words: str) -> None:
    """Run a command that must succeed."""
    subprocess.run([*COMMAND, *words], check=True, timeout=LONG)


@pytest.fixture
def api(demo_server: FaultyServer, tmp_path: Path) -> Iterator[CloudApi]:
    """The server."""
    with CloudApi(demo_server, tmp_path) as api:
        yield api


@pytest.fixture
def kubectl(account: Account, api: CloudApi, tmp_path: Path) -> Kubectl:
    """The program, set up for the server, to which the account's profile is bound."""
    tokenctl("profile", "set", "t", f"hosts+={api.origin}")
    run = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": COMMAND[0],
        "args": [*COMMAND[1:], "helper", "kubectl"],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    cluster = {"server": api.origin, "certificate-authority": str(api.ca_file)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"exec": run}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps(document))
    with available():
        return Kubectl(program=program("kubectl"), config=config)


def test_it_sends_a_good_token(account: Account, api: CloudApi, kubectl: Kubectl) -> None:
    """It is the session's; one that has ended, or that the server refuses, is renewed before the next command."""
    done = kubectl.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert {*api.tokens} == {account.session.access_token} and account.refreshes == 0

    account.age()
    api.tokens.clear()
    done = kubectl.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert account.session.access_token not in api.tokens and account.refreshes == 1

    api.refused.update(api.tokens)
    kubectl.run()  # it asks for another token after the 401, but does not send the request once more
    api.tokens.clear()
    done = kubectl.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert not api.refused.intersection(api.tokens) and account.refreshes == 2


def test_it_shows_why_there_is_no_token(account: Account, api: CloudApi, kubectl: Kubectl) -> None:
    """For a session that is dead, and for a cluster that is not bound: nothing is sent."""
    account.server.kill_session()
    account.age()
    done = kubectl.run()
    assert done.returncode == 1 and "run 'tokenctl login -p t'" in done.stderr

    tokenctl("profile", "set", "t", f"hosts-={api.origin}")
    done = kubectl.run()
    assert done.returncode == 1 and f"no profile is bound to {api.origin}" in done.stderr
    assert api.tokens == []
