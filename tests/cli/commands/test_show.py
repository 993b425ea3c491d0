"""`tokenctl show`."""

import json
import os
import pty
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.aging import age
from tests.support.commandline import COMMAND, Home
from tests.support.demo_server import Make

FIELDS = [
    "schema",
    "profile",
    "state",
    "issuer",
    "client_id",
    "flow",
    "subject",
    "account",
    "scope",
    "token_type",
    "access_token",
    "refresh_token",
    "store",
    "generation",
    "last_refresh_at",
]


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


@pytest.mark.quick
def test_json_is_the_documented_document(signed_in: Home, demo_server: FaultyServer) -> None:
    """--json has exactly the documented fields."""
    found = json.loads(signed_in.run("show", "--json").stdout)
    assert list(found) == FIELDS
    assert set(found["access_token"]) == {"fingerprint", "format", "obtained_at", "expires_at", "expires_in"}
    assert set(found["refresh_token"]) == {"present", "fingerprint", "expires_at", "state"}
    assert found["store"] == {"kind": "file", "backend": "tokenctl.storage.file_keyring.EncryptedFile"}
    assert (found["schema"], found["state"], found["flow"]) == (1, "fresh", "browser")
    assert (found["generation"], found["last_refresh_at"]) == (1, None)
    signed_in.run("refresh")
    again = json.loads(signed_in.run("show", "--json").stdout)
    assert again["generation"] == 2 and again["last_refresh_at"] == again["access_token"]["obtained_at"]


def test_a_second_login_is_no_refresh(signed_in: Home, demo_server: FaultyServer) -> None:
    """After another login nothing has been renewed yet, however many generations there were."""
    signed_in.run("refresh")
    assert signed_in.login(demo_server.issuer).status == 0
    found = json.loads(signed_in.run("show", "--json").stdout)
    assert (found["generation"], found["last_refresh_at"]) == (3, None)
    assert "not yet; signed in" in on_a_terminal(signed_in, "show")
    signed_in.run("refresh")
    again = json.loads(signed_in.run("show", "--json").stdout)
    assert again["last_refresh_at"] == again["access_token"]["obtained_at"]


def test_without_a_session(signed_in: Home) -> None:
    """A profile without a session is shown, with status 4."""
    signed_in.run("revoke")
    result = signed_in.run("show", "--json")
    assert result.status == 4
    assert json.loads(result.stdout)["state"] == "logged_out"


def test_states(home: Home, make_server: Make) -> None:
    """An expired session is `expired` while it can be renewed, and `login_required` when it cannot."""
    server = make_server()
    home.login(server.issuer)
    home.login(server.issuer, "--scope", "openid", profile="u")
    age(home, profile="t")
    age(home, profile="u")
    assert json.loads(home.run("show", "-p", "t", "--json").stdout)["state"] == "expired"
    assert json.loads(home.run("show", "-p", "u", "--json").stdout)["state"] == "login_required"
    assert home.run("token", "-p", "u").status == 4


def test_all(signed_in: Home, demo_server: FaultyServer) -> None:
    """--all shows every profile of the config file, those without a session too."""
    signed_in.config.write_text(
        signed_in.config.read_text() + '\n[profiles.u]\nissuer = "https://u.example"\nclient_id = "u"\n'
    )
    shown = signed_in.run("show", "--all", "--json")
    found = json.loads(shown.stdout)
    assert (shown.status, shown.stderr) == (0, "")
    assert [(each["profile"], each["state"]) for each in found] == [("t", "fresh"), ("u", "logged_out")]


def test_a_mistake_in_one_profile_does_not_hide_the_others(signed_in: Home) -> None:
    """`token` does not look at it; a command about every profile says where it is, with exit status 2."""
    signed_in.write_config(f"{signed_in.config.read_text()}\n[profiles.bad]\nport = 0\n")
    assert signed_in.run("token", "-p", "t").status == 0
    shown = signed_in.run("show", "--all", "--json")
    assert (shown.status, [each["profile"] for each in json.loads(shown.stdout)]) == (2, ["t"])
    for result in (shown, signed_in.run("profile", "list"), signed_in.run("show", "-p", "bad")):
        assert (result.status, "profiles.bad: port" in result.stderr) == (2, True)


