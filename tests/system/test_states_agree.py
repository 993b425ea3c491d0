"""`show` and `token` agree about the state of a session, whatever has happened to it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support.aging import age
from tests.support.commandline import Home
from tests.support.flows import always, rewritten
from tokenctl.storage.file_keyring import EncryptedFile

DEAD = json_reply({"error": "invalid_grant"}, 400)
Happening = Callable[[Home, FaultyServer], object]


def age_to(left: int) -> Happening:
    """Let the access token have so many seconds more."""
    return lambda home, server: age(home, left=left)


def is_dead(left: int) -> Happening:
    """Let the server refuse the refresh token once; then let the access token have so many seconds more."""

    def happens(home: Home, server: FaultyServer) -> None:
        server.overrides["/token"] = always(DEAD)
        assert home.run("refresh").status == 4
        age(home, left=left)

    return happens


def in_doubt(home: Home, server: FaultyServer) -> None:
    """Let two answers be lost, and the access token expire."""
    server.overrides["/token"] = always(Reply(drop_before=True))
    assert home.run("refresh").status == 6
    age(home)


def edit(old: str, new: str) -> Happening:
    """Change the config file."""

    def happens(home: Home, server: FaultyServer) -> None:
        text = home.config.read_text()
        changed = text.replace(old.format(issuer=server.issuer), new)
        assert changed != text
        home.config.write_text(changed)

    return happens


def damage_journal(home: Home, server: FaultyServer) -> None:
    """Let a journal be there that nobody can read, beside an expired token."""
    (state,) = (Path(home.environ["TOKENCTL_STATE_DIR"]) / "t",)
    (redo_log,) = state.glob("redo.*")
    journal = redo_log.with_name(redo_log.name.replace("redo", "journal"))
    journal.touch(0o600)
    journal.write_text("x")
    age(home)


def sign_out_cut_off(home: Home, server: FaultyServer) -> None:
    """Revoke at a server whose answer is lost."""
    server.overrides["/revoke"] = lambda request: Reply(drop_before=True)
    assert home.run("revoke").status == 6


STATES: dict[str, tuple[Happening, str, int, int]] = {
    # what happens -> the state, the exit status of show, that of token
    "fresh": (age_to(800), "fresh", 0, 0),
    "stale": (age_to(50), "stale", 0, 0),
    "expired": (age_to(-60), "expired", 0, 0),
    "dead, and the access token is fresh": (is_dead(800), "fresh", 0, 0),
    "dead, and the access token lives": (is_dead(50), "stale", 0, 0),
    "dead and expired": (is_dead(-60), "login_required", 4, 4),
    "in doubt and expired": (in_doubt, "expired", 0, 6),
    "signed out": (lambda home, server: home.run("revoke"), "logged_out", 4, 4),
    "signing out": (sign_out_cut_off, "signing_out", 4, 4),
    "another issuer": (edit("{issuer}", "https://another.example"), "login_required", 4, 4),
    "another client": (edit("tokenctl-demo", "another"), "login_required", 4, 4),
    "a damaged journal": (damage_journal, "expired", 3, 3),
}


@pytest.mark.parametrize("what", STATES)
def test_show_and_token_agree(home: Home, demo_server: FaultyServer, what: str) -> None:
    """The same state, and the same exit status: 4 from both, or from neither. Only `token` asks the server (6)."""
    assert home.login(demo_server.issuer).status == 0
    happens, state, shown, given = STATES[what]
    happens(home, demo_server)
    show = home.run("show", "--json")
    assert (json.loads(show.stdout)["state"], show.status) == (state, shown), show.stderr
    token = home.run("token")
    assert (token.status, bool(token.stdout)) == (given, given == 0), token.stderr
    if given not in (0, 6):
        assert show.stderr.splitlines()[0] == token.stderr.splitlines()[0], "one reason for both"
    everything = home.run("show", "--all", "--json")
    assert everything.status == (0 if state == "logged_out" else shown), "signed out is no failure of a list"
    assert [each["profile"] for each in json.loads(everything.stdout)] == ["t"]


@pytest.mark.parametrize(("left", "state", "status"), [(50, "stale", 0), (-60, "login_required", 4)])
def test_they_agree_without_a_refresh_token(
    home: Home, demo_server: FaultyServer, left: int, state: str, status: int
) -> None:
    """Nothing can renew the session, so it ends with its access token, and not before."""
    demo_server.overrides["/token"] = rewritten(demo_server, refresh_token=None)
    assert home.login(demo_server.issuer).status == 0
    age(home, left=left)
    show = home.run("show", "--json")
    assert (json.loads(show.stdout)["state"], show.status) == (state, status)
    assert home.run("token").status == status


@pytest.mark.parametrize("refused", [False, True])
def test_they_agree_about_a_machine(home: Home, demo_server: FaultyServer, refused: bool) -> None:
    """A machine's expired session is not lost: it signs in again by itself, unless its credentials are refused (5)."""
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci", "--flow", "client-credentials")
    assert home.run("login", "-p", "t", *options, "--client-secret-stdin", stdin="demo-ci-secret\n").status == 0
    age(home)
    if refused:
        demo_server.overrides["/token"] = always(DEAD)
    show = home.run("show", "--json")
    assert (json.loads(show.stdout)["state"], show.status) == ("expired", 0)
    assert home.run("token").status == (5 if refused else 0)
    show = home.run("show", "--json")
    assert (json.loads(show.stdout)["state"], show.status) == ("expired" if refused else "fresh", 0)


@pytest.mark.parametrize("left", [50, -60])
def test_they_agree_about_a_secret_that_is_gone(home: Home, demo_server: FaultyServer, left: int) -> None:
    """A machine whose secret somebody has removed can do nothing once its token has expired."""
    options = ("--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci", "--flow", "client-credentials")
    assert home.run("login", "-p", "t", *options, "--client-secret-stdin", stdin="demo-ci-secret\n").status == 0
    age(home, left=left)
    passphrase = Path(home.environ["TOKENCTL_PASSPHRASE_FILE"]).read_text().strip()
    EncryptedFile(Path(home.environ["TOKENCTL_STATE_DIR"]), lambda new: passphrase).delete_password(
        "tokenctl:t", "secret"
    )
    show, token = home.run("show", "--json"), home.run("token")
    status, state = (0, "stale") if left > 0 else (4, "login_required")
    assert (json.loads(show.stdout)["state"], show.status, token.status) == (state, status, status)
    if status:
        assert show.stderr == token.stderr and "--client-secret-stdin" in show.stderr
        assert home.run("show", "--all").status == 4
