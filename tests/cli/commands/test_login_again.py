"""`tokenctl login` once more: where nobody has to sign in, and what it needs after a sign-out."""

import json
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer, Reply
from tests.support.aging import age
from tests.support.attended import Answer, attended
from tests.support.commandline import Home, Result
from tests.support.demo_server import Make
from tests.support.fetch import fetch
from tests.support.flows import always, rewritten
from tests.support.paths import ROOT
from tokenctl.demo.registry import CLIENTS

SECRET = "demo-web-secret"
CONFIDENTIAL = replace(CLIENTS[0], client_id="web", secret=SECRET)


def sign_ins(server: FaultyServer) -> int:
    """How often somebody signed in."""
    return server.count("/token", "authorization_code")


@pytest.fixture
def signed_in(home: Home, demo_server: FaultyServer) -> Home:
    """A HOME that is signed in to the demo server."""
    assert home.login(demo_server.issuer).status == 0
    return home


# -- only if needed ---------------------------------------------------------------------------------


def test_nothing_is_done_when_the_session_is_good(home: Home, demo_server: FaultyServer) -> None:
    """The first one signs in, the second one asks nobody, and the third one renews; each leaves a token for `token`."""
    first = home.login(demo_server.issuer, "--if-needed")
    assert (first.status, sign_ins(demo_server)) == (0, 1) and "saved as profile t" in first.stderr
    before, sent = home.snapshot(), len(demo_server.requests)
    fresh = home.login(demo_server.issuer, "--if-needed")
    assert (fresh.status, fresh.stdout) == (0, "") and "t is signed in as ada" in fresh.stderr
    assert home.snapshot() == before and len(demo_server.requests) == sent
    age(home)
    renewed = home.login(demo_server.issuer, "--if-needed", "--json")
    document, shown = json.loads(renewed.stdout), json.loads(home.run("show", "--json").stdout)
    assert renewed.status == 0 and document["state"] == "fresh" and document["generation"] == shown["generation"] == 2
    assert sign_ins(demo_server) == 1 and home.run("token").status == 0


def test_a_dead_session_is_signed_in_to_again(signed_in: Home, demo_server: FaultyServer) -> None:
    """When only a person can go on, it is a login as any other; a server that cannot be reached is 6, and no login."""
    age(signed_in)
    demo_server.overrides["/token"] = always(Reply(status=503))
    assert signed_in.login(demo_server.issuer, "--if-needed").status == 6
    assert sign_ins(demo_server) == 1
    demo_server.overrides.clear()
    demo_server.kill_session()
    again = signed_in.login(demo_server.issuer, "--if-needed", "--json")
    assert (again.status, sign_ins(demo_server)) == (0, 2), again.stderr
    assert json.loads(again.stdout)["state"] == "fresh"
    assert signed_in.run("revoke").status == 0
    assert signed_in.login(demo_server.issuer, "--if-needed").status == 0
    assert sign_ins(demo_server) == 3 and signed_in.run("token").status == 0


def test_another_scope_is_needed(signed_in: Home, demo_server: FaultyServer) -> None:
    """An option that changes the profile makes the session another one; the same scope in another order does not."""
    changed = signed_in.login(demo_server.issuer, "--if-needed", "--scope", "openid offline_access read")
    assert (changed.status, sign_ins(demo_server)) == (0, 2) and "read" in signed_in.config.read_text()
    assert signed_in.login(demo_server.issuer, "--if-needed", "--scope", "openid offline_access read").status == 0
    assert sign_ins(demo_server) == 2
    signed_in.config.write_text(signed_in.config.read_text().replace(" read", " api"))
    assert signed_in.login(demo_server.issuer, "--if-needed").status == 0 and sign_ins(demo_server) == 3


def test_a_machine_needs_no_secret_when_its_session_is_good(home: Home, demo_server: FaultyServer) -> None:
    """The secret on stdin is not even read; the expired session begins again with the one that is kept."""
    options = ("-p", "ci", "--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci")
    words = ("login", "--if-needed", *options, "--flow", "client-credentials", "--client-secret-stdin")
    assert home.run(*words, stdin="demo-ci-secret\n").status == 0
    age(home, profile="ci")
    for given in ("demo-ci-secret\n", "wrong\n"):
        result = home.run(*words, stdin=given)
        assert result.status == 0 and "ci is signed in as tokenctl-demo-ci" in result.stderr
    assert demo_server.count("/token", "client_credentials") == 2


# -- options of a later login -----------------------------------------------------------------------


@pytest.mark.parametrize("granted", ["openid offline_access", None])
def test_what_a_later_login_asks_for_is_saved(signed_in: Home, demo_server: FaultyServer, granted: str | None) -> None:
    """Scope and resource stay in the profile, also where the server grants less; and `token` and `refresh` work."""
    wanted = "openid offline_access api read"
    demo_server.overrides["/token"] = rewritten(demo_server, scope=granted)
    resource = f"{demo_server.issuer}/api"
    result = signed_in.login(demo_server.issuer, "--scope", wanted, "--resource", resource)
    assert result.status == 0 and ("did not grant" in result.stderr) == (granted == "openid offline_access")
    text = signed_in.config.read_text()
    assert f'scope = "{wanted}"' in text and resource in text and "saved as profile t" in result.stderr
    assert signed_in.run("token").status == 0 and signed_in.run("refresh").status == 0
    assert signed_in.run("token").status == 0 and signed_in.run("show").status == 0
    again = signed_in.login(demo_server.issuer, "--if-needed")
    assert again.status == 0 and sign_ins(demo_server) == 2 and "saved as" not in again.stderr
    assert signed_in.login(demo_server.issuer).status == 0 and signed_in.config.read_text() == text


