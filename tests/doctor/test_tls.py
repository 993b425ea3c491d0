"""A server's certificate: what trusts it, who issued it, and why it is not trusted."""

import datetime
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from tests.servers.raw_server import OK, raw_server, saying, server_context, tls_server
from tests.support.examined import by_check, case_of
from tests.support.sessions import session as session_of
from tokenctl.doctor import network
from tokenctl.doctor.finding import Finding
from tokenctl.model.profile import Profile
from tokenctl.storage.memory_store import MemoryStore


@pytest.fixture
def authority() -> trustme.CA:
    """A company's own CA."""
    return trustme.CA(organization_name="Company Inspection")


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """Its certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def looked_at(port: int, ca_file: str | None = None) -> dict[str, Finding]:
    """Look at a server of this machine, at which a session has to be renewed."""
    issuer = f"https://127.0.0.1:{port}"
    store = MemoryStore()
    store.write("t", session_of(1, issuer=issuer, token_endpoint=f"{issuer}/token"))
    profile = Profile(name="t", issuer=issuer, client_id="c", ca_file=ca_file)
    return by_check(network.look(case_of(profile, store=store, asks_server=True)))


def test_a_ca_that_is_not_trusted_is_named(authority: trustme.CA) -> None:
    """Its name is what tells a company's inspecting proxy from a wrong server; `token` ends with 6."""
    with tls_server(authority) as port:
        found = looked_at(port)["tls"]
    assert (found.status, found.exit_status) == ("failed", 6)
    assert "its certificate is from a CA that is not known here" in found.sentence
    assert "issued by 'Company Inspection'" in found.sentence
    assert "ca_file" in (found.remedy or "") or "ca-certificates" in (found.remedy or "")


def test_ca_file_is_named_where_it_is_needed(authority: trustme.CA, ca_file: str) -> None:
    """The system's trust store alone does not trust this server, and the CA is not a public one."""
    with tls_server(authority) as port:
        found = looked_at(port, ca_file)["tls"]
    assert found.status == "ok" and f"trusted by ca_file {ca_file}" in found.sentence
    assert found.more["public_ca"] is False and "a private CA, or one with which a proxy" in found.sentence


def test_the_system_s_trust_store_is_named_with_its_variable(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A company's CA in the system's store is trusted, and is told from a public CA."""
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with tls_server(authority) as port:
        found = looked_at(port)["tls"]
    assert found.status == "ok" and f"the system's trust store (SSL_CERT_FILE={ca_file})" in found.sentence
    assert "a private CA, or one with which a proxy of your company" in found.sentence


def test_a_certificate_for_another_host_is_told(authority: trustme.CA, ca_file: str) -> None:
    """A captive portal answers so."""
    with tls_server(authority, "portal.example") as port:
        found = looked_at(port, ca_file)["tls"]
    assert "its certificate is for another host; it is for portal.example, issued by" in found.sentence
    assert found.exit_status == 6


@pytest.mark.parametrize(("hours", "status"), [(30, "warning"), (80, "ok")])
def test_a_certificate_that_ends_soon_is_told(authority: trustme.CA, ca_file: str, hours: int, status: str) -> None:
    """Only the people who run the server can do something about it."""
    now = datetime.datetime.now(datetime.UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = authority.issue_cert("127.0.0.1", not_before=now, not_after=now + datetime.timedelta(hours=hours))
    issued.configure_cert(context)
    with raw_server(saying(OK), context) as port:
        found = looked_at(port, ca_file)["tls"]
    assert found.status == status and found.exit_status == 0


def test_a_server_without_tls_is_told(ca_file: str) -> None:
    """There is no certificate to show."""
    with raw_server(saying(OK)) as port:
        found = looked_at(port, ca_file)["tls"]
    assert "it does not speak TLS" in found.sentence and "issued by" not in found.sentence


def test_nothing_is_sent_to_a_server_that_is_not_trusted(authority: trustme.CA) -> None:
    """To look at its certificate is no reason to send it a request."""
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        received.append(connection.recv(65536))

    with raw_server(talk, server_context(authority)) as port:
        assert looked_at(port)["tls"].status == "failed"
    assert received in ([], [b""])
