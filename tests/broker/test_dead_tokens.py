"""Refresh tokens that the server has ended: recognized under every code, remembered, and never by mistake."""

from dataclasses import replace
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support import broker
from tests.support.commandline import Home
from tests.support.flows import always, at, here, machine_profile, profile_of, refreshes
from tests.support.sessions import end_of
from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

DEAD = [
    json_reply({"error": "invalid_grant"}, 400),
    json_reply({"error": "bad_refresh_token", "error_description": "incorrect or expired"}, 200),
    json_reply({"ok": False, "error": "invalid_refresh_token"}, 200),
    json_reply({"error": "unauthorized_client", "error_description": "refresh_token is invalid"}, 403),
    json_reply({"error": "interaction_required"}, 400),
    json_reply({"error": "login_required"}, 401),
    json_reply({"error": "consent_required"}, 400),
    json_reply({"error": "invalid_token"}, 401),
    json_reply({"status": 400, "message": "Invalid refresh token"}, 400),
]


@pytest.mark.parametrize("reply", DEAD, ids=lambda reply: reply.body.decode()[:60])
def test_a_dead_refresh_token_is_asked_about_once(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply
) -> None:
    """Whatever code and status the server has for it: exit 4 each time, and one request in all."""
    demo_server.overrides["/token"] = always(reply)
    for later in (0, 10, 100_000):
        with pytest.raises(LoginRequired) as caught:
            broker.current(at(end_of(session) + later, store), profile_of(demo_server))
        assert "tokenctl login" in (caught.value.hint or "")
    with pytest.raises(LoginRequired):
        broker.renew(at(end_of(session), store), profile_of(demo_server))
    assert refreshes(demo_server) == 1 and store.read("t") == session


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("code", ["invalid_grant", "login_required", "bad_refresh_token"])
def test_an_overloaded_server_ends_nothing_and_is_left_alone(
    demo_server: FaultyServer, session: Session, store: MemoryStore, status: int, code: str
) -> None:
    """Exit 6, the Retry-After is kept to, and the same refresh token renews the session after that."""
    demo_server.overrides["/token"] = always(json_reply({"error": code}, status, retry_after="120"))
    profile, now = profile_of(demo_server), end_of(session)
    for later in (0, 119):
        with pytest.raises(Unreachable):
            broker.current(at(now + later, store), profile)
    assert refreshes(demo_server) == 1
    assert broker.vault(Runtime(store=store), profile).journal.read(session).state == "good"
    demo_server.overrides.clear()
    assert broker.current(at(now + 121, store), profile).generation == 2


@pytest.mark.parametrize("reply", DEAD, ids=lambda reply: reply.body.decode()[:60])
def test_a_machine_whose_refresh_token_is_dead_signs_in_again(demo_server: FaultyServer, reply: Reply) -> None:
    """Its own credentials are as good as before, and no person is asked for."""
    store, profile = MemoryStore(), machine_profile(demo_server)
    runtime = Runtime(here({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}), store=store)
    first = broker.sign_in(runtime, profile, client_secret="demo-ci-secret")
    store.write("t", replace(first, refresh_token="dead"))
    store.write_secret("t", "demo-ci-secret")

    def answer(request: Any) -> Reply | None:
        return reply if request.form.get("grant_type") == "refresh_token" else None

    demo_server.overrides["/token"] = answer
    renewed = broker.current(at(end_of(first), store), profile)
    assert renewed.access_token != first.access_token and refreshes(demo_server) == 1


@pytest.mark.parametrize("code", ["invalid_grant", "consent_required", "interaction_required"])
def test_a_narrower_token_that_is_refused_ends_no_session(home: Home, demo_server: FaultyServer, code: str) -> None:
    """The server may want a consent, or a second factor, for that scope alone: exit 5, and the session goes on."""
    assert home.login(demo_server.issuer, "--scope", "openid offline_access api").status == 0
    refused = json_reply({"error": code}, 400)
    demo_server.overrides["/token"] = lambda request: refused if "scope" in request.form else None
    assert home.run("token", "--scope", "api").status == 5
    assert home.run("refresh").status == 0 and home.run("show").status == 0


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_token"])
def test_an_exchange_that_is_refused_asks_for_no_sign_in(home: Home, demo_server: FaultyServer, code: str) -> None:
    """The access token that was exchanged is refused, and not the session."""
    assert home.login(demo_server.issuer).status == 0
    exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
    refused = json_reply({"error": code}, 400)
    demo_server.overrides["/token"] = lambda request: refused if request.form.get("grant_type") == exchange else None
    result = home.run("token", "--audience", "urn:other")
    assert result.status == 5 and "tokenctl refresh" in result.stderr
    assert home.run("refresh").status == 0 and home.run("token").status == 0


def test_a_refusal_of_the_client_is_no_end(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """The operator can mend it, so the same refresh token is presented again."""
    demo_server.overrides["/token"] = always(json_reply({"error": "unauthorized_client"}, 400))
    for later in (0, 10):
        with pytest.raises(Refused):
            broker.current(at(end_of(session) + later, store), profile_of(demo_server))
    assert refreshes(demo_server) == 2
