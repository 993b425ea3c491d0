"""Machines at a token API that is not OAuth: the real djangorestframework-simplejwt, with rotation and a blacklist."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.simplejwt import API_KEY, SimpleJwt
from tests.support.commandline import COMMAND, Home
from tests.support.demo_server import Make
from tests.support.paths import ROOT
from tests.support.real_parts import available

pytestmark = pytest.mark.real

PROFILE = """
[profiles.t]
flow = "api-key"
keyring_backend = "tests.support.ring.Ring"
[profiles.t.api.login]
url = "{address}/api/key/"
body = {{ api_key = "{{api_key}}" }}
access_token = "/tokens/access"
refresh_token = "/tokens/refresh"
[profiles.t.api.refresh]
url = "{address}/api/token/refresh/"
body = {{ refresh = "{{refresh_token}}" }}
access_token = "/access"
refresh_token = "/refresh"
[profiles.t.api.revoke]
url = "{address}/api/token/blacklist/"
body = {{ refresh = "{{refresh_token}}" }}
"""


@pytest.fixture
def server() -> Iterator[SimpleJwt]:
    """A server of the test's own."""
    with available(), SimpleJwt() as found:
        yield found


@pytest.fixture
def home(tmp_path: Path, server: SimpleJwt) -> Home:
    """A HOME with a profile that describes the API, and a keyring that the test can read."""
    found = Home(
        tmp_path / "home", {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}, store="keyring"
    )
    found.write_config(PROFILE.format(address=server.address))
    return found


def kept(home: Home) -> dict[str, object]:
    """The session in the keyring."""
    return dict(json.loads(json.loads(Path(home.environ["TEST_RING"]).read_text())["tokenctl:t\nsession"]))


def put(home: Home, session: dict[str, object]) -> None:
    """Put a session into the keyring."""
    ring = Path(home.environ["TEST_RING"])
    ring.write_text(json.dumps(json.loads(ring.read_text()) | {"tokenctl:t\nsession": json.dumps(session)}))


def login(home: Home, key: str = API_KEY) -> None:
    """Sign in with the key from a pipe."""
    result = home.run("login", "--api-key-stdin", stdin=key + "\n")
    assert result.status == 0, result.stderr


def test_a_whole_life(home: Home, server: SimpleJwt) -> None:
    """Login by API key, token, renewal with rotation, a dead refresh token, renewal by the key, revoke."""
    login(home)
    first = home.run("token").stdout
    assert first.count(".") == 2
    before = kept(home)
    assert home.run("refresh").status == 0
    assert server.count("/api/token/refresh/") == 1 and kept(home)["refresh_token"] != before["refresh_token"]
    # The refresh token dies at the server: a used one is put back, and the API refuses it.
    put(home, before | {"expires_at": before["obtained_at"]})
    for redo_log in (Path(home.environ["TOKENCTL_STATE_DIR"]) / "t").glob("redo.*"):
        redo_log.unlink()  # it has the newer one
    result = home.run("token")
    assert result.status == 0 and result.stdout != first, result.stderr
    assert server.count("/api/token/refresh/", 401) == 1 and server.count("/api/key/") == 2
    assert home.run("refresh", "--with-api-key").status == 0
    assert server.count("/api/key/") == 3
    last = kept(home)
    revoked = home.run("revoke")
    assert revoked.status == 0 and "revoked at the server" in revoked.stderr, revoked.stderr
    assert server.count("/api/token/blacklist/") == 1
    assert json.loads(Path(home.environ["TEST_RING"]).read_text()) == {} and last["refresh_token"]
    assert home.run("token").status == 4


def test_fifty_processes_refresh_once(home: Home, server: SimpleJwt) -> None:
    """Fifty processes that meet an expired token make one refresh, and all print the same token."""
    with SimpleJwt() as patient:  # its tokens outlive the race
        home.write_config(PROFILE.format(address=patient.address))
        login(home)
        put(home, kept(home) | {"expires_at": kept(home)["obtained_at"]})
        results = home.race(50, "token")
        assert {each.status for each in results} == {0}, [each.stderr for each in results if each.status]
        assert len({each.stdout for each in results}) == 1
        assert patient.count("/api/token/refresh/") == 1 and patient.count("/api/key/") == 1


