"""`tokenctl login` with nothing configured: what it asks a person, and what it makes of the answers."""

import json
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support.attended import CTRL_C, Answer, attended
from tests.support.commandline import Home
from tests.support.demo_server import Make
from tests.support.desk import Desk, at_desk
from tests.support.fetch import fetch
from tests.support.flows import Person, always, change_metadata, rewritten
from tokenctl.adapters.redirect_listener import FIXED_PORT, listening
from tokenctl.cli.answers import Answers
from tokenctl.cli.guided import Described, describe
from tokenctl.cli.issuer_answer import issuers
from tokenctl.errors import Refused, UsageError

OPENID, OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
MANY = "-"
"""The answer that any port will do for the redirect URI; the fixed one is shared by all tests at once."""


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A terminal that is this process's stdin."""
    with at_desk(monkeypatch) as desk:
        yield desk


def described(desk: Desk, *answers: str, runtime: Person | None = None, **members: Any) -> Described:
    """Answer the questions of a first login."""
    desk.answer(*answers)
    desk.type_now(b"\x04")  # a question more gets no answer
    runtime = runtime or Person()
    return describe(runtime, None, members, Answers(runtime.terminal), "default")


def test_an_address_is_all_that_a_person_needs_to_know(desk: Desk, demo_server: FaultyServer) -> None:
    """Everything else has a default that the server's metadata gives; only the client ID has none."""
    found = described(desk, demo_server.issuer.removeprefix("http://"), "tokenctl-demo", "", "", "", MANY, "")
    profile = found.profile
    assert (profile.name, profile.issuer, profile.client_id) == ("default", demo_server.issuer, "tokenctl-demo")
    assert (profile.flow, profile.scope, profile.port, found.secret) == ("browser", "openid offline_access", None, None)


def test_what_options_say_is_not_asked(desk: Desk, demo_server: FaultyServer, capsys: Any) -> None:
    """Each given member takes its question away."""
    members: dict[str, Any] = {"issuer": demo_server.issuer, "flow": "browser", "scope": "openid", "port": 1234}
    found = described(desk, "tokenctl-demo", "", "work", **members)
    assert (found.profile.client_id, found.profile.name, found.profile.port) == ("tokenctl-demo", "work", 1234)
    said = capsys.readouterr().err
    assert not any(each in said for each in ("issuer (", "how to sign in", "scopes", "redirect URI"))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("login.example.com", "https://login.example.com"),
        ("Login.Example.COM/Realms/A", "https://login.example.com/Realms/A"),
        ("HTTPS://login.example.com/", "https://login.example.com"),
        ("https://login.example.com/a/", "https://login.example.com/a/"),
        ("https://login.example.com/.well-known/openid-configuration", "https://login.example.com"),
        ("https://x.example/a/.well-known/openid-configuration", "https://x.example/a"),
        ("https://x.example/.well-known/oauth-authorization-server/a", "https://x.example/a"),
        ("https://x.example/sign_in?next=/", "https://x.example/sign_in"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1:8080/a", "http://127.0.0.1:8080/a"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("login.example.com:8443", "https://login.example.com:8443"),
    ],
)
def test_an_address_as_people_type_it_is_an_issuer(typed: str, meant: str) -> None:
    """Scheme, capitals, and the addresses of metadata and of pages."""
    assert issuers(typed)[0] == meant


def test_the_server_of_a_page_is_found(desk: Desk, demo_server: FaultyServer) -> None:
    """Whoever pastes the address of a sign-in page means the server that it is at."""
    found = described(desk, f"<{demo_server.issuer}/sign_in?next=/>", "x", "", "", "", MANY, "")
    assert found.profile.issuer == demo_server.issuer


@pytest.mark.parametrize(("agreed", "asked"), [("y", 1), ("n", 2)])
def test_another_issuer_is_shown_and_asked_for(
    desk: Desk, demo_server: FaultyServer, capsys: Any, agreed: str, asked: int
) -> None:
    """A server can call itself something else than its address; that counts only when the person says so."""
    other = demo_server.issuer.replace("127.0.0.1", "localhost")
    answers = [other, agreed, *([demo_server.issuer] if agreed == "n" else []), "x", "", "", "", MANY, ""]
    assert described(desk, *answers).profile.issuer == demo_server.issuer
    said = capsys.readouterr().err
    assert f"\n{demo_server.issuer}\n" in said and said.count("issuer (") == asked