def test_claims_verify_introspect(signed_in: Home) -> None:
    """The three closer looks add what they found, and take nothing away."""
    found = json.loads(signed_in.run("show", "--json", "--claims", "--verify", "--introspect").stdout)
    assert list(found) == [*FIELDS, "claims", "verified", "introspection"]
    assert found["claims"]["id_token"]["preferred_username"] == "ada"
    assert found["verified"] == {"access_token": "signed by the issuer", "id_token": "signed by the issuer"}
    assert found["introspection"]["active"] is True


def test_a_token_that_the_issuer_did_not_sign_is_5(home: Home, demo_server: FaultyServer) -> None:
    """The document is on stdout all the same, and the verdict and the error name the token they are about."""
    alien = jwt.encode({"sub": "ada"}, rsa.generate_private_key(65537, 2048), algorithm="RS256")

    def forged(request: Received) -> Reply:
        document = demo_server.answer(request).document
        return json_reply(
            {name: value for name, value in document.items() if name != "id_token"} | {"access_token": alien}
        )

    demo_server.overrides["/token"] = forged
    assert home.login(demo_server.issuer).status == 0
    result = home.run("show", "--verify", "--json")
    assert result.status == 5 and result.stderr.startswith("tokenctl: error: the access token is not acceptable")
    verified = json.loads(result.stdout)["verified"]
    assert list(verified) == ["access_token"] and "access token" in verified["access_token"]
    assert "ID token" not in result.stdout + result.stderr
    plain, every = home.run("show", "--verify"), home.run("show", "--verify", "--all", "--json")
    assert plain.status == 5 and "verified.access_token: the access token is not acceptable" in plain.stdout
    assert every.status == 5 and json.loads(every.stdout)[0]["verified"] == verified


def test_the_first_problem_of_all_profiles_is_the_exit_status(home: Home, demo_server: FaultyServer) -> None:
    """A wrong signature is not hidden by what is wrong with the profiles that follow, and is told in their order."""
    alien = jwt.encode({"sub": "ada"}, rsa.generate_private_key(65537, 2048), algorithm="RS256")
    demo_server.overrides["/token"] = lambda request: json_reply(
        demo_server.answer(request).document | {"access_token": alien, "id_token": None}
    )
    assert home.login(demo_server.issuer).status == 0
    home.write_config(home.config.read_text() + "\n[profiles.z]\n")
    choice = Path(home.environ["TOKENCTL_STATE_DIR"]) / "z" / "store.json"
    choice.parent.mkdir(mode=0o700)
    choice.touch(0o600)  # damaged
    result = home.run("show", "--verify", "--all", "--json")
    errors = [line for line in result.stderr.splitlines() if "error" in line]
    assert result.status == 5 and [line.split(": ")[2] for line in errors] == ["t", "z"], result


def test_introspection_shows_no_token(home: Home, demo_server: FaultyServer) -> None:
    """What the server's answer repeats of the session's tokens is taken out of it, in text and in JSON."""
    kept: dict[str, str] = {}

    def looking(request: Received) -> None:
        kept.update(demo_server.answer(request).document)

    demo_server.overrides["/token"] = looking
    assert home.login(demo_server.issuer).status == 0
    demo_server.overrides["/introspect"] = lambda _: json_reply({"active": True, "more": [kept]})
    for words in ((), ("--json",)):
        result = home.run("show", "--introspect", *words)
        assert result.status == 0 and "***" in result.stdout
        for name in ("access_token", "refresh_token", "id_token"):
            assert kept[name] not in result.stdout


def test_a_pipe_gets_plain_lines(signed_in: Home) -> None:
    """In a pipe there is no frame and no colour."""
    lines = signed_in.run("show").stdout.splitlines()
    assert lines[0] == "profile: t"
    assert all(": " in line and line.isascii() for line in lines)


def test_claims_cannot_write_on_the_terminal(signed_in: Home, demo_server: FaultyServer) -> None:
    """Neither names nor values of claims reach the terminal with control characters, or as markup."""

    def evil(_: Received) -> Reply:
        return json_reply({"active": True, "\x1b]52;c;x\x07": "\x1b[2J", "[/nope]": "[bold]", "a\nforged": "x\ny"})

    demo_server.overrides = {"/introspect": evil}
    piped = signed_in.run("show", "--introspect")
    assert piped.status == 0 and "\x1b" not in piped.stdout
    assert not [line for line in piped.stdout.splitlines() if line.startswith(("forged", "y"))]
    seen = on_a_terminal(signed_in, "show", "--introspect")
    assert "\x1b]52" not in seen and "\x07" not in seen and "[/nope]" in seen and "[bold]" in seen


