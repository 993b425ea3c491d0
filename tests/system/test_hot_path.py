"""The budget of imports: what `token`, `exec`, `show`, `--help`, wrong words and TAB may load.

Linters see a module's own imports and miss what those pull in, so this asks a real process. If a test
here fails, an import has crept onto a path that runs hundreds of times a day: find it with
`python -X importtime -m tokenctl token`, and move it into `cli/actions/`, behind runtime.py or into the module that
needs it. An annotation, or a constant taken from a heavy module, is enough.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home
from tests.support.paths import ROOT
from tokenctl.cli.program import COMMANDS

NEVER = {"httpx", "uvicorn", "rich", "jwt", "cryptography", "truststore", "tomlkit", "http.server", "webbrowser"}
"""What none of these paths loads."""
SLOW = {"asyncio", "importlib.resources", "logging", "subprocess", "tempfile", "unittest", "urllib.request"}
"""Modules of Python that take a millisecond or more, and that no path of these needs."""
OURS = {
    "tokenctl.adapters.transport",
    "tokenctl.adapters.jwt_verify",
    "tokenctl.adapters.redirect_listener",
    "tokenctl.demo",
    "tokenctl.config.editing",
    "tokenctl.flows",
    "tokenctl.handoff.proxy",
    "tokenctl.model.token_api",
    "tokenctl.broker.lifecycle",
    "tokenctl.broker.renewal",
}
"""Ours that do what a fresh session does not need."""
FOR_WORDS = {
    *("tokenctl", "tokenctl.errors", "tokenctl.fast_path"),
    *("tokenctl.model", "tokenctl.model.choices", "tokenctl.model.secret_variables"),
    *("tokenctl.adapters", "tokenctl.adapters.private_process", "tokenctl.adapters.terminal"),
}
"""Ours that `--help` and wrong words may load beside `tokenctl.cli`: no more than the words and the messages need."""
FOR_HELPERS = {"tokenctl.handoff", "tokenctl.handoff.helpers", "tokenctl.handoff.clients"}
"""What the words of `helper` need too: the lists of the helpers and of the clients."""
STANDARD = {"dataclasses", "hashlib", "json", "pathlib", "socket", "tomllib", "urllib.parse"}
"""Modules of Python that a running command needs, and no help."""
HELP = (
    (0, ("--help",)),
    (0, ()),
    (0, ("--version",)),
    *((0, (name, "--help")) for name in COMMANDS),
    (0, ("profile", "set", "--help")),
    (0, ("store", "migrate", "--help")),
    (0, ("help",)),
    (0, ("help", "ci")),
    (0, ("help", "login")),
    (2, ("tokne",)),
    (2, ("status",)),
    (2, ("help", "tokne")),
    (2, ("token", "--formt", "raw")),
    (2, ("token", "--format", "rwa")),
    (2, ("token", "--profile", "")),
    (2, ("profile", "lst")),
    (0, ("helper", "git", "--help")),
    (2, ("helper", "gti")),
    (2, ("login", "--port", "0")),
    (2, ("proxy",)),
    (2, ("proxy", "https://api.example", "--listen", "8400")),
    (125, ("exec",)),
)
"""Exit status, and words that ask for help, or that are wrong."""

PROBE = """
import os, sys
def report():
    with open(os.environ["PROBE"], "w") as file:
        file.write(" ".join(sys.modules))
os.execve = lambda *arguments: (report(), os._exit(0))  # the child is not started; what it would have cost is known
from tokenctl.cli.main import run
status = run(sys.argv[1:])
report()
sys.exit(status)
"""


def loaded(home: Home, *words: str, status: int = 0) -> set[str]:
    """Run a command in a process of its own and tell which modules it loaded."""
    report = home.folder / "modules"
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        env={**home.environ, "PROBE": str(report), "PYTHONPATH": str(ROOT)},
        cwd=home.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return set(report.read_text().split())


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


@pytest.fixture
def keyring_home(tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in, with its session in the real Secret Service."""
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    assert home.login(demo_server.issuer).status == 0
    return home


@pytest.mark.quick
@pytest.mark.parametrize("words", [("token",), ("exec", "--", "true")])
def test_a_fresh_token_loads_no_http_no_jwt_no_rich(ring_home: Home, words: tuple[str, ...]) -> None:
    """With a fresh session, token and exec load none of the heavy libraries and none of our modules that need them."""
    found = loaded(ring_home, *words)
    assert not found & (NEVER | OURS | {"click", "tokenctl.oauth"})
    assert "keyring" in found  # the probe saw the real thing


@pytest.mark.real
@pytest.mark.parametrize("words", [("token", "--format", "json"), ("exec", "--", "true")])
def test_a_fresh_token_of_the_secret_service_loads_no_keyring_library(
    keyring_home: Home, words: tuple[str, ...]
) -> None:
    """With a fresh session in the Secret Service, token and exec load neither the keyring library nor a slow module."""
    found = loaded(keyring_home, *words)
    assert not found & (
        NEVER | OURS | SLOW | {"click", "keyring", "hashlib", "tokenctl.oauth", "tokenctl.storage.journal"}
    )
    assert "jeepney" in found


@pytest.mark.real
@pytest.mark.parametrize(
    "words",
    [
        ("show", "--json"),
        ("show",),
        ("show", "--all"),
        ("store", "show", "--json"),
        ("profile", "list"),
        ("profile", "show"),
    ],
)
def test_what_is_shown_in_a_pipe_loads_no_rich(keyring_home: Home, words: tuple[str, ...]) -> None:
    """What shows a fresh session or a profile in a pipe loads no rich, no editor of TOML, and nothing that renews."""
    assert not loaded(keyring_home, *words) & (NEVER | OURS | SLOW | {"keyring"})


@pytest.mark.quick
@pytest.mark.parametrize(("status", "words"), HELP, ids=[" ".join(words) or "nothing" for _, words in HELP])
def test_help_and_wrong_words_load_what_they_write(home: Home, status: int, words: tuple[str, ...]) -> None:
    """Help, version, pages and wrong words load click and our grammar, and nothing that only a running command needs."""
    found = loaded(home, *words, status=status)
    ours = {name for name in found if name.partition(".")[0] == "tokenctl" and not name.startswith("tokenctl.cli")}
    assert not ours - FOR_WORDS - (FOR_HELPERS if words[:1] == ("helper",) else set())
    assert not {name for name in found if name.startswith(("tokenctl.cli.actions", "tokenctl.cli.views"))}
    assert not found & (NEVER | SLOW | STANDARD | {"keyring"})


COLLECTING = """
import gc, os, sys
def collected():
    return sum(each["collections"] for each in gc.get_stats())
before = collected()
def leave(status, leave=os._exit):
    print(collected() - before, file=sys.stderr, flush=True)
    leave(status)
os._exit = leave
from tokenctl.__main__ import main
main()
"""


def test_a_short_command_looks_for_no_garbage(home: Home) -> None:
    """A command that ends at once collects no garbage, and does not take the interpreter apart at its end."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECTING, "--help"], env=home.environ, capture_output=True, text=True, check=True
    )
    assert done.stderr == "0\n"