def test_a_final_slash_is_put_right(desk: Desk, make_server: Make, capsys: Any) -> None:
    """Nobody is asked about it, and the exact issuer is said."""
    server = make_server()
    server.overrides[OPENID] = server.overrides[OAUTH] = rewritten(server, issuer=f"{server.issuer}/")
    assert described(desk, server.issuer, "x", "", "", "", MANY, "").profile.issuer == f"{server.issuer}/"
    assert f"the exact issuer is {server.issuer}/" in capsys.readouterr().err


def test_a_server_without_metadata_is_described(desk: Desk, demo_server: FaultyServer) -> None:
    """Many have none: the person names the endpoints, and what is named is what is offered."""
    demo_server.overrides[OPENID] = demo_server.overrides[OAUTH] = always(Reply(status=404))
    at = demo_server.issuer
    endpoints = ["ftp://x", f"{at}/token", f"{at}/authorize", "", f" <{at}/revoke>"]
    profile = described(desk, at, "y", *endpoints, "x", "", "", "openid", MANY, "").profile
    assert (profile.issuer, profile.token_endpoint, profile.revocation_endpoint) == (at, f"{at}/token", f"{at}/revoke")
    assert (profile.authorization_endpoint, profile.flow, profile.scope) == (f"{at}/authorize", "browser", "openid")


def test_whoever_has_no_endpoints_gives_another_address(
    desk: Desk, demo_server: FaultyServer, make_server: Make, capsys: Any
) -> None:
    """The error of the first one was said."""
    demo_server.overrides[OPENID] = demo_server.overrides[OAUTH] = always(Reply(status=404))
    right = make_server().issuer
    assert described(desk, demo_server.issuer, "n", right, "x", "", "", "", MANY, "").profile.issuer == right
    assert "has no metadata" in capsys.readouterr().err


def test_a_wrong_answer_is_asked_again(desk: Desk, demo_server: FaultyServer, capsys: Any) -> None:
    """Each is said at once, and costs no other answer."""
    with listening() as taken:
        address = [f"{demo_server.issuer}:x", "127.0.0.1:1", demo_server.issuer]
        way = ["7", "1"]
        redirect = [taken.redirect_uri, "https://login.example.com/", "70000", MANY]
        name = ["../x", "mine"]
        found = described(desk, *address, "x", *way, "", "", *redirect, *name)
    assert found.profile.name == "mine"
    warnings = [line for line in capsys.readouterr().err.splitlines() if "tokenctl: warning: " in line]
    expected = ["not a URL", "", "must be one of 1, 2, 3", "cannot listen", "not an http address", "from 1 to 65535"]
    expected.append("not a valid profile name")
    assert len(warnings) == len(expected)
    assert all(part in line for part, line in zip(expected, warnings, strict=True)), warnings


@pytest.mark.parametrize(
    ("members", "ways"),
    [
        ({}, ["browser", "device", "client-credentials"]),
        ({"device_authorization_endpoint": None}, ["browser", "client-credentials"]),
        ({"grant_types_supported": ["authorization_code"]}, ["browser", "device"]),
        ({"grant_types_supported": None, "authorization_endpoint": None}, ["device", "client-credentials"]),
    ],
)
def test_only_what_the_server_offers_is_a_choice(
    desk: Desk, demo_server: FaultyServer, capsys: Any, members: dict[str, Any], ways: list[str]
) -> None:
    """The ways to sign in are the metadata's."""
    change_metadata(demo_server, **members)
    described(desk, demo_server.issuer, "x", "1", "", "", *([MANY] if ways[0] == "browser" else []), "")
    said = [line.split()[1] for line in capsys.readouterr().err.splitlines() if line.startswith("  ")]
    assert said == [f"{each}:" for each in ways]


