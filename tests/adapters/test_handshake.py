"""A connection is made as for a request, and ends where a request would begin."""

import socket
from pathlib import Path

import pytest
import trustme

from tests.servers.raw_server import raw_server, server_context, tls_server, tunnel
from tokenctl.adapters import handshake
from tokenctl.adapters.handshake import TlsFailed
from tokenctl.errors import Unreachable, UsageError


@pytest.fixture
def authority() -> trustme.CA:
    """A private CA."""
    return trustme.CA(organization_name="Private CA")


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """Its certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def test_the_certificate_is_the_server_s_also_behind_a_proxy_with_tls(authority: trustme.CA, ca_file: str) -> None:
    """The proxy has a certificate of its own, which is another one."""
    received: list[bytes] = []
    with (
        tls_server(authority, "a.example") as port,
        raw_server(tunnel(received), server_context(authority, "127.0.0.1")) as proxy,
    ):
        environ = {"HTTPS_PROXY": f"https://me:PRIVATE@127.0.0.1:{proxy}"}
        found = handshake.connect(f"https://a.example:{port}", ca_file, environ)
    assert found.certificate is not None and found.version
    assert found.certificate.issuer.startswith("Private CA")
    assert received and received[0].startswith(f"CONNECT a.example:{port} ".encode())


def test_nothing_is_sent(authority: trustme.CA, ca_file: str) -> None:
    """The connection ends before the first byte of a request."""
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        received.append(connection.recv(65536))

    with raw_server(talk, server_context(authority)) as port:
        handshake.connect(f"https://127.0.0.1:{port}", ca_file, {})
        handshake.has_public_ca(f"https://127.0.0.1:{port}", {})
    with raw_server(talk) as port:
        assert handshake.connect(f"http://127.0.0.1:{port}", None, {}).certificate is None
    assert not any(received)


def test_a_private_ca_is_told_from_a_public_one(authority: trustme.CA, ca_file: str) -> None:
    """It is trusted by `ca_file` alone."""
    with tls_server(authority) as port:
        url = f"https://127.0.0.1:{port}"
        assert handshake.connect(url, ca_file, {}).certificate is not None
        assert not handshake.has_public_ca(url, {}) and not handshake.is_trusted(url, {})


def test_what_is_not_trusted_is_shown(authority: trustme.CA) -> None:
    """The issuer's name tells a person who has put itself between."""
    with tls_server(authority) as port, pytest.raises(TlsFailed) as caught:
        handshake.connect(f"https://127.0.0.1:{port}", None, {})
    assert caught.value.unknown_ca and not caught.value.sent
    assert caught.value.certificate is not None and caught.value.certificate.issuer.startswith("Private CA")


def test_errors_are_those_of_a_request(tmp_path: Path) -> None:
    """A port on which nobody listens, a name that nobody knows, a file that is none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot be reached: connection refused"):
        handshake.connect(f"http://127.0.0.1:{port}", None, {})
    with pytest.raises(Unreachable, match=r"^tokenctl\.invalid cannot be reached: "):
        handshake.addresses("https://tokenctl.invalid", {})
    with pytest.raises(UsageError, match="no readable PEM file"):
        handshake.connect(f"https://127.0.0.1:{port}", str(tmp_path / "absent.pem"), {})
