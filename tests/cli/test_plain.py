"""The common command lines of `token` and `exec`: they are answered without click, and the answer is the same."""

import re
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home, Result
from tests.support.paths import ROOT
from tokenctl import fast_path


@pytest.fixture
def ring_home(tmp_path: Path, demo_server: FaultyServer) -> Home:
    """A HOME with two profiles, of which the default one is signed in, and a keyring that costs nothing."""
    home = Home(tmp_path / "home", {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}, store="keyring")
    members = (
        'client_id = "tokenctl-demo"\nscope = "openid offline_access"\nkeyring_backend = "tests.support.ring.Ring"\n'
    )
    tables = [f'[profiles.{name}]\nissuer = "{demo_server.issuer}"\n{members}' for name in ("t", "other")]
    home.write_config('default_profile = "t"\n' + "\n".join(tables))
    assert home.login(demo_server.issuer).status == 0
    return home


WORDS = [
    ("token",),
    ("token", "-p", "t"),
    ("-p", "t", "token", "--format", "header"),
    ("token", "--format", "json"),
    ("token", "-p", "nope"),
    ("token", "-p", "other"),
    ("exec", "--", "sh", "-c", "echo $ACCESS_TOKEN; echo done >&2; exit 3"),
    ("exec", "--env", "X", "-p", "t", "--", "printenv", "X"),
    ("exec", "-p", "other", "--", "true"),
    ("exec", "--", "no-such-program"),
    ("exec", "--", "t"),
    ("exec", "--", ""),
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_click_gives_the_same_answer(ring_home: Home, words: tuple[str, ...]) -> None:
    """Status, stdout and stderr are those of click's way, which an option with its default value leads to."""
    at = min(words.index(each) for each in ("token", "exec") if each in words) + 1
    longer = (*words[:at], "--wait", "0", *words[at:])
    assert fast_path.parse(words) is not None and fast_path.parse(longer) is None
    assert _without_time(ring_home.run(*words)) == _without_time(ring_home.run(*longer))


def _without_time(result: Result) -> tuple[int, str, str]:
    return result.status, re.sub('"expires_in": [0-9]+', "", result.stdout), result.stderr