def test_one_way_is_no_question(desk: Desk, demo_server: FaultyServer) -> None:
    """A server for machines alone wants the secret, and offers no scope of a person."""
    only = {"authorization_endpoint": None, "device_authorization_endpoint": None}
    change_metadata(demo_server, **only)
    found = described(desk, demo_server.issuer, "ci", "", "demo-ci-secret", "", "")
    assert (found.profile.flow, found.secret, found.profile.scope) == ("client-credentials", "demo-ci-secret", None)


def test_a_server_that_offers_nothing_is_refused(desk: Desk, demo_server: FaultyServer) -> None:
    """It says so before other questions."""
    change_metadata(
        demo_server, authorization_endpoint=None, device_authorization_endpoint=None, grant_types_supported=["x"]
    )
    with pytest.raises(Refused, match="no way to sign in"):
        described(desk, demo_server.issuer, "x")


@pytest.mark.parametrize(
    ("listed", "scope"),
    [(["openid", "api"], "openid"), (None, None), (["offline_access", "x"], "offline_access"), (["api"], None)],
)
def test_the_usual_scopes_are_offered_where_they_are_listed(
    desk: Desk, demo_server: FaultyServer, listed: list[str] | None, scope: str | None
) -> None:
    """A scope that the server does not know would be refused."""
    change_metadata(demo_server, scopes_supported=listed)
    assert described(desk, demo_server.issuer, "x", "", "", "", MANY, "").profile.scope == scope


def test_a_client_that_can_have_no_secret_is_not_asked_for_one(
    desk: Desk, demo_server: FaultyServer, capsys: Any
) -> None:
    """The server lists `none` alone."""
    change_metadata(demo_server, token_endpoint_auth_methods_supported=["none"])
    described(desk, demo_server.issuer, "x", "1", "", MANY, "")
    assert b"client secret" not in desk.shown


@pytest.mark.parametrize(
    ("typed", "members"),
    [
        (MANY, {}),
        ("{}", {"port": "{}"}),
        ("http://localhost:{}/cb", {"redirect_uri": "http://localhost:{}/cb"}),
        ("http://[::1]:{}/cb", {"redirect_uri": "http://[::1]:{}/cb"}),
    ],
)
def test_the_registered_redirect_uri_is_saved(
    desk: Desk, demo_server: FaultyServer, capsys: Any, typed: str, members: dict[str, str]
) -> None:
    """The line to register stands alone, and a person can say what is registered already."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    profile = described(desk, demo_server.issuer, "x", "1", "", "", typed.format(port), "").profile
    saved = {name: str(value) for name in ("port", "redirect_uri") if (value := getattr(profile, name))}
    assert saved == {name: value.format(port) for name, value in members.items()}
    assert f"\nhttp://127.0.0.1:{FIXED_PORT}/callback\n" in capsys.readouterr().err


def test_nobody_to_ask_is_told_what_to_give(home: Home) -> None:
    """Without a terminal, and in CI."""
    for environ in ({}, {"CI": "true"}):
        result = home.run("login", environ=environ)
        assert result.status == 2 and "--issuer URL and --client-id ID are missing" in result.stderr, result.stderr
        result = home.run("login", "--issuer", "https://login.example.com", environ=environ)
        assert (
            result.status == 2
            and "--client-id ID is missing" in result.stderr
            and "--issuer URL and" not in result.stderr
        )
    terminal = attended(home, "login", environ={"CI": "true"})
    assert terminal.status == 2 and "are missing" in terminal.stderr


def questions(issuer: str, client: str, way: str, secret: str, scope: str) -> list[tuple[str, Answer]]:
    """The questions of a first login, and their answers."""
    answers = [("issuer (", issuer), ("client ID", client), ("how to sign in", way), ("client secret", secret)]
    answers += [("scopes", scope), *([("redirect URI (", MANY)] if way == "browser" else []), ("name of this", "")]
    return [(question, f"{answer}\n".encode()) for question, answer in answers]


def visits(said: str) -> None:
    address = next(line.strip() for line in said.splitlines() if line.startswith("http") and "/authorize?" in line)
    threading.Thread(target=fetch, args=(address,), daemon=True).start()


def test_a_persons_whole_first_login(home: Home, demo_server: FaultyServer) -> None:
    """From an address to a token, with a wrong client ID in the first try; the answers are the second try's defaults."""
    first = questions(demo_server.issuer, "wrong", "device", "", "")
    second = [("issuer (", b"\n"), ("client ID", b"\x15tokenctl-demo\n"), ("how to sign in", b"browser\n")]
    second += [("client secret", b"\n"), ("scopes", b"\n"), ("redirect URI (", b"-\n"), ("name of this", b"\n")]
    answers = [*first, ("try again?", b"y\n"), *second, ("paste that page", visits), ("signed in to default", b"")]
    result = attended(home, "login", answers=answers)
    assert result.status == 0, result.stderr
    assert "how to sign in [device]" in result.stderr and f"[{demo_server.issuer}]" in result.stderr
    assert home.run("token").status == 0
    shown = json.loads(home.run("show", "--json").stdout)
    assert (shown["flow"], shown["account"], shown["refresh_token"]["present"]) == ("browser", "ada", True)


