"""Bad input: one clear error, the documented exit status, no traceback, and everything as it was."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.commandline import Home, Result
from tests.support.demo_server import Make
from tests.support.fetch import fetch
from tests.support.paths import ROOT

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def assert_one_clear_error(result: Result, status: int, says: str) -> None:
    """Check that a command failed as documented, in a sentence for a person."""
    assert result.status == status, result.stderr
    assert result.stdout == ""
    assert result.stderr.count("tokenctl: error: ") == 1, result.stderr
    assert says in result.stderr, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[profiles.t\n", "line 1"),
        ("[profiles.t]\nissuer = 5\n", "profiles.t: issuer"),
        ('[profiles.t]\nissuer = "https://x"\nclient = "y"\n', "'client' is not a setting"),
        ('[profiles.t]\nmin_ttl = "soon"\n', "min_ttl"),
        ('[profiles.t]\nflow = "implicit"\n', "must be one of auto, browser"),
        ("[profiles.t]\nport = 70000\n", "from 1 to 65535"),
        ('default_profile = "u"\n[profiles.t]\n', "default_profile 'u'"),
        ('profiles = "t"\n', "must be tables"),
        ('[profiles."../t"]\n', "not a valid profile name"),
        ("colour = true\n", "unknown key 'colour'"),
    ],
)
def test_a_malformed_config_names_file_and_key(home: Home, text: str, says: str) -> None:
    """The error names the file, the line or key, and what was expected."""
    home.write_config(text)
    before = home.snapshot()
    result = home.run("token")
    assert_one_clear_error(result, 2, says)
    assert str(home.config) in result.stderr
    assert home.snapshot() == before


def test_an_unknown_profile_and_a_missing_file(home: Home) -> None:
    """An unknown profile, and a config file that is named and absent, are 2."""
    home.write_config('[profiles.t]\nissuer = "https://x"\n')
    assert_one_clear_error(home.run("token", "-p", "nobody"), 2, "there is no profile 'nobody'")
    assert_one_clear_error(home.run("token", "--config", "/nonexistent.toml"), 2, "does not exist")


def _login(home: Home, issuer: str, visit: Callable[[str], object] = fetch, *words: str) -> Result:
    before = home.snapshot()
    result = home.login(issuer, "--timeout", "5m", *words, visit=visit)
    assert home.snapshot() == before
    return result


def test_an_issuer_that_is_unreachable(home: Home) -> None:
    """Nobody at the address is 6."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert_one_clear_error(_login(home, f"http://127.0.0.1:{port}"), 6, "cannot be reached")


@pytest.mark.parametrize(
    "issuer", ["http://login.example.com", "ftp://127.0.0.1", "login.example.com", "https://a@b.example"]
)
def test_an_issuer_that_is_no_safe_url(home: Home, issuer: str) -> None:
    """An issuer that is not https (or http on this machine) is 2, and nothing is sent."""
    assert_one_clear_error(_login(home, issuer), 2, "issuer")


def _html(_: Received) -> Reply:
    return Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<html>Welcome</html>")


@pytest.mark.quick
def test_an_issuer_that_answers_html(home: Home, demo_server: FaultyServer) -> None:
    """A web site in the place of an authorization server is 5, and says what answered what."""
    demo_server.overrides = {OPENID: _html, OAUTH: _html}
    assert_one_clear_error(_login(home, demo_server.issuer), 5, "an HTML page")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issuer": "https://evil.example"}, "is of issuer"),
        ({"token_endpoint": "http://evil.example/token"}, "only https is safe"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
    ],
)
def test_metadata_that_breaks_a_rule(
    home: Home, demo_server: FaultyServer, change: dict[str, object], says: str
) -> None:
    """Metadata with another issuer or an unsafe endpoint is 5, before any browser opens."""

    def changed(request: Received) -> Reply:
        return json_reply(demo_server.answer(request).document | change)

    demo_server.overrides = {OPENID: changed, OAUTH: changed}
    assert_one_clear_error(_login(home, demo_server.issuer), 5, says)
    assert demo_server.count("/authorize") == 0