# -- the secret of a client -------------------------------------------------------------------------


@pytest.fixture
def server(make_server: Make) -> FaultyServer:
    """A server with a client that has a secret, and whose people sign in with a browser."""
    return make_server(clients=(*CLIENTS, CONFIDENTIAL))


def login_with_secret(home: Home, *words: str) -> Result:
    """Sign in with the browser; the client secret is on stdin."""
    with home.start("login", *words, "--no-browser", "--client-secret-stdin", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stderr is not None and process.stdout is not None
        process.stdin.write(f"{SECRET}\n")
        process.stdin.close()
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("http"):
                threading.Thread(target=fetch, args=(line.strip(),), daemon=True).start()
        stdout = process.stdout.read()
    return Result(status=process.returncode, stdout=stdout, stderr="".join(said))


def first_login(home: Home, server: FaultyServer) -> None:
    """Sign in as the client with the secret."""
    options = ("-p", "t", "--issuer", server.issuer, "--client-id", "web", "--scope", "openid offline_access")
    result = login_with_secret(home, *options)
    assert result.status == 0, result.stderr


def test_a_second_login_uses_the_secret_that_is_kept(home: Home, server: FaultyServer) -> None:
    """Nobody gives the secret twice, whether the profile says that there is one or only the session does."""
    first_login(home, server)
    text = home.config.read_text()
    assert SECRET not in text and 'token_endpoint_auth_method = "client_secret_basic"' in text
    assert home.login(server.issuer).status == 0 and home.config.read_text() == text
    home.config.write_text(text.replace('token_endpoint_auth_method = "client_secret_basic"\n', ""))
    assert home.login(server.issuer).status == 0 and home.config.read_text() == text


@pytest.mark.parametrize("words", [("revoke",), ("revoke", "--local")], ids=" ".join)
def test_after_a_sign_out_the_secret_is_asked_for_before_the_browser(
    home: Home, server: FaultyServer, words: Sequence[str]
) -> None:
    """Revoke says that the secret is gone; the next login says what is missing, sends nobody off, and works with it."""
    first_login(home, server)
    revoked = home.run(*words)
    assert revoked.status == 0 and "its client secret is forgotten here too" in revoked.stderr
    assert "--client-secret-stdin" in revoked.stderr and SECRET not in revoked.stderr
    refused = home.login(server.issuer)
    assert refused.status == 2 and "http" not in refused.stderr and "--client-secret-stdin" in refused.stderr
    assert sign_ins(server) == 1 and server.count("/authorize") == 1
    assert login_with_secret(home, "-p", "t").status == 0
    assert home.run("token").status == 0


def test_after_a_sign_out_a_person_types_the_secret(home: Home, server: FaultyServer) -> None:
    """At a terminal the question comes before the address, and the secret is not shown."""
    first_login(home, server)
    assert home.run("revoke").status == 0

    def visits(said: str) -> None:
        address = next(line.strip() for line in said.splitlines() if line.startswith("http"))
        threading.Thread(target=fetch, args=(address,), daemon=True).start()

    answers: list[tuple[str, Answer]] = [
        ("client secret", f"{SECRET}\n".encode()),
        ("paste that page", visits),
        ("signed in to t", b""),
    ]
    result = attended(home, "login", "-p", "t", "--no-browser", answers=answers)
    assert result.status == 0 and SECRET not in result.stderr
    assert result.stderr.index("client secret") < result.stderr.index("http")


def test_a_machine_says_what_is_missing(home: Home, demo_server: FaultyServer) -> None:
    """Its secret goes with the session, too, and at a terminal a person can type it."""
    option, secret = "--client-secret-stdin", "demo-ci-secret"
    words = ("login", "-p", "ci", "--issuer", demo_server.issuer, "--client-id", "tokenctl-demo-ci")
    assert home.run(*words, "--flow", "client-credentials", option, stdin=f"{secret}\n").status == 0
    assert f"({option})" in home.run("revoke").stderr
    refused = home.run("login", "-p", "ci")
    assert refused.status == 2 and option in refused.stderr
    typed = attended(home, "login", "-p", "ci", answers=[("client secret", f"{secret}\n".encode())])
    assert typed.status == 0 and secret not in typed.stderr and home.run("token").status == 0


@pytest.mark.slow
def test_the_secret_goes_with_the_session_into_another_store(tmp_path: Path, demo_server: FaultyServer) -> None:
    """A login into another store finds the secret where the session is, and takes it along."""
    ring = tmp_path / "ring.json"
    home = Home(tmp_path / "home", {"TEST_RING": str(ring), "PYTHONPATH": str(ROOT)})
    home.environ.pop("TOKENCTL_STORE")
    home.write_config(
        f'[profiles.ci]\nissuer = "{demo_server.issuer}"\nclient_id = "tokenctl-demo-ci"\n'
        'flow = "client-credentials"\nkeyring_backend = "tests.support.ring.Ring"\n'
    )
    assert home.run("login", "--client-secret-stdin", stdin="demo-ci-secret\n").status == 0
    moved = home.run("login", "--store", "file")
    assert moved.status == 0 and json.loads(ring.read_text()) == {}, moved.stderr
    assert home.run("refresh").status == 0 and home.run("login").status == 0


def test_a_client_without_a_secret_is_told_nothing_of_secrets(signed_in: Home) -> None:
    """Neither the profile nor revoke speaks of one."""
    assert "token_endpoint_auth_method" not in signed_in.config.read_text()
    assert "secret" not in signed_in.run("revoke").stderr