@pytest.mark.quick
def test_a_key_that_is_refused_is_5_and_never_shown(home: Home, server: SimpleJwt) -> None:
    """Neither the key nor what the server echoes of it is in the message, and nothing is stored."""
    result = home.run("login", "--api-key-stdin", stdin="wrong-api-key-canary\n")
    assert result.status == 5 and "canary" not in result.stderr + result.stdout
    assert not Path(home.environ["TEST_RING"]).exists()


@pytest.mark.parametrize("key", ["", "\n", "two\nlines"])
def test_a_key_that_is_none_is_2(home: Home, server: SimpleJwt, key: str) -> None:
    """Empty, or more than one line: a clear error before anything is sent."""
    assert home.run("login", "--api-key-stdin", stdin=key).status == 2
    assert server.count("/api/key/", 401) == 0


def test_by_user_name_and_password(home: Home, server: SimpleJwt) -> None:
    """The API's own way in, with a password that no text can break out of."""
    text = home.config.read_text()
    text = text.replace("/api/key/", "/api/token/").replace(
        '{ api_key = "{api_key}" }', '{ username = "{username}", password = "{password}" }'
    )
    text = text.replace("/tokens/", "/").replace(
        "[profiles.t.api.login]", '[profiles.t.api]\nusername = "ada"\n[profiles.t.api.login]'
    )
    home.write_config(text)
    login(home, "correct horse")
    assert home.run("token").status == 0
    hostile = home.run("login", "--api-key-stdin", stdin='","username":"root","x":"\n')
    assert hostile.status == 5 and server.count("/api/token/", 401) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "named"), [("/refresh", "/refresh"), ("-", None)])
def test_a_guided_login_writes_the_profile(tmp_path: Path, server: SimpleJwt, typed: str, named: str | None) -> None:
    """At a terminal the questions are asked, the key is typed unseen, and what was answered is saved as the profile."""
    home = Home(tmp_path / "guided")
    answers = [
        f"{server.address}/api/key/", "", "/tokens/access", "/tokens/refresh", f"{server.address}/api/token/refresh/",
        "refresh", "/access", typed, "-", API_KEY,
    ]  # fmt: skip
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.folder)
        environ = {name: value for name, value in home.environ.items() if name != "CI"} | {"TERM": "dumb"}
        os.execve(COMMAND[0], [*COMMAND, "login", "-p", "g", "--flow", "api-key"], environ)
    said, asked = b"", 0
    while True:
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
        if asked < len(answers) and said.count(b": ") - said.count(b"tokenctl: ") > asked and said.endswith(b": "):
            os.write(terminal, answers[asked].encode() + b"\n")
            asked += 1
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said.decode()
    assert API_KEY.encode() not in said
    text = home.config.read_text()
    assert "/api/key/" in text and '"{api_key}"' in text and "/tokens/access" in text
    assert tomllib.loads(text)["profiles"]["g"]["api"]["refresh"].get("refresh_token") == named
    assert home.run("refresh", "-p", "g").status == 0 and home.run("token", "-p", "g").stdout.count(".") == 2


def test_without_a_terminal_the_file_to_write_is_named(home: Home) -> None:
    """Nobody can be asked: exit 2, and where the description belongs."""
    result = home.run("login", "-p", "new", "--flow", "api-key")
    assert result.status == 2 and "[profiles.new.api.login]" in result.stderr


def test_the_key_goes_to_no_other_server(home: Home, server: SimpleJwt, make_server: Make) -> None:
    """A login address that has moved to another server since the sign-in gets no key; the session goes on."""
    login(home)
    other = make_server()
    text = PROFILE.format(address=server.address)
    home.write_config(text.replace(f"{server.address}/api/key/", f"{other.issuer}/api-key/login"))
    result = home.run("refresh", "--with-api-key", environ={"TOKENCTL_API_KEY": API_KEY})
    assert (result.status, other.requests) == (4, []) and "another server" in result.stderr, result
    assert home.run("refresh").status == 0


def test_a_renewal_by_the_key_stays_one_when_its_worker_is_lost(home: Home, server: SimpleJwt) -> None:
    """Where no worker can be, the key is presented as was asked, and not the refresh token."""
    login(home)
    embedded = 'import sys; sys.executable = "/bin/true"; from tokenctl.__main__ import main; main()'
    words = [sys.executable, "-c", embedded, "refresh", "--with-api-key"]
    done = subprocess.run(
        words, env={**home.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (server.count("/api/key/"), server.count("/api/token/refresh/")) == (2, 0)
