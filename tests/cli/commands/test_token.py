"""`tokenctl token`."""

import json

import pytest

from tests.servers.faulty_server import FaultyServer, Reply
from tests.support.aging import age
from tests.support.attended import CTRL_C, attended
from tests.support.commandline import Home
from tests.support.demo_server import Make
from tokenctl.oauth.claims import unverified_claims


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


def test_raw(signed_in: Home) -> None:
    """Stdout is the token and a newline, and stderr is empty."""
    result = signed_in.run("token")
    assert result.status == 0 and result.stderr == ""
    assert result.stdout.count("\n") == 1 and result.stdout.count(".") == 2


@pytest.mark.quick
def test_header(signed_in: Home) -> None:
    """--format header answers a whole header."""
    assert (
        signed_in.run("token", "--format", "header").stdout == f"Authorization: Bearer {signed_in.run('token').stdout}"
    )


def test_json(signed_in: Home) -> None:
    """--format json answers exactly the documented members."""
    found = json.loads(signed_in.run("token", "--format", "json").stdout)
    assert set(found) == {"access_token", "token_type", "expires_at", "expires_in", "scope", "profile"}
    assert found["token_type"] == "Bearer" and found["profile"] == "t" and 0 < found["expires_in"] <= 900


def test_min_ttl_renews_a_token_that_would_not_live_long_enough(home: Home, make_server: Make) -> None:
    """--min-ttl renews, but never asks for more than half of the token's own life."""
    server = make_server(access_token_lifetime=100)
    home.login(server.issuer)
    first = home.run("token").stdout
    assert home.run("token", "--min-ttl", "49s").stdout == first
    assert home.run("token", "--min-ttl", "7d").stdout == first
    assert server.count("/token", "refresh_token") == 0


@pytest.mark.parametrize("words", [("token", "--min-ttl", "7d"), ("exec", "--min-ttl", "7d", "--", "true")])
def test_min_ttl_beyond_the_tokens_life_is_said(home: Home, make_server: Make, words: tuple[str, ...]) -> None:
    """Who asks for more than the server's tokens can give gets the token, and one warning that says how long they live."""
    server = make_server(access_token_lifetime=100)
    home.login(server.issuer)
    result = home.run(*words)
    (line,) = result.stderr.splitlines()
    assert result.status == 0 and line.startswith("tokenctl: warning: this token still lives ")
    assert "604800 s of --min-ttl" in line and "the server's tokens live for 100 s" in line


def test_min_ttl_that_the_server_can_give_is_silent(home: Home, make_server: Make) -> None:
    """A profile's own min_ttl, and one on the command line that is met, need no warning."""
    server = make_server(access_token_lifetime=100)
    home.login(server.issuer)
    assert home.run("token", "--min-ttl", "40s").stderr == ""
    home.config.write_text(home.config.read_text() + 'min_ttl = "7d"\n')
    assert home.run("token").stderr == ""


def test_an_audience_at_a_server_without_token_exchange(signed_in: Home) -> None:
    """The hint says what the server lacks and which options do without, and names none that `token` has not."""
    result = signed_in.run("token", "--audience", "urn:other")
    assert (result.status, result.stdout) == (5, "") and "unsupported_grant_type" in result.stderr
    (hint,) = (line for line in result.stderr.splitlines() if line.startswith("tokenctl: hint: "))
    assert "no token exchange (RFC 8693)" in hint and "--flow" not in hint


def test_an_unreachable_server_does_not_take_a_valid_token_away(home: Home, make_server: Make) -> None:
    """A token that is still valid is handed out with a warning when renewing fails for a passing reason."""
    server = make_server()
    home.login(server.issuer)
    server.stop()
    age(home, left=50)
    result = home.run("token")
    assert result.status == 0 and result.stdout
    assert result.stderr.startswith("tokenctl: warning: could not renew")


def test_an_unreachable_server_and_an_expired_token(home: Home, make_server: Make) -> None:
    """An expired token is never handed out; the session is kept for the next try."""
    server = make_server()
    home.login(server.issuer)
    server.stop()
    age(home)
    before = home.snapshot()
    result = home.run("token")
    assert (result.status, result.stdout) == (6, "")
    assert home.snapshot() == before
    server.start()
    assert home.run("token").status == 0


def test_the_environment_asks_for_less(home: Home, demo_server: FaultyServer) -> None:
    """TOKENCTL_SCOPE does what --scope does, for token and exec: a narrower token beside the session."""
    assert home.login(demo_server.issuer, "--scope", "openid offline_access api read").status == 0
    own = home.run("token").stdout
    less = {"TOKENCTL_SCOPE": "api"}
    narrow = home.run("token", environ=less)
    assert narrow.status == 0 and unverified_claims(narrow.stdout.strip())["scope"] == "api", narrow.stderr
    assert home.run("exec", "--", "printenv", "ACCESS_TOKEN", environ=less).stdout == narrow.stdout
    optional = home.run("token", "--scope", "read", environ=less)
    assert unverified_claims(optional.stdout.strip())["scope"] == "read"
    same = home.run("token", environ={"TOKENCTL_SCOPE": "read api openid offline_access"})
    assert same.stdout == home.run("token").stdout and same.stdout not in (narrow.stdout, optional.stdout)
    assert unverified_claims(own.strip())["scope"] == unverified_claims(same.stdout.strip())["scope"]