def _callback(url: str, **changes: str | None) -> int:
    """Call the redirect URI of an authorization URL with parameters of our own."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    parameters = {"code": "x", "state": asked["state"], "iss": "http://" + urlsplit(url).netloc} | changes
    query = "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    return fetch(f"{asked['redirect_uri']}?{query}")


def test_a_callback_with_a_wrong_state_changes_nothing(home: Home, demo_server: FaultyServer) -> None:
    """A wrong, missing or repeated state gets a 4xx page, and the login goes on waiting for the right one."""
    seen: list[int] = []

    def visit(url: str) -> None:
        seen.append(_callback(url, state="wrong"))
        seen.append(_callback(url, state=None))
        seen.append(_callback(url, state=None, error="access_denied"))
        seen.append(_callback(url, code="x&code=y"))
        fetch(url)

    result = home.login(demo_server.issuer, visit=visit)
    assert result.status == 0, result.stderr
    assert seen == [400] * 4
    assert demo_server.count("/token") == 1


def test_a_callback_with_an_error_and_the_right_state(home: Home, demo_server: FaultyServer) -> None:
    """An error with the right state ends the login with 5."""
    result = _login(home, demo_server.issuer, lambda url: _callback(url, code=None, error="access_denied"))
    assert_one_clear_error(result, 5, "access_denied")
    assert demo_server.count("/token") == 0


@pytest.mark.parametrize("iss", [None, "https://evil.example"])
def test_a_callback_of_another_issuer(home: Home, demo_server: FaultyServer, iss: str | None) -> None:
    """A callback whose iss is absent or another's ends the login with 5, and the code is not sent on."""
    assert_one_clear_error(_login(home, demo_server.issuer, lambda url: _callback(url, iss=iss)), 5, "issuer")
    assert demo_server.count("/token") == 0


def test_nobody_signs_in(home: Home, demo_server: FaultyServer) -> None:
    """A sign-in that nobody finishes ends at its deadline with 4, and the hint does not leave half the command out."""
    result = _login(home, demo_server.issuer, lambda url: None, "--timeout", "1s")
    assert_one_clear_error(result, 4, "nobody signed in within")
    assert "hint: run the same command again" in result.stderr


def test_a_port_in_use(home: Home, demo_server: FaultyServer) -> None:
    """A port that is taken is 2 and named."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_one_clear_error(_login(home, demo_server.issuer, fetch, "--port", str(port)), 2, f"port {port}")


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (None, 5, "not JSON"),
        ({"access_token": None}, 5, "without access_token"),
        ({"access_token": "a\nb"}, 5, "characters a token cannot have"),
        ({"access_token": ["a"]}, 5, "access_token"),
        ({"expires_in": -1}, 5, "expires_in"),
        ({"expires_in": 1e300}, 5, "expires_in"),
        ({"token_type": "mac"}, 5, "token_type"),
        ({"id_token": "a.b.c"}, 5, "ID token"),
    ],
)
def test_token_responses_that_cannot_be_trusted(
    home: Home, demo_server: FaultyServer, change: dict[str, object] | None, status: int, says: str
) -> None:
    """A token response that is not what it must be is 5, and nothing is stored."""

    def changed(request: Received) -> Reply:
        answer = demo_server.answer(request)
        return Reply(body=b"tokens!") if change is None else json_reply(answer.document | change)

    demo_server.overrides = {"/token": changed}
    assert_one_clear_error(_login(home, demo_server.issuer), status, says)


def test_a_missing_expires_in_is_not_for_ever(home: Home, demo_server: FaultyServer) -> None:
    """Without expires_in the token's own exp counts."""

    def changed(request: Received) -> Reply:
        document = dict(demo_server.answer(request).document)
        del document["expires_in"]
        return json_reply(document)

    demo_server.overrides = {"/token": changed}
    assert home.login(demo_server.issuer).status == 0
    assert 890 <= json.loads(home.run("token", "--format", "json").stdout)["expires_in"] <= 900