def test_a_persons_confidential_client_keeps_its_secret(home: Home, make_server: Make) -> None:
    """It is in no file as text, each renewal has it, and the next login has it too; without it, it is asked for."""
    from dataclasses import replace

    from tokenctl.demo.registry import CLIENTS

    server = make_server(clients=(replace(CLIENTS[0], secret="canary-secret"), *CLIENTS[1:]))
    answers = questions(server.issuer, "tokenctl-demo", "browser", "canary-secret", "")
    finish: list[tuple[str, Answer]] = [("paste that page", visits), ("signed in to default", b"")]
    result = attended(home, "login", "--no-browser", answers=[*answers, *finish])
    assert result.status == 0, result.stderr
    assert not any(b"canary" in each for each in home.contents().values()) and "canary" not in result.stderr
    assert home.run("refresh").status == 0
    assert home.login(server.issuer, profile="default").status == 0
    assert home.run("revoke").status == 0
    home.folder.joinpath("state", "default").rename(home.folder / "gone")
    again = attended(home, "login", "--no-browser", answers=[("client secret", b"canary-secret\n"), *finish])
    assert again.status == 0, again.stderr


def test_a_machines_whole_first_login(home: Home, demo_server: FaultyServer) -> None:
    """With the secret of its client, and no browser."""
    answers = questions(demo_server.issuer, "tokenctl-demo-ci", "client-credentials", "demo-ci-secret", "api")
    result = attended(home, "login", answers=answers)
    assert result.status == 0, result.stderr
    assert home.run("token").status == 0 and "demo-ci-secret" not in result.stderr
    assert not any(b"demo-ci-secret" in each for each in home.contents().values())


def test_a_profile_that_lacks_its_client_is_guided(home: Home, demo_server: FaultyServer) -> None:
    """What the profile says is not asked, and stays."""
    home.write_config(f'[profiles.t]\nissuer = "{demo_server.issuer}" # mine\nscope = "openid"\nflow = "device"\n')
    approve: Answer = lambda said: demo_server.approve_device(  # noqa: E731
        next(line.strip() for line in said.splitlines() if line.startswith("    "))
    )
    answers = [("client ID", b"tokenctl-demo\n"), ("client secret", b"\n"), ("yourself", approve)]
    result = attended(home, "login", "-p", "t", answers=answers)
    assert result.status == 0, result.stderr
    assert "issuer (" not in result.stderr and "# mine" in home.config.read_text()
    assert 'client_id = "tokenctl-demo"' in home.config.read_text()


def test_answers_can_be_kept_without_a_session(home: Home, demo_server: FaultyServer) -> None:
    """A server that is down costs no answers."""
    demo_server.overrides["/token"] = always(Reply(status=503))
    answers = questions(demo_server.issuer, "tokenctl-demo-ci", "client-credentials", "demo-ci-secret", "api")
    result = attended(home, "login", answers=[*answers, ("try again?", b"n\n"), ("save your answers", b"y\n")])
    assert result.status == 6 and result.stderr.count("tokenctl: error: ") == 1, result.stderr
    demo_server.overrides.clear()
    done = attended(home, "login", answers=[("client secret", b"demo-ci-secret\n")])
    assert done.status == 0, done.stderr


