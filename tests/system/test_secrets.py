"""No secret where it does not belong: every command, succeeding and failing, at every verbosity."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import Home, Result
from tests.support.demo_server import Make
from tests.support.disclosure import disclosed
from tests.support.paths import ROOT

CANARY = "canary/s3cr:t%+ value"


@pytest.fixture
def ring_home(tmp_path: Path, demo_server: FaultyServer) -> Home:
    """A HOME with a keyring that the test can read, signed in, and a machine's profile with a canary for a secret."""
    environ = {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}
    home = Home(tmp_path / "home", environ, store="keyring")
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo"\nscope = "openid offline_access"\n'
        'keyring_backend = "tests.support.ring.Ring"\n'
        f'[profiles.ci]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\nflow = "client-credentials"\n'
        'keyring_backend = "tests.support.ring.Ring"\n'
    )
    assert home.login(demo_server.issuer).status == 0
    return home


def secrets_of(tmp_path: Path) -> list[str]:
    """List every secret that the keyring holds now."""
    entries = json.loads((tmp_path / "ring.json").read_text())
    found = [CANARY]
    for name, document in entries.items():
        if name.endswith("session"):
            kept = json.loads(document)
            found += [kept[each] for each in ("access_token", "refresh_token", "id_token", "seal_key") if each in kept]
        else:
            found.append(document)
    return found


COMMANDS = [
    ("show", "-p", "t", "-v"),
    ("show", "-p", "t", "--json"),
    ("show", "-p", "t", "--claims", "--verify", "--introspect"),
    ("show", "--all"),
    ("refresh", "-p", "t", "-v", "--json"),
    ("exec", "-v", "-p", "t", "--", "true"),
    ("login", "-p", "ci", "-v", "--client-secret-stdin"),
    ("revoke", "-p", "t", "-v"),
]


def _failures() -> list[tuple[str, dict[str, object]]]:
    def echo(request: Received) -> Reply:
        text = request.body.decode() + " " + json.dumps(request.form) + json.dumps(dict(request.headers))
        return json_reply({"error": "invalid_request", "error_description": text}, status=400)

    def html(request: Received) -> Reply:
        return Reply(status=400, headers={"Content-Type": "text/html"}, body=request.body)

    return [
        ("nothing wrong", {}),
        ("the server echoes the request", dict.fromkeys(("/token", "/revoke", "/introspect"), echo)),
        ("the server answers with the request as HTML", dict.fromkeys(("/token", "/revoke", "/introspect"), html)),
    ]


@pytest.mark.parametrize(("name", "overrides"), _failures(), ids=lambda each: each if isinstance(each, str) else "")
def test_no_command_says_a_secret(
    ring_home: Home, demo_server: FaultyServer, tmp_path: Path, name: str, overrides: dict[str, object]
) -> None:
    """No secret is in stdout or stderr of any command but token, nor in any file but the keyring."""
    before = secrets_of(tmp_path)
    demo_server.overrides = overrides  # type: ignore[assignment]
    results: list[Result] = [ring_home.run(*words, stdin=f"{CANARY}\n") for words in COMMANDS]
    secrets = before + secrets_of(tmp_path)
    for words, result in zip(COMMANDS, results, strict=True):
        assert disclosed(secrets, result.stdout + result.stderr) == [], words
        assert "Traceback" not in result.stderr
    files = {path: content for path, content in ring_home.snapshot().items() if path != "passphrase"}
    assert [path for path, content in files.items() if disclosed(secrets, content.decode(errors="replace"))] == []


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_secret_is_in_any_argument(ring_home: Home, demo_server: FaultyServer, tmp_path: Path) -> None:
    """While commands run, no process has a secret in its arguments."""
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue
            done.wait(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for words in COMMANDS:
            ring_home.run(*words, stdin=f"{CANARY}\n")
            ring_home.run("token", "-p", "t")
    finally:
        done.set()
        watcher.join()
    assert any("tokenctl" in each for each in seen)
    assert disclosed(secrets_of(tmp_path), "\n".join(seen)) == []


def test_a_defect_of_ours_prints_no_text_of_it(tmp_path: Path) -> None:
    """An unexpected exception is named by type and place, and its text stays unsaid."""
    code = (
        "import sys\nfrom tokenctl.cli import main as cli\nfrom tokenctl.runtime import Runtime\n"
        "def send(request): raise KeyError('canary-in-an-exception')\n"
        "environ = {'TOKENCTL_ISSUER': 'https://x.example', 'TOKENCTL_CLIENT_ID': 'x', 'TOKENCTL_CLIENT_SECRET': 'canary-secret'}\n"
        "sys.exit(cli.run(['token'], obj=Runtime(environ, send=send)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "unexpected KeyError at <string>:4" in done.stderr
    assert "canary" not in done.stderr and "Traceback" not in done.stderr


def test_the_refresh_token_goes_only_where_it_was_pinned(
    home: Home, demo_server: FaultyServer, make_server: Make
) -> None:
    """When the metadata or the config name another server after the login, it never sees the refresh token."""
    assert home.login(demo_server.issuer).status == 0
    thief = make_server()

    def stolen(request: Received) -> Reply:
        return json_reply(demo_server.answer(request).document | {"token_endpoint": f"{thief.issuer}/token"})

    demo_server.overrides = {"/.well-known/openid-configuration": stolen}
    assert home.run("refresh").status == 0
    home.config.write_text(home.config.read_text() + f'token_endpoint = "{thief.issuer}/token"\n')
    assert home.run("refresh").status == 0
    home.config.write_text(home.config.read_text().replace(demo_server.issuer, thief.issuer, 1))
    assert home.run("refresh").status == 4
    assert thief.requests == []
