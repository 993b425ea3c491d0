"""The metadata is read as a login reads it, and compared with what the login pinned."""

from dataclasses import replace

import pytest

from tests.servers.faulty_server import FaultyServer, json_reply
from tests.support.examined import case_of, statuses
from tests.support.flows import machine_profile, profile_of, rewritten
from tokenctl.doctor import metadata
from tokenctl.doctor.finding import Finding
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.storage.memory_store import MemoryStore

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def looked_at(profile: Profile, store: MemoryStore, *, asks_server: bool = False) -> list[Finding]:
    """Look at the metadata of the profile's server."""
    return [*metadata.look(case_of(profile, store=store, asks_server=asks_server), profile)]


def test_the_grants_and_pkce_are_told(demo_server: FaultyServer, store: MemoryStore) -> None:
    """As far as the server lists them."""
    (found,) = looked_at(profile_of(demo_server), store)
    assert found.status == "ok" and "refresh_token" in found.sentence and "PKCE with S256" in found.sentence
    assert found.more["issuer"] == demo_server.issuer


@pytest.mark.parametrize(("asks_server", "expected"), [(False, ("warning", 0)), (True, ("failed", 5))])
def test_another_issuer_is_told(demo_server: FaultyServer, asks_server: bool, expected: tuple[str, int]) -> None:
    """It fails a machine that has to begin a session, and nobody else."""
    for path in (OPENID, OAUTH):
        demo_server.overrides[path] = rewritten(demo_server, issuer=f"{demo_server.issuer}/")
    profile = machine_profile(demo_server, store="memory")
    (found,) = looked_at(profile, MemoryStore(), asks_server=asks_server)
    assert (found.status, found.exit_status) == expected
    assert "the metadata is of issuer" in found.sentence and found.remedy


def test_an_endpoint_that_moved_is_told(demo_server: FaultyServer, session: Session) -> None:
    """The session's refresh token goes to no other endpoint than that of the login."""
    store = MemoryStore()
    store.write("t", replace(session, token_endpoint=f"{demo_server.issuer}/older"))
    found = looked_at(profile_of(demo_server), store)
    assert statuses(found) == [("metadata", "ok", 0), ("metadata", "warning", 0)]
    assert f"{demo_server.issuer}/older" in found[1].sentence and f"{demo_server.issuer}/token" in found[1].sentence
    assert "tokenctl login -p t" in (found[1].remedy or "")


def test_a_flow_that_the_server_does_not_list_is_told(demo_server: FaultyServer, store: MemoryStore) -> None:
    """A login would fail."""
    for path in (OPENID, OAUTH):
        demo_server.overrides[path] = rewritten(
            demo_server, grant_types_supported=["authorization_code"], device_authorization_endpoint=None
        )
    found = looked_at(profile_of(demo_server, flow="device"), store)
    assert statuses(found) == [("metadata", "ok", 0), ("metadata", "warning", 0)]
    assert "the flow device" in found[1].sentence


def test_a_server_without_metadata_is_told(demo_server: FaultyServer, store: MemoryStore) -> None:
    """With each address that was asked."""
    for path in (OPENID, OAUTH):
        demo_server.overrides[path] = lambda request: json_reply({}, 404)
    (found,) = looked_at(profile_of(demo_server), store)
    assert found.status == "warning" and OPENID in found.sentence and OAUTH in found.sentence


def test_a_profile_that_names_the_token_endpoint_needs_none(demo_server: FaultyServer, store: MemoryStore) -> None:
    """Nothing is asked for."""
    before = len(demo_server.requests)
    (found,) = looked_at(profile_of(demo_server, token_endpoint=f"{demo_server.issuer}/token"), store)
    assert found.status == "ok" and len(demo_server.requests) == before
