"""The budget of imports: what `token`, `exec`, TAB and `--help` may load.

Linters see a module's own imports and miss what those pull in, so this asks a real process. If a test
here fails, an import has crept onto the path that runs hundreds of times a day: find it with
`python -X importtime -m tokenctl token`, and move it behind runtime.py or into the module that needs it.
An annotation, or a constant taken from a heavy module, is enough.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home
from tests.support.paths import ROOT

NEVER = {"httpx", "rich", "jwt", "cryptography", "truststore", "tomlkit", "http.server", "webbrowser"}
OURS = {
    "tokenctl.adapters.transport",
    "tokenctl.adapters.jwt_verify",
    "tokenctl.adapters.redirect_listener",
    "tokenctl.oauth",
    "tokenctl.demo",
    "tokenctl.config.editing",
    "tokenctl.model.token_api",
}

PROBE = """
import json, os, sys
def report():
    with open(os.environ["PROBE"], "w") as file:
        json.dump(sorted(sys.modules), file)
os.execve = lambda *arguments: (report(), os._exit(0))  # the child is not started; what it would have cost is known
from tokenctl.cli.main import run
status = run(sys.argv[1:])
report()
sys.exit(status)
"""


def loaded(home: Home, *words: str, **environ: str) -> set[str]:
    """Run a command in a process of its own and tell which modules it loaded."""
    report = home.folder / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        env={**home.environ, "PROBE": str(report), "PYTHONPATH": str(ROOT), **environ},
        cwd=home.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(report.read_text()))


@pytest.fixture
def ring_home(tmp_path: Path, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in, with a keyring backend that costs nothing."""
    home = Home(tmp_path / "home", {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\n'
        'scope = "openid offline_access"\nkeyring_backend = "tests.support.ring.Ring"\n'
    )
    assert home.login(demo_server.issuer).status == 0
    return home


@pytest.mark.quick
@pytest.mark.parametrize("words", [("token",), ("exec", "--", "true")])
def test_a_fresh_token_loads_no_http_no_jwt_no_rich(ring_home: Home, words: tuple[str, ...]) -> None:
    """With a fresh session, token and exec load none of the heavy libraries and none of our modules that need them."""
    found = loaded(ring_home, *words)
    assert not found & (NEVER | OURS)
    assert "keyring" in found  # the probe saw the real thing


@pytest.mark.parametrize("words", [("--help",), ("--version",), (), ("token", "--help")])
def test_help_loads_no_keyring(home: Home, words: tuple[str, ...]) -> None:
    """Help and version load no keyring and nothing heavier."""
    assert not loaded(home, *words) & (NEVER | OURS | {"keyring"})