def on_a_terminal(home: Home, *words: str, **environ: str) -> str:
    """Run a command on a terminal of its own, and return all it wrote there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home.folder)
        os.execve(
            COMMAND[0], [*COMMAND, *words], {**home.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environ}
        )
    said = b""
    while True:
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break
    os.waitpid(pid, 0)
    os.close(terminal)
    return said.decode(errors="replace")


def test_a_terminal_gets_a_panel(signed_in: Home) -> None:
    """On a terminal there is a panel, in colour unless NO_COLOR is set, and no token in it."""
    seen = on_a_terminal(signed_in, "show")
    assert "╭" in seen and "ada" in seen and "fresh" in seen and "\x1b[" in seen
    assert signed_in.run("token").stdout.strip() not in seen
    plain = on_a_terminal(signed_in, "show", NO_COLOR="1")
    assert "╭" in plain and "\x1b[3" not in plain


def test_a_terminal_without_utf_8(signed_in: Home) -> None:
    """A terminal that knows only ASCII gets a panel that it can draw."""
    seen = on_a_terminal(signed_in, "show", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "ada" in seen and "error" not in seen


def test_a_session_that_the_server_ended_needs_a_sign_in(home: Home, make_server: Make) -> None:
    """Once the server has refused the refresh token, show knows that it will not renew itself."""
    server = make_server()
    assert home.login(server.issuer).status == 0
    server.kill_session()
    age(home)
    assert json.loads(home.run("show", "--json").stdout)["state"] == "expired"
    assert home.run("token").status == 4
    assert json.loads(home.run("show", "--json").stdout)["state"] == "login_required"


@pytest.mark.parametrize(
    ("reply", "state", "said"),
    [
        (json_reply({"error": "invalid_grant"}, 400), "dead", "the server ended it: sign in again"),
        (Reply(drop_before=True), "in_doubt", "the next command asks again"),
    ],
)
def test_a_session_that_cannot_go_on_says_so_while_its_token_lives(
    signed_in: Home, demo_server: FaultyServer, reply: Reply, state: str, said: str
) -> None:
    """The access token is fresh still, and what comes after it is told; once it is over, that is the state."""
    demo_server.overrides["/token"] = lambda _: reply
    assert signed_in.run("refresh").status != 0
    found = json.loads(signed_in.run("show", "--json").stdout)
    assert (found["state"], found["refresh_token"]["state"]) == ("fresh", state)
    assert said in on_a_terminal(signed_in, "show")


def test_a_machine_that_keeps_nothing_is_no_failure(home: Home, demo_server: FaultyServer) -> None:
    """There is nothing to show or to revoke, and nothing to be done about it."""
    environ = {
        "TOKENCTL_ISSUER": demo_server.issuer,
        "TOKENCTL_CLIENT_ID": "tokenctl-demo-ci",
        "TOKENCTL_CLIENT_SECRET": "demo-ci-secret",
        "TOKENCTL_STORE": "memory",
    }
    for command in ("show", "revoke"):
        result = home.run(command, "-p", "env", environ=environ)
        assert result.status == 0 and "its tokens are not kept" in result.stderr and "error" not in result.stderr, (
            result
        )


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_journal_that_is_not_private_does_not_hide_the_session(signed_in: Home, demo_server: FaultyServer) -> None:
    """What is wrong beside a session that works is no reason to show nothing."""
    demo_server.overrides["/token"] = lambda _: Reply(status=503)
    assert signed_in.run("refresh").status == 6
    (journal,) = signed_in.folder.rglob("journal.*")
    journal.chmod(0o644)
    result = signed_in.run("show", "--json")
    assert result.status == 0 and json.loads(result.stdout)["state"] == "fresh"


@pytest.mark.parametrize(
    ("was", "now"),
    [('client_id = "tokenctl-demo"', 'client_id = "another"'), ("openid offline_access", "openid offline_access api")],
)
def test_a_session_that_is_not_handed_out_is_not_called_fresh(signed_in: Home, was: str, now: str) -> None:
    """After a change of the profile `show` and `token` agree: 4, and the reason; undone, both work again."""
    before = signed_in.config.read_text()
    signed_in.config.write_text(before.replace(was, now))
    token, shown = signed_in.run("token"), signed_in.run("show", "--json")
    assert token.status == shown.status == 4 and token.stderr == shown.stderr != ""
    assert json.loads(shown.stdout)["state"] == "login_required"
    signed_in.config.write_text(before)
    assert signed_in.run("token").status == signed_in.run("show").status == 0