@pytest.fixture
def ring_home(tmp_path: Path) -> Callable[[str], Home]:
    """Make a HOME whose profile pins one of the tests' own keyring backends."""

    def make(backend: str) -> Home:
        environ = {"TEST_RING": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT)}
        home = Home(tmp_path / "home", environ, store="keyring")
        home.write_config(
            f'[profiles.t]\nissuer = "https://unused.example"\nclient_id = "tokenctl-demo"\nkeyring_backend = "{backend}"\n'
        )
        return home

    return make


@pytest.mark.quick
@pytest.mark.parametrize(
    ("backend", "says"),
    [
        ("tests.support.ring.Locked", "the keyring is locked"),
        ("tests.support.ring.Hanging", "did not answer within 3 s"),
        ("tests.support.ring.Missing", "is not installed"),
        ("keyring.backends.null.Keyring", "keeps nothing"),
        ("keyring.backends.fail.Keyring", "keeps nothing"),
        ("json.JSONDecoder", "is not a keyring backend"),
    ],
)
@pytest.mark.parametrize("words", [("token",), ("show",), ("refresh",), ("revoke",)])
def test_a_keyring_that_cannot_be_used(
    ring_home: Callable[[str], Home], backend: str, says: str, words: tuple[str, ...]
) -> None:
    """Locked, hanging, missing and useless keyrings are four clear errors with status 3, within the deadline."""
    assert_one_clear_error(ring_home(backend).run(*words), 3, says)


def test_a_keyring_that_keeps_nothing(ring_home: Callable[[str], Home], demo_server: FaultyServer) -> None:
    """A keyring that drops what is written is found out at login."""
    home = ring_home("tests.support.ring.Forgetful")
    home.write_config(home.config.read_text().replace("https://unused.example", demo_server.issuer))
    result = home.login(demo_server.issuer)
    assert result.status == 3 and "did not keep what was written" in result.stderr


def test_no_keyring_at_all(tmp_path: Path) -> None:
    """Without any keyring, login says so before a person signs in, and names the ways out."""
    home = Home(tmp_path / "home", {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}, store="keyring")
    result = home.run("login", "-p", "t", "--issuer", "https://unused.example", "--client-id", "x")
    assert result.status == 3 and result.stderr.count("error: ") == 1
    assert "--store file" in result.stderr and "--store memory" in result.stderr


def test_ctrl_c_leaves_nothing_behind(home: Home, demo_server: FaultyServer) -> None:
    """Ctrl-C while waiting for the browser ends with 130, closes the listener, and stores nothing."""
    import signal

    before = home.snapshot()
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo", "--scope", "openid")
    with home.start("login", "-p", "t", *options, "--no-browser", new_session=True) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith("http")).strip()
        threading.Event().wait(0.3)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "tokenctl: error: interrupted" and said.count("tokenctl: error: ") == 1
    assert home.snapshot() == before
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(parse_qs(urlsplit(url).query)["redirect_uri"][0], timeout=120)


def test_a_server_cannot_write_on_the_terminal(home: Home, demo_server: FaultyServer) -> None:
    """Control characters that a server sends never reach the terminal."""

    def refuse(_: Received) -> Reply:
        return json_reply(
            {"error": "x\x1b]0;owned\x07", "error_description": "a\x1b[2Jb\u202ec\nforged: line"}, status=400
        )

    demo_server.overrides = {"/token": refuse}
    result = _login(home, demo_server.issuer)
    assert result.status == 5
    assert not {"\x1b", "\x07", "\u202e"} & set(result.stderr)
    assert not [line for line in result.stderr.splitlines() if line.startswith("forged")]


def test_a_wrong_passphrase(home: Home, make_server: Make) -> None:
    """A wrong passphrase is 3, and the file is not touched."""
    home.login(make_server().issuer)
    (home.folder / "passphrase").write_text("wrong\n")
    before = home.snapshot()
    for words in (("token",), ("refresh",), ("show",), ("revoke",)):
        assert_one_clear_error(home.run(*words), 3, "passphrase is wrong, or the file was changed")
    assert home.snapshot() == before