@pytest.mark.quick
def test_a_job_gets_a_persons_token_only_by_name(home: Home, demo_server: FaultyServer) -> None:
    """With CI set, neither a default profile nor a variable that is empty gives it."""
    assert home.login(demo_server.issuer).status == 0
    job = {"CI": "true"}
    for environ in (job, job | {"TOKENCTL_ID_TOKEN": ""}, job | {"TOKENCTL_CLIENT_SECRET": ""}):
        for words, status in ((("token",), 2), (("exec", "--", "true"), 125)):
            result = home.run(*words, environ=environ)
            assert (result.status, result.stdout) == (status, "") and result.stderr.count("tokenctl: error: ") == 1
    assert home.run("token", "-p", "t", environ=job).status == 0
    assert home.run("token", environ=job | {"TOKENCTL_PROFILE": "t"}).status == 0


def test_a_variable_without_effect_is_told_once(home: Home, demo_server: FaultyServer) -> None:
    """A typing error gets the nearest name, on stderr, and the token is printed."""
    assert home.login(demo_server.issuer).status == 0
    result = home.run("token", environ={"TOKENCTL_SCPE": "api"})
    assert result.status == 0 and result.stderr.count("did you mean 'TOKENCTL_SCOPE'?") == 1


@pytest.mark.parametrize("words", [("token",), ("exec", "--")], ids=lambda each: each[0])
def test_wait_outlives_a_restart_of_the_server(home: Home, make_server: Make, words: tuple[str, ...]) -> None:
    """The command goes on when the server answers again; without --wait, or with 0, it ends at once with its status."""
    server = make_server()
    home.login(server.issuer)
    age(home)
    up: list[bool] = []
    server.overrides["/token"] = lambda _: None if up else Reply(status=503)
    command, *rest = words
    rest = [*rest, "sh", "-c", 'echo "$ACCESS_TOKEN"'] if rest else []
    for options in ((), ("--wait", "0")):
        result = home.run(command, *options, *rest)
        assert (result.status, result.stdout) == (125 if rest else 6, "")
    with home.start(command, "-v", "--wait", "10m", *rest) as process:
        assert process.stderr is not None and process.stdout is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "trying again in" in line:
                up.append(True)
        printed = process.stdout.read()
    assert process.returncode == 0 and printed == home.run("token").stdout, "".join(said)
    assert server.count("/token", "refresh_token") == 4 and server.reuse_detections == 0


def test_ctrl_c_ends_the_wait(home: Home, make_server: Make) -> None:
    """At a terminal one line says what is waited for, and Ctrl-C ends it with 130."""
    server = make_server()
    home.login(server.issuer)
    age(home)
    server.stop()
    result = attended(home, "token", "--wait", "10m", answers=[("waiting for the server, ", CTRL_C)])
    assert result.status == 130 and result.stderr.rstrip().endswith("interrupted"), result.stderr
    assert "Traceback" not in result.stderr and "eyJ" not in result.stderr


def test_a_wait_that_is_no_duration(home: Home) -> None:
    """It is a usage error that names the option."""
    for words, status in ((("token", "--wait", "soon"), 2), (("exec", "--wait", "soon", "--", "true"), 125)):
        result = home.run(*words)
        assert result.status == status and "--wait" in result.stderr and result.stdout == ""


@pytest.mark.quick
def test_for_a_server_is_the_token_of_the_profile_that_is_bound_to_it(signed_in: Home) -> None:
    """Any path of its origin; another origin gets no token, and is told how it could be bound."""
    assert signed_in.run("profile", "set", "t", "hosts+=https://api.example.com").status == 0
    found = signed_in.run("token", "--for", "https://api.example.com:443/v1?q=1", "--format", "json")
    assert json.loads(found.stdout)["profile"] == "t"
    for url in ("https://api.example.com:8443", "https://example.com", "https://api.example.com.", "http://localhost"):
        for profile in ((), ("-p", "t")):
            refused = signed_in.run("token", "--for", url, *profile)
            assert (refused.status, refused.stdout) == (2, "") and f"hosts+={url}" in refused.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("api.example.com", "did you mean https://api.example.com?"),
        ("http://api.example.com", "must be https"),
        ("https://me:word@api.example.com", "'https://...@api.example.com' is not an http or https URL"),
        ("https://api.example.com\n", "is not an http or https URL"),
        ("", "empty"),
    ],
)
def test_for_what_is_no_server(home: Home, url: str, said: str) -> None:
    """A text without an origin is a mistake, and so is plain http to another machine."""
    refused = home.run("token", "--for", url)
    assert (refused.status, refused.stdout) == (2, "") and said in refused.stderr
