"""The token endpoint is asked whether it has time, without a token."""

import socket

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support.examined import case_of, statuses
from tests.support.flows import always, change_metadata, machine_profile, profile_of
from tokenctl.doctor import network
from tokenctl.doctor.finding import Finding
from tokenctl.model.session import Session
from tokenctl.storage.memory_store import MemoryStore

WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def looked(server: FaultyServer, store: MemoryStore) -> list[Finding]:
    """What the doctor finds on the way to the server when the session has to be renewed."""
    return [*network.look(case_of(profile_of(server), store=store, asks_server=True))]


def test_it_is_asked_without_a_token(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """So nothing is renewed, and the refresh token stays the newest one."""
    before = len(demo_server.requests)
    found = looked(demo_server, store)
    (asked,) = (each for each in demo_server.requests[before:] if each.path == "/token")
    assert (asked.method, asked.body) == ("GET", b"") and "authorization" not in {
        each.lower() for each in asked.headers
    }
    assert ("token-endpoint", "ok", 0) in statuses(found)


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_token_endpoint_renews_nothing(
    demo_server: FaultyServer, session: Session, store: MemoryStore, status: int
) -> None:
    """Also when the metadata is still there."""
    demo_server.overrides["/token"] = always(json_reply({}, status, retry_after="250"))
    (failed,) = (each for each in looked(demo_server, store) if each.status == "failed")
    assert (failed.check, failed.exit_status) == ("token-endpoint", 6)
    assert f"HTTP {status}" in failed.sentence and "250 s" in (failed.remedy or "")


def test_metadata_that_is_not_given_now_fails_no_renewal(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """A renewal goes to the endpoint of the login, which has time."""
    for path in WELL_KNOWN:
        demo_server.overrides[path] = always(json_reply({}, 503))
    found = {(each.check, each.status, each.exit_status) for each in looked(demo_server, store)}
    assert {("token-endpoint", "ok", 0), ("metadata", "warning", 0)} <= found
    assert not any(status == "failed" for _, status, _ in found)


def test_an_answer_that_does_not_come_counts(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """The connection is cut off where the answer should be."""
    demo_server.overrides["/token"] = lambda request: Reply(drop_before=True)
    (failed,) = (each for each in looked(demo_server, store) if each.status == "failed")
    assert (failed.check, failed.exit_status) == ("token-endpoint", 6)


def beginning(server: FaultyServer) -> list[Finding]:
    """What the doctor finds on the way to the server when a machine's session begins."""
    profile = machine_profile(server, store="memory")
    return [*network.look(case_of(profile, {"TOKENCTL_CLIENT_SECRET": "s3cr3t"}, asks_server=True))]


def test_a_session_begins_at_the_endpoint_of_the_metadata(demo_server: FaultyServer) -> None:
    """It can be at another server than the issuer, which a firewall does not let through."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        other = f"127.0.0.1:{listener.getsockname()[1]}"
    change_metadata(demo_server, token_endpoint=f"http://{other}/token")
    (failed,) = (each for each in beginning(demo_server) if each.status == "failed")
    assert (failed.check, failed.exit_status) == ("connection", 6) and other in failed.sentence


def test_without_a_token_endpoint_no_session_begins(demo_server: FaultyServer) -> None:
    """`token` ends with 5."""
    change_metadata(demo_server, token_endpoint=None)
    (failed,) = (each for each in beginning(demo_server) if each.status == "failed")
    assert (failed.check, failed.exit_status) == ("metadata", 5) and "has no token endpoint" in failed.sentence
