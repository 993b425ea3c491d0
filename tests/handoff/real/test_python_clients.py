"""pip, uv, twine and `keyring` get a token from the keyring library's backend: the real programs, at a strict registry."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.handoff.conftest import Account
from tests.servers.faulty_server import FaultyServer
from tests.servers.package_registry import USER, WHEEL, PackageRegistry, wheel
from tests.support.commandline import LONG
from tests.support.real_parts import available, script, without_settings

INSTALLED = ("pip", "uv")
"""The programs that need a setting, which `helper install` writes."""
SILENT = ("pip",)
"""The programs that show nothing of what `keyring` writes to stderr."""


class Clients:
    """The programs, in an environment of their own; `keyring` is found on PATH, and not where pip itself is."""

    def __init__(self, registry: PackageRegistry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        (folder / WHEEL).write_bytes(wheel())
        (folder / "bin").mkdir()
        with available():
            (folder / "bin" / "keyring").symlink_to(script("keyring"))
        self.environ = {
            **os.environ,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder / 'no-bus'}",
            **{"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""},  # of this machine's own pip.conf
        }

    def words(self, client: str) -> Sequence[str]:
        """The command line of a program: it fetches the package, or uploads it, or prints the token."""
        index, target = f"{self.registry.origin}/simple/", str(self.folder / "got")
        named = index.replace("://", f"://{USER}@")
        quiet = ("--disable-pip-version-check", "--no-input", "--no-cache-dir")
        pip = (sys.executable, "-m", "pip", *quiet, "download", "--no-deps", "-d", target, "demopkg", "-i")
        uv = ("pip", "install", "--no-deps", "--no-cache", "--target", target, "--python", sys.executable)
        upload = ("upload", "--non-interactive", "--disable-progress-bar", "--repository-url")
        with available():
            return {
                "pip": (*pip, named),
                "pip-import": (*pip, index, "--keyring-provider", "import"),
                "uv": (script("uv"), *uv, "--default-index", named, "demopkg"),
                "twine": (script("twine"), *upload, index, str(self.folder / WHEEL)),
                "keyring": (script("keyring"), "get", index, USER),
            }[client]

    def run(self, client: str) -> subprocess.CompletedProcess[str]:
        """Run a program from the beginning."""
        self.registry.tokens.clear()
        shutil.rmtree(self.folder / "got", ignore_errors=True)
        words = self.words(client)
        return subprocess.run(words, env=self.environ, capture_output=True, text=True, cwd=self.folder, timeout=LONG)


@pytest.fixture
def clients(demo_server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    """The programs, and the registry."""
    without_settings(monkeypatch, "PIP_", "UV_", "TWINE_", "KEYRING_", "PYTHON_KEYRING")
    with PackageRegistry(demo_server) as registry:
        yield Clients(registry, tmp_path)


@pytest.mark.parametrize("client", ["pip", "pip-import", "uv", "twine", "keyring"])
def test_it_gets_a_good_token(account: Account, clients: Clients, client: str) -> None:
    """It is the session's, or a renewed one; where there is none, no token is sent, and the reason is shown."""
    if client in INSTALLED:
        account.tokenctl("helper", "install", client, "--host", clients.registry.origin)
    else:
        account.tokenctl("profile", "set", "t", f"hosts+={clients.registry.origin}")
    done = clients.run(client)
    assert done.returncode == 0, done.stderr
    assert sent(clients, done) == {account.session.access_token} and account.refreshes == 0

    account.age()
    done = clients.run(client)
    assert done.returncode == 0, done.stderr
    assert len(sent(clients, done) - {account.session.access_token}) == 1 and account.refreshes == 1

    account.server.kill_session()
    account.age()
    done = clients.run(client)
    assert done.returncode != 0 and not sent(clients, done)
    assert ("run 'tokenctl login -p t'" in done.stderr) == (client not in SILENT), done.stderr

    account.tokenctl("profile", "set", "t", f"hosts-={clients.registry.origin}")
    done = clients.run(client)
    assert done.returncode != 0 and not sent(clients, done) and "tokenctl:" not in done.stderr


def sent(clients: Clients, done: subprocess.CompletedProcess[str]) -> set[str]:
    """Tell which tokens reached the registry; what `keyring` prints reaches whoever asked it."""
    printed = done.stdout.split() if done.args[1] == "get" else []
    return clients.registry.sent | set(printed)


def test_a_persons_own_entry_comes_first(account: Account, clients: Clients) -> None:
    """Whoever has put a password for the registry into a keyring wants that one."""
    environ: Mapping[str, str] = clients.environ | {"XDG_DATA_HOME": str(clients.folder / "data")}
    url, keyring = f"{clients.registry.origin}/simple/", clients.words("keyring")[0]
    plain = (keyring, "-b", "keyrings.alt.file.PlaintextKeyring", "set", url, USER)
    subprocess.run(plain, env=environ, input="of my own\n", text=True, check=True, timeout=LONG)
    got = subprocess.run((keyring, "get", url, USER), env=environ, capture_output=True, text=True, timeout=LONG)
    assert got.stdout == "of my own\n", got.stderr
