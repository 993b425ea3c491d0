"""kubectl gets its token from the helper: the real program, at a server that lets in nobody without a good token."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.servers.cloud_api import CloudApi
from tests.support.commandline import COMMAND, LONG
from tests.support.real_parts import available, program

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: x
contexts:
- name: x
  context:
    cluster: c
    user: u
clusters:
- name: c
  cluster:
    server: {server}
    certificate-authority: {ca_file}
"""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl with a kubeconfig of its own."""

    program: str
    config: Path

    def ask(self) -> subprocess.CompletedProcess[str]:
        """Ask the server for its version."""
        words = [self.program, "--kubeconfig", str(self.config), "get", "--raw", "/version"]
        return subprocess.run(words, capture_output=True, text=True, timeout=LONG)


@pytest.fixture
def kubectl(account: Account, cloud: CloudApi, tmp_path: Path) -> Kubectl:
    """The program, set up for the server by `helper install`, which binds the account's profile to it."""
    with available():
        kubectl = Kubectl(program=program("kubectl"), config=tmp_path / "kubeconfig")
    kubectl.config.write_text(KUBECONFIG.format(server=cloud.origin, ca_file=cloud.ca_file))
    tokenctl("helper", "install", "kubectl", "--host", cloud.origin, "--config-file", str(kubectl.config))
    return kubectl


def tokenctl(*words: str) -> None:
    """Run a command that must succeed."""
    subprocess.run([*COMMAND, *words], check=True, timeout=LONG)


def test_it_sends_a_good_token(account: Account, cloud: CloudApi, kubectl: Kubectl) -> None:
    """It is the session's; one that has ended, or that the server refuses, is renewed before the next command."""
    done = kubectl.ask()
    assert (done.returncode, done.stderr) == (0, "")
    assert {*cloud.tokens} == {account.session.access_token} and account.refreshes == 0

    account.age()
    cloud.tokens.clear()
    done = kubectl.ask()
    assert (done.returncode, done.stderr) == (0, "")
    assert account.session.access_token not in cloud.tokens and account.refreshes == 1

    cloud.refused.update(cloud.tokens)
    kubectl.ask()  # it asks for another token after the 401, but does not send the request once more
    cloud.tokens.clear()
    done = kubectl.ask()
    assert (done.returncode, done.stderr) == (0, "")
    assert not cloud.refused.intersection(cloud.tokens) and account.refreshes == 2


def test_it_shows_why_there_is_no_token(account: Account, cloud: CloudApi, kubectl: Kubectl) -> None:
    """For a session that is dead, and for a cluster that is not bound: nothing is sent."""
    account.server.kill_session()
    account.age()
    done = kubectl.ask()
    assert done.returncode == 1 and "run 'tokenctl login -p t'" in done.stderr

    tokenctl("profile", "set", "t", f"hosts-={cloud.origin}")
    done = kubectl.ask()
    assert done.returncode == 1 and f"no profile is bound to {cloud.origin}" in done.stderr
    assert cloud.tokens == []
