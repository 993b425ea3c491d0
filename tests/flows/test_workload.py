"""A job with its platform's identity, at a server that refuses it; tests/system/test_workload.py has those that check it."""

from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.commandline import Home
from tests.support.flows import always, profile_of
from tokenctl.errors import Refused
from tokenctl.model.profile import Profile
from tokenctl.oauth.token_exchange import ACCESS_TOKEN
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

IDENTITY = {"TOKENCTL_ID_TOKEN": "an.identity.token"}
TOKENS = {"access_token": "t", "token_type": "Bearer", "expires_in": 900, "issued_token_type": ACCESS_TOKEN}


def job(server: FaultyServer, **members: Any) -> Profile:
    """The profile of a job."""
    return profile_of(server, **{"flow": "workload", "source": "env", "scope": "api", **members})


@pytest.mark.parametrize("use", ["token-exchange", "jwt-bearer", "client-assertion"])
@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
def test_an_identity_that_is_refused_is_5(demo_server: FaultyServer, use: str, error: str) -> None:
    """At the first sign-in and at every renewal a job is told what to check; no sign-in would help it."""
    profile, store = job(demo_server, identity_use=use), MemoryStore()
    runtime = Runtime(IDENTITY, store=store)
    demo_server.overrides["/token"] = always(json_reply(TOKENS))
    session = sign_in(runtime, profile)
    store.write("t", session)
    demo_server.overrides["/token"] = always(json_reply({"error": error, "error_description": "who?"}, 400))
    for work in (sign_in, broker.renew):
        with pytest.raises(Refused, match=f"the identity of this job: {error}: who\\?") as caught:
            work(runtime, profile)
        assert "audience" in (caught.value.hint or "") and "login" not in (caught.value.hint or "")
    assert store.read("t") == session


@pytest.mark.quick
@pytest.mark.parametrize(("store", "command"), [("memory", "token"), ("file", "refresh")])
def test_a_refused_job_is_told_so_by_the_command_line(
    home: Home, demo_server: FaultyServer, store: str, command: str
) -> None:
    """With a session kept or without one: exit 5, what to check, and the identity in no message."""
    home.write_config(
        f'[profiles.t]\nissuer = "{demo_server.issuer}"\nclient_id = "job"\nflow = "workload"\nsource = "env"\n'
    )
    refusal = {"error": "invalid_grant", "error_description": IDENTITY["TOKENCTL_ID_TOKEN"]}
    environ = {**IDENTITY, "TOKENCTL_STORE": store}
    for reply, status in ((json_reply(TOKENS), 0), (json_reply(refusal, 400), 5)):
        demo_server.overrides["/token"] = always(reply)
        result = home.run(command, "-p", "t", environ=environ)
        assert result.status == status, result.stderr
    assert "does not accept the identity of this job" in result.stderr and "tokenctl login" not in result.stderr
    assert IDENTITY["TOKENCTL_ID_TOKEN"] not in result.stderr


def test_a_way_that_the_server_does_not_offer_is_told_by_its_setting(demo_server: FaultyServer) -> None:
    """Another flow would be no way out for a job; another use of its identity may be."""
    demo_server.overrides["/token"] = always(json_reply({"error": "unsupported_grant_type"}, 400))
    with pytest.raises(Refused) as caught:
        sign_in(Runtime(IDENTITY, store=MemoryStore()), job(demo_server))
    assert "identity_use" in (caught.value.hint or "") and "--flow" not in (caught.value.hint or "")


@pytest.mark.parametrize("kind", ["urn:ietf:params:oauth:token-type:jwt", "", None])
def test_a_refresh_token_beside_another_kind_of_token_is_not_kept(demo_server: FaultyServer, kind: str | None) -> None:
    """Nothing of that answer is what was asked for: a later renewal would give out a token of that kind."""
    profile, store = job(demo_server), MemoryStore()
    runtime = Runtime(IDENTITY, store=store)
    demo_server.overrides["/token"] = always(json_reply(TOKENS))
    session = sign_in(runtime, profile)
    store.write("t", session)
    demo_server.overrides["/token"] = always(json_reply(TOKENS | {"issued_token_type": kind, "refresh_token": "r"}))
    with pytest.raises(Refused, match="issued_token_type"):
        broker.renew(runtime, profile)
    assert store.read("t") == session