NO_BUS = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "PYTHON_KEYRING_BACKEND": ""}


def keyring_less(tmp_path: Path) -> Home:
    """A home without a keyring, in which no store was chosen either."""
    return Home(tmp_path / "bare", NO_BUS, store="keyring")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a keyring")
def test_without_a_keyring_a_person_can_choose_an_encrypted_file(tmp_path: Path, demo_server: FaultyServer) -> None:
    """No answer is asked again, two passphrases that differ neither, and the profile says where the session is."""
    home = keyring_less(tmp_path)
    typed = [("(a new one)", b"one\n"), ("again", b"two\n"), ("(a new one)", b"good\n"), ("again", b"good\n")]
    answers = questions(demo_server.issuer, "tokenctl-demo-ci", "client-credentials", "demo-ci-secret", "api")
    result = attended(home, "login", answers=[*answers, ("keep the session in a file", b"y\n"), *typed])
    assert result.status == 0 and result.stderr.count("issuer (") == 1, result.stderr
    assert 'store = "file"' in home.config.read_text()
    assert home.run("token", environ={"TOKENCTL_PASSPHRASE": "good"}).status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a keyring")
@pytest.mark.parametrize(("words", "environ"), [(("--store", "keyring"), {}), ((), {"TOKENCTL_STORE": "keyring"})])
def test_a_store_that_was_named_is_the_only_one(
    tmp_path: Path, demo_server: FaultyServer, words: tuple[str, ...], environ: dict[str, str]
) -> None:
    """Who says the keyring gets the error, and no file."""
    login = ("login", "-p", "t", "--issuer", demo_server.issuer, "--client-id", "tokenctl-demo", "--flow", "device")
    result = attended(keyring_less(tmp_path), *login, *words, environ=environ)
    assert result.status == 3 and "keep the session in a file" not in result.stderr, result.stderr


def test_ctrl_c_in_the_sign_in_costs_no_answers(home: Home, demo_server: FaultyServer) -> None:
    """A wrong client is seen in the browser only; the hint is the whole command, to change and to run again."""
    first = questions(demo_server.issuer, "tokenctl-demo", "device", "", "openid api")
    ended = attended(home, "login", answers=[*first, ("yourself", CTRL_C)])
    assert ended.status == 130, ended.stderr
    hint = ended.stderr.partition("to go on with the same answers:\ntokenctl ")[2].partition("\n")[0]
    assert shlex.split(hint)[-2:] == ["--flow", "device"] and "'openid api'" in hint
    approve: Answer = lambda said: demo_server.approve_device(  # noqa: E731
        next(line.strip() for line in said.splitlines() if line.startswith("    "))
    )
    done = attended(home, *shlex.split(hint), answers=[("yourself", approve)])
    assert done.status == 0, done.stderr


def test_nothing_asked_is_nothing_to_try_again(home: Home, demo_server: FaultyServer) -> None:
    """A login with all its options fails as ever."""
    demo_server.overrides["/token"] = always(json_reply({"error": "invalid_client"}, 401))
    words = ("--issuer", demo_server.issuer, "--client-id", "x", "--flow", "client-credentials")
    result = attended(home, "login", *words, answers=[("client secret", b"y\n")])
    assert result.status == 5 and "try again?" not in result.stderr


def test_no_answer_ends_the_questions(desk: Desk) -> None:
    """Ctrl-D is a usage error."""
    desk.type_now(b"\x04")
    with pytest.raises(UsageError, match="no answer"):
        described(desk)


def test_no_answer_ends_the_question_for_a_secret_too(desk: Desk, demo_server: FaultyServer) -> None:
    """Where a secret is needed, it was asked for again and again: without end where the terminal was gone."""
    members: dict[str, Any] = {"issuer": demo_server.issuer, "client_id": "c", "flow": "client-credentials"}
    desk.type_now(b"\x04typed in vain\n")
    with pytest.raises(UsageError, match="client secret: no answer"):
        described(desk, **members)
