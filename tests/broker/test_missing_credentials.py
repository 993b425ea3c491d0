"""What a command says when nobody is signed in and a credential is missing: the way to give it, and not the keyring."""

from dataclasses import replace
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.support import broker
from tests.support.commandline import Home
from tests.support.flows import SetClock, here, machine_profile, profile_of
from tokenctl.errors import LoginRequired, UsageError
from tokenctl.model.profile import Profile, from_members
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

SECRET = "TOKENCTL_CLIENT_SECRET or TOKENCTL_CLIENT_SECRET_FILE"


def hint_of(profile: Profile, store: MemoryStore | None) -> str:
    """Do what `token` does, which fails, and return the hint."""
    with pytest.raises((LoginRequired, UsageError)) as caught:
        broker.current(Runtime(here({}), store=store), profile)
    assert caught.value.hint is not None
    return caught.value.hint


@pytest.mark.parametrize(
    ("members", "said", "not_said"),
    [
        ({}, ["login -p t --client-secret-stdin'", SECRET], []),
        ({"store": "memory"}, [SECRET], ["login", "stdin"]),
        ({"flow": "api-key", "scope": None}, ["login -p t --api-key-stdin'", "TOKENCTL_API_KEY or "], []),
    ],
)
def test_a_machine_is_told_how_to_give_its_secret(
    demo_server: FaultyServer, members: dict[str, Any], said: list[str], not_said: list[str]
) -> None:
    """By a login where its session is kept, and by a variable in every case; `token` itself has no such option."""
    profile = machine_profile(demo_server, **members)
    hint = hint_of(profile, None if "store" in members else MemoryStore())
    assert all(each in hint for each in said) and not any(each in hint for each in not_said), hint


def test_a_secret_that_is_gone_is_asked_for(demo_server: FaultyServer, session: Session) -> None:
    """The session is there and its client's secret is not, such as after somebody has removed the entry."""
    moment = session.obtained_at + 10_000
    store = MemoryStore()
    store.write("t", replace(session, token_endpoint_auth_method="client_secret_basic"))
    for named, variable in ((None, False), ("client_secret_basic", True)):
        profile = profile_of(demo_server, token_endpoint_auth_method=named)
        with pytest.raises(LoginRequired, match="the client secret of 't' is gone") as caught:
            broker.current(Runtime(here({}), store=store, clock=SetClock(lambda: moment)), profile)
        hint = str(caught.value.hint)
        assert "'tokenctl login -p t --client-secret-stdin'" in hint and (SECRET in hint) == variable


def test_the_profile_env_names_the_credential_of_a_machine(demo_server: FaultyServer) -> None:
    """Issuer and client ID alone mean a person; what is missing is mostly the secret, and never a keyring."""
    members = {"issuer": demo_server.issuer, "client_id": "c"}
    profile = from_members("env", members, "test")
    hint = hint_of(profile, MemoryStore())
    assert hint.startswith("for a machine, set its credential: TOKENCTL_CLIENT_SECRET") and "login -p env" in hint


def test_a_job_without_a_keyring_is_not_sent_to_find_one(home: Home) -> None:
    """Without a keyring, too, the hint begins with the credential that is missing."""
    home.environ.pop("TOKENCTL_STORE")
    environ = {"TOKENCTL_ISSUER": "https://i.example", "TOKENCTL_CLIENT_ID": "c", "DBUS_SESSION_BUS_ADDRESS": ""}
    for words, status in ((("token",), 3), (("exec", "--", "true"), 125), (("login",), 3)):
        result = home.run(*words, environ=environ)
        assert result.status == status and "hint: for a machine, set its credential: TOKENCTL_CLIENT" in result.stderr


# -- the profile `env` --------------------------------------------------------------------------------


def test_a_login_to_the_profile_env_is_found_afterwards(home: Home, demo_server: FaultyServer) -> None:
    """What the environment says is enough for every later command."""
    environ = {"TOKENCTL_ISSUER": demo_server.issuer, "TOKENCTL_CLIENT_ID": "tokenctl-demo"}
    environ["TOKENCTL_SCOPE"] = "openid offline_access"
    home.environ |= environ
    result = home.login(demo_server.issuer, "--scope", "openid offline_access", profile="env")
    assert result.status == 0, result.stderr
    assert home.run("token").status == 0 and home.run("show").status == 0 and home.run("revoke").status == 0


@pytest.mark.parametrize(
    ("environ", "options", "said"),
    [
        ({}, ("--issuer", "{issuer}", "--client-id", "tokenctl-demo"), "TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID"),
        ({"TOKENCTL_ISSUER": "{issuer}"}, ("--client-id", "tokenctl-demo"), "set TOKENCTL_CLIENT_ID instead"),
        (
            {"TOKENCTL_ISSUER": "{issuer}", "TOKENCTL_CLIENT_ID": "tokenctl-demo"},
            ("--scope", "openid", "--flow", "device"),
            "set TOKENCTL_SCOPE and TOKENCTL_FLOW instead",
        ),
    ],
)
def test_a_login_to_the_profile_env_that_nobody_could_use(
    home: Home, demo_server: FaultyServer, environ: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    """An option that no later command has is refused before anybody signs in, with the variable in its place."""
    given = {name: value.format(issuer=demo_server.issuer) for name, value in environ.items()}
    words = [each.format(issuer=demo_server.issuer) for each in options]
    result = home.run("login", "-p", "env", "--no-browser", *words, environ=given)
    assert result.status == 2 and said in result.stderr and "-p NAME" in result.stderr, result.stderr
    assert demo_server.requests == [] and result.stderr.count("tokenctl: error: ") == 1
