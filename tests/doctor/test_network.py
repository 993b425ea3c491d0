"""The way to the server is followed step by step, up to the one that fails, and nothing secret goes it."""

import socket
from dataclasses import replace

import pytest

from tests.servers.faulty_server import FaultyServer
from tests.servers.raw_server import proxy_that, raw_server
from tests.support.examined import by_check, case_of, said, statuses
from tests.support.flows import profile_of
from tests.support.sessions import session as session_of
from tokenctl.doctor import network
from tokenctl.doctor.case import Case
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.storage.memory_store import MemoryStore


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def far(issuer: str, environ: dict[str, str] | None = None, *, asks_server: bool = True) -> Case:
    """A case whose session is at this issuer, and is renewed there."""
    store = MemoryStore()
    store.write("t", session_of(1, issuer=issuer, token_endpoint=f"{issuer}/token"))
    profile = Profile(name="t", issuer=issuer, client_id="c")
    return case_of(profile, environ or {}, store=store, asks_server=asks_server)


def test_a_server_that_is_well_gets_no_secret(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """Each step is told, and all that is asked for is the metadata."""
    before = len(demo_server.requests)
    found = [*network.look(case_of(profile_of(demo_server), store=store))]
    assert statuses(found) == [(name, "ok", 0) for name in ("proxy", "connection", "metadata", "clock")]
    asked = demo_server.requests[before:]
    assert asked and all(each.method == "GET" and each.path.startswith("/.well-known/") for each in asked)
    assert not any({"authorization", "cookie"} & {name.lower() for name in each.headers} for each in asked)
    for secret in (session.access_token, session.refresh_token or "?"):
        assert secret not in said(found)


@pytest.mark.parametrize(("asks_server", "status", "exit_status"), [(False, "warning", 0), (True, "failed", 6)])
def test_a_server_that_is_gone_counts_when_it_is_needed(asks_server: bool, status: str, exit_status: int) -> None:
    """A fresh token needs no server; a renewal ends with 6. Nothing is looked at behind the step that failed."""
    found = [*network.look(far(f"http://127.0.0.1:{closed_port()}", asks_server=asks_server))]
    assert statuses(found) == [("proxy", "ok", 0), ("connection", status, exit_status)]
    assert "cannot be reached: connection refused" in found[-1].sentence


def test_a_name_that_nobody_knows_is_told() -> None:
    """It is the name server that says no, before any connection."""
    found = [*network.look(far("https://tokenctl.invalid"))]
    assert statuses(found) == [("proxy", "ok", 0), ("dns", "failed", 6)]
    assert found[-1].sentence.startswith("tokenctl.invalid cannot be reached: ")
    assert "is the host name right?" in (found[-1].remedy or "")


def test_the_host_of_the_token_endpoint_is_looked_at_too(demo_server: FaultyServer, session: Session) -> None:
    """A renewal goes there and not to the issuer, so it is the one that counts."""
    other = f"http://127.0.0.1:{closed_port()}"
    store = MemoryStore()
    store.write("t", replace(session, token_endpoint=f"{other}/token"))
    found = [*network.look(case_of(profile_of(demo_server), store=store, asks_server=True))]
    connections = [(each.status, each.exit_status) for each in found if each.check == "connection"]
    assert connections == [("ok", 0), ("failed", 6)]
    assert {"metadata", "clock"} <= by_check(found).keys()


def test_an_issuer_that_is_gone_fails_no_renewal(demo_server: FaultyServer, session: Session) -> None:
    """A renewal uses the token endpoint of the login."""
    issuer = f"http://127.0.0.1:{closed_port()}"
    store = MemoryStore()
    store.write("t", replace(session, issuer=issuer))
    found = [*network.look(case_of(profile_of(demo_server, issuer=issuer), store=store, asks_server=True))]
    connections = [(each.status, each.exit_status) for each in found if each.check == "connection"]
    assert connections == [("warning", 0), ("ok", 0)]


def test_a_machine_that_begins_needs_the_issuer() -> None:
    """It reads the metadata first."""
    machine = Profile(
        name="t", issuer=f"http://127.0.0.1:{closed_port()}", client_id="c", flow="client-credentials", store="memory"
    )
    found = [*network.look(case_of(machine, {"TOKENCTL_CLIENT_SECRET": "s"}, asks_server=True))]
    assert statuses(found) == [("proxy", "ok", 0), ("connection", "failed", 6)]


def test_without_an_issuer_there_is_nothing_to_look_at() -> None:
    """No server is known."""
    (found,) = network.look(case_of(Profile(name="t")))
    assert found.status == "could not check"


# -- proxies -------------------------------------------------------------------------------------------------


def test_the_proxy_and_its_variable_are_named_without_the_password() -> None:
    """The proxy refuses, and that is the step that failed; its own name needs no look-up by the way."""
    received, talk = proxy_that(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    with raw_server(talk) as port:
        environ = {"HTTPS_PROXY": f"http://me:PRIVATE@127.0.0.1:{port}"}
        found = [*network.look(far("https://a.example", environ))]
    assert statuses(found) == [("proxy", "ok", 0), ("connection", "failed", 6)]
    assert f"through the proxy 127.0.0.1:{port}" in found[0].sentence and "HTTPS_PROXY" in found[0].sentence
    assert "does not allow this server" in (found[1].remedy or "")
    assert received and received[0].startswith(b"CONNECT a.example:443 ")
    assert "PRIVATE" not in said(found)


def test_a_proxy_variable_that_cannot_be_used_is_told() -> None:
    """With the words and the status of `token`, and without its value."""
    found = [*network.look(far("https://a.example", {"HTTPS_PROXY": "ftp://me:PRIVATE@proxy.example"}))]
    assert statuses(found) == [("proxy", "failed", 2)]
    assert "HTTPS_PROXY names a proxy of the kind ftp" in found[0].sentence and "PRIVATE" not in said(found)


def test_the_proxy_s_name_is_looked_up_in_the_place_of_the_server_s() -> None:
    """The proxy looks up the server's name."""
    found = [*network.look(far("https://a.example", {"ALL_PROXY": "http://tokenctl.invalid:3128"}))]
    assert statuses(found) == [("proxy", "ok", 0), ("dns", "failed", 6)]
    assert found[1].sentence.startswith("the proxy tokenctl.invalid:3128 cannot be reached: ")
    assert "check ALL_PROXY" in (found[1].remedy or "")


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "neither HTTPS_PROXY nor ALL_PROXY is set"),
        (
            {"http_proxy": "http://x.example"},
            "neither HTTPS_PROXY nor ALL_PROXY is set, and http_proxy is not for https",
        ),
        ({"HTTPS_PROXY": "http://x.example", "no_proxy": "invalid"}, "no_proxy names this server"),
    ],
)
def test_why_there_is_no_proxy_is_told(environ: dict[str, str], why: str) -> None:
    """The variable that decides, or the lack of one."""
    found = [*network.look(far("https://tokenctl.invalid", environ))]
    assert found[0].sentence == f"tokenctl.invalid is asked without a proxy: {why}"
