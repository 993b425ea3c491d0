"""A client that asks a helper more than once in one call, as cargo's protocol allows: each answer is for its own question."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home
from tests.support.real_parts import Missing, available
from tokenctl import fast_path

ORIGINS = {"t": "https://t.example.com", "other": "https://other.example.com"}
"""Profile -> what it is bound to."""


@pytest.fixture
def bound_home(tmp_path: Path, secret_service: SecretService, demo_server: FaultyServer) -> Iterator[Home]:
    """A HOME with two profiles that are signed in, and a kernel that keeps copies of their tokens."""
    with available():
        if fast_path._open() is None:
            raise Missing("no kernel keyring that this process may use")
    home = Home(tmp_path / "home", secret_service.environ, store="keyring")
    for profile, origin in ORIGINS.items():
        assert home.login(demo_server.issuer, profile=profile).status == 0
        assert home.run("profile", "set", profile, f"hosts+={origin}").status == 0
    time.sleep(2 * fast_path.TICK / 1e9)  # copies are kept of files that changed long enough ago
    yield home
    for profile in ORIGINS:
        fast_path.drop(profile, [f"{home.environ['TOKENCTL_STATE_DIR']}/{profile}"])


def ask(home: Home, *urls: str) -> list[str]:
    """Ask as cargo does, a line for each index, and return what is answered to each."""
    lines = [json.dumps({"v": 1, "registry": {"index-url": f"sparse+{url}/"}, "kind": "get"}) for url in urls]
    result = home.run("helper", "cargo", "--cargo-plugin", stdin="".join(f"{line}\n" for line in lines))
    assert (result.status, result.stderr) == (0, "")
    greeting, *answers = result.stdout.splitlines()
    assert greeting == '{"v":[1]}'
    found = [json.loads(answer) for answer in answers]
    return [each["Ok"]["token"] if "Ok" in each else each["Err"]["kind"] for each in found]


def test_each_registry_gets_its_own_token(bound_home: Home) -> None:
    """The first time from the keyring, then from the kernel; no answer leaves its token for another question."""
    tokens = {name: f"Bearer {bound_home.run('token', '-p', name).stdout.strip()}" for name in ORIGINS}
    assert len(set(tokens.values())) == 2
    unbound = "https://elsewhere.example.com"
    for _ in range(2):
        for order in (("t", "other"), ("other", "t"), ("t",), ("other",)):
            asked = [unbound, *(ORIGINS[name] for name in order), unbound]
            expected = ["url-not-supported", *(tokens[name] for name in order), "url-not-supported"]
            assert ask(bound_home, *asked) == expected
