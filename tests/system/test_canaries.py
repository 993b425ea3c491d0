"""Canaries: every kind of secret a machine has is a known string, and no command lets any of it out, well or ill."""

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import Home
from tests.support.disclosure import disclosed
from tests.support.keys import pem

API_KEY = "canary-api-key-0123456789"
CLIENT_SECRET = "canary-client-secret-0123456789-0123456789"
PASSPHRASE = "canary-passphrase-0123456789"
IDENTITY = "canary-identity-token.0123456789.abcdefghij"
PRIVATE_KEY = pem(ec.generate_private_key(ec.SECP256R1()))
KEY_BODY = PRIVATE_KEY.splitlines()[1]
SECRETS = [API_KEY, CLIENT_SECRET, PASSPHRASE, IDENTITY, KEY_BODY]

PROFILES = """
[profiles.api]
flow = "api-key"
[profiles.api.api.login]
url = "{issuer}/api-key/login"
body = {{ api_key = "{{api_key}}" }}
access_token = "/access_token"
refresh_token = "/refresh_token"
expires_in = "/expires_in"
[profiles.api.api.refresh]
url = "{issuer}/api-key/refresh"
body = {{ refresh_token = "{{refresh_token}}" }}
access_token = "/access_token"
refresh_token = "/refresh_token"
expires_in = "/expires_in"
[profiles.api.api.revoke]
url = "{issuer}/api-key/revoke"
body = {{ refresh_token = "{{refresh_token}}" }}
[profiles.signed]
issuer = "{issuer}"
client_id = "tokenctl-demo-ci"
flow = "client-credentials"
token_endpoint_auth_method = "private_key_jwt"
client_key_file = "{folder}/key.pem"
[profiles.hmac]
issuer = "{issuer}"
client_id = "tokenctl-demo-ci"
flow = "client-credentials"
token_endpoint_auth_method = "client_secret_jwt"
[profiles.job]
issuer = "{issuer}"
client_id = "tokenctl-demo"
flow = "workload"
source = "env"
"""
COMMANDS = [
    (command, "-p", profile, *words)
    for profile in ("api", "signed", "hmac", "job")
    for command, *words in (
        ("login", "-v"),
        ("show", "--claims", "-v"),
        ("refresh", "-v"),
        ("store", "show"),
        ("revoke", "-v"),
    )
]


@pytest.fixture
def machine(tmp_path: Path, demo_server: FaultyServer) -> Home:
    """A HOME whose demo server accepts the API key, with a canary in the place of every secret."""
    demo_server.api_key = API_KEY
    home = Home(tmp_path / "home")
    (home.folder / "passphrase").write_text(PASSPHRASE)
    (home.folder / "key.pem").write_text(PRIVATE_KEY)
    (home.folder / "key.pem").chmod(0o600)
    home.write_config(PROFILES.format(issuer=demo_server.issuer, folder=home.folder))
    home.environ |= {"TOKENCTL_API_KEY": API_KEY, "TOKENCTL_CLIENT_SECRET": CLIENT_SECRET}
    return home


def echo(request: Received) -> Reply:
    """Refuse, and repeat the whole request."""
    text = request.body.decode(errors="replace") + json.dumps(dict(request.headers))
    return json_reply({"error": "invalid_request", "error_description": text, "detail": text}, status=400)


def html(request: Received) -> Reply:
    """Answer with a page that repeats the request."""
    return Reply(status=200, headers={"Content-Type": "text/html"}, body=request.body)


ENDPOINTS = ("/token", "/revoke", "/api-key/login", "/api-key/refresh", "/api-key/revoke")


def words_of(command: tuple[str, ...]) -> tuple[str, ...]:
    """Put the options of a command with commands of its own behind them."""
    name, option, profile, *rest = command
    return (name, *rest, option, profile) if name == "store" else command


@pytest.mark.slow
@pytest.mark.parametrize("answer", [None, echo, html], ids=["nothing wrong", "echoes", "html"])
def test_no_canary_gets_out(machine: Home, demo_server: FaultyServer, answer: Any) -> None:
    """Not whole, not in base64, not its first twelve characters: in no output, no file, and no argument of any process."""
    demo_server.overrides = {} if answer is None else dict.fromkeys(ENDPOINTS, answer)
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    ended = []
    try:
        for command in COMMANDS:
            identity = {"TOKENCTL_ID_TOKEN": IDENTITY} if "job" in command else {}
            result = machine.run(*words_of(command), environ=identity)
            ended.append(result.status)
            assert disclosed(SECRETS, result.stdout + result.stderr) == [], (command, result)
            assert "Traceback" not in result.stderr
    finally:
        done.set()
        watcher.join()
    assert (answer is None) == (ended[:5] == [0] * 5), ended  # the API key's life, or none of it
    assert disclosed(SECRETS, "\n".join(seen)) == []
    files = {name: text for name, text in machine.snapshot().items() if name not in ("passphrase", "key.pem")}
    assert [name for name, text in files.items() if disclosed(SECRETS, text.decode(errors="replace"))] == []


def test_the_canaries_are_found_where_they_are() -> None:
    """The search that the other test relies on finds a secret, its base64 and its beginning."""
    encoded = base64.b64encode(API_KEY.encode()).decode()
    for text in (f"x{API_KEY}y", f"x{encoded}y", f"x{API_KEY[:12]}y"):
        assert disclosed(SECRETS, text)
