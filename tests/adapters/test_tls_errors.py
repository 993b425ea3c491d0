"""TLS that fails: real servers with real certificates, and for each cause the reason and the hint."""

import contextlib
import ipaddress
import re
import socket
import ssl
import threading
import time
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.raw_server import OK, raw_server, saying, server_context, tls_server
from tests.support.commandline import LONG
from tokenctl.adapters import tls_errors
from tokenctl.adapters.transport import Transport
from tokenctl.errors import Unreachable
from tokenctl.oauth.wire import Request

SECRET = (("refresh_token", "secret"),)
DAY = timedelta(days=1)


@pytest.fixture
def authority() -> trustme.CA:
    """A private certificate authority."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """The authority's certificate, for a profile."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def failure(port: int, ca_file: str | None = None) -> Unreachable:
    """Send a secret to a server that must not get it, and return the error."""
    with pytest.raises(Unreachable) as caught:
        Transport(ca_file, total=LONG).send(Request(url=f"https://127.0.0.1:{port}/", form=SECRET))
    assert not caught.value.sent
    return caught.value


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server with a certificate that nobody but itself vouches for, as `openssl req -x509` makes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "self-signed.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


# -- what works ------------------------------------------------------------------------------------


def test_ca_file_is_trusted(authority: trustme.CA, ca_file: str) -> None:
    """A server with a certificate of the CA in `ca_file` is talked to."""
    with tls_server(authority) as port:
        assert Transport(ca_file).send(Request(url=f"https://127.0.0.1:{port}/")).body == b"{}"


def test_a_self_signed_certificate_can_be_the_ca_file(tmp_path: Path) -> None:
    """As the hint says."""
    with raw_server(saying(OK), self_signed(tmp_path)) as port:
        transport = Transport(str(tmp_path / "self-signed.pem"))
        assert transport.send(Request(url=f"https://127.0.0.1:{port}/")).body == b"{}"


# -- the certificate -------------------------------------------------------------------------------


def test_an_unknown_ca_is_told(authority: trustme.CA) -> None:
    """It is the one cause that `ca_file` mends."""
    with tls_server(authority) as port:
        error = failure(port)
    assert error.message == f"127.0.0.1:{port} cannot be reached: its certificate is from a CA that is not known here"
    assert "ca_file" in (error.hint or "")


def test_a_private_root_that_the_server_sends_along_is_told(authority: trustme.CA, tmp_path: Path) -> None:
    """So does a company's proxy that inspects TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = tmp_path / "chain.pem"
    issued = authority.issue_cert("127.0.0.1")
    chain.write_bytes(issued.private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes())
    context.load_cert_chain(chain)
    with raw_server(saying(OK), context) as port:
        error = failure(port)
    assert error.message.endswith(": the CA of its certificate is not trusted here")
    assert "inspect TLS" in (error.hint or "") and "ca_file" in (error.hint or "")


def test_a_self_signed_certificate_is_told(tmp_path: Path) -> None:
    """There is no CA to add."""
    with raw_server(saying(OK), self_signed(tmp_path)) as port:
        error = failure(port)
    assert error.message.endswith(": its certificate is self-signed") and "CA" not in (error.hint or "")


@pytest.mark.parametrize(
    ("begins", "ends", "reason", "hint"),
    [
        (-2, -1, "its certificate has expired", "clock right"),
        (1, 2, "its certificate is not valid yet", "clock behind"),
    ],
)
def test_the_time_of_a_certificate_is_told(
    authority: trustme.CA, ca_file: str, begins: int, ends: int, reason: str, hint: str
) -> None:
    """With this machine's own time, which can be the cause."""
    now = datetime.now(UTC)
    issued = authority.issue_cert("127.0.0.1", not_before=now + begins * DAY, not_after=now + ends * DAY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    with raw_server(saying(OK), context) as port:
        error = failure(port, ca_file)
    assert error.message.endswith(f": {reason}")
    assert re.search(rf"{hint}\? It says \d{{4}}-\d\d-\d\d \d\d:\d\d UTC", error.hint or "")
    assert "ca_file" not in (error.hint or "")


@pytest.mark.parametrize("name", ["other.example", "127.0.0.2"])
def test_a_certificate_for_another_host_is_told(authority: trustme.CA, ca_file: str, name: str) -> None:
    """A trusted CA's certificate for another host is no certificate for this one."""
    with tls_server(authority, name) as port:
        error = failure(port, ca_file)
    assert error.message.endswith(": its certificate is for another host")
    assert "host name" in (error.hint or "") and "ca_file" not in (error.hint or "")


# -- the handshake ---------------------------------------------------------------------------------


def test_a_tls_version_that_is_too_old_is_told(authority: trustme.CA) -> None:
    """TLS 1.0 and 1.1 are refused, whichever side notices it."""
    context = server_context(authority)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with raw_server(saying(OK), context) as port:
        error = failure(port)
    assert error.message.endswith(": it and this machine have no TLS version in common")
    assert "TLS 1.2" in (error.hint or "")


def test_a_server_that_answers_with_an_older_version_is_told() -> None:
    """Such a server does not refuse: it says hello in TLS 1.0."""
    hello = b"\x02\x00\x00\x26" + b"\x03\x01" + b"r" * 32 + b"\x00" + b"\xc0\x13" + b"\x00"
    with raw_server(saying(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)) as port:
        assert failure(port).message.endswith(": it and this machine have no TLS version in common")


def test_a_server_with_no_common_cipher_is_told(authority: trustme.CA) -> None:
    """The alert that it sends has several causes, and all are named."""
    context = server_context(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES128-SHA:ADH-AES128-SHA:@SECLEVEL=0")
    with raw_server(saying(OK), context) as port:
        error = failure(port)
    assert error.message.endswith(": it refuses the TLS handshake, and does not say why")
    assert "cipher" in (error.hint or "") and "client certificate" in (error.hint or "")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate_is_told(
    authority: trustme.CA, ca_file: str, version: ssl.TLSVersion
) -> None:
    """With TLS 1.3 it says so only after the request was sent."""
    context = server_context(authority)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with raw_server(saying(OK), context) as port, pytest.raises(Unreachable) as caught:
        Transport(ca_file).send(Request(url=f"https://127.0.0.1:{port}/", form=SECRET))
    said = f"{caught.value.message} {caught.value.hint}"
    assert "client certificate" in said or ("broke the connection" in said and caught.value.sent)


def unknown_name(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> int:
    """Refuse every name, as a server does that has many."""
    return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


def test_a_server_that_does_not_know_the_name_is_told(authority: trustme.CA) -> None:
    """It has other hosts, and none of this name."""
    context = server_context(authority, "localhost")
    context.sni_callback = unknown_name
    with raw_server(saying(OK), context) as port, pytest.raises(Unreachable, match="does not know this host name"):
        Transport().send(Request(url=f"https://localhost:{port}/"))


def test_a_server_that_speaks_no_tls_is_told_from_one_that_is_away() -> None:
    """TLS spoken to a plain HTTP server says so, asks for the address, and sends nothing."""
    with raw_server(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = failure(port)
    assert error.message.endswith(": it does not speak TLS") and "http" in (error.hint or "")


def test_a_handshake_that_is_cut_off_is_told() -> None:
    """As a firewall does it."""
    with raw_server(saying()) as port:
        error = failure(port)
    assert error.message.endswith(": the TLS handshake was cut off") and "HTTPS_PROXY" in (error.hint or "")


@pytest.mark.parametrize("code", [9999, 1])
def test_every_other_refusal_of_a_certificate_has_a_reason(code: int) -> None:
    """Also one that has no name here, and one of another system."""
    error = ssl.SSLCertVerificationError("x")
    assert tls_errors.cause_of(error) is not None
    error.verify_code = code
    cause = tls_errors.cause_of(error)
    assert cause is not None and cause.reason == "its certificate is not trusted here"


@pytest.mark.parametrize("code", [23, 0x800B010C, -67820])
def test_a_revoked_certificate_is_told(code: int) -> None:
    """By OpenSSL, Windows and macOS; it must not be trusted by a setting."""
    error = ssl.SSLCertVerificationError("x")
    error.verify_code = code
    cause = tls_errors.cause_of(error)
    assert cause is not None and "revoked" in cause.reason and "ca_file" not in cause.hint


def test_an_error_that_is_not_of_tls_has_no_cause_here() -> None:
    """Such as a connection that is refused."""
    assert tls_errors.cause_of(ConnectionRefusedError()) is None


def test_a_handshake_that_ends_after_the_deadline_sends_nothing(authority: trustme.CA, ca_file: str) -> None:
    """The caller has said by then that nothing was sent, and that stays true."""
    context = server_context(authority)
    given_up, received = threading.Event(), list[bytes]()

    def talk(connection: socket.socket) -> None:
        given_up.wait(LONG)
        # The one who gave up may have closed the connection before the handshake, in it, or after it.
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            received.append(secure.recv(65536))
        received.append(b"end")

    with raw_server(talk) as port:
        request = Request(url=f"https://127.0.0.1:{port}/", form=(("refresh_token", "secret"),))
        with pytest.raises(Unreachable) as caught:
            Transport(ca_file, total=0.5).send(request)
        given_up.set()
        assert not caught.value.sent
        end = time.monotonic() + LONG
        while b"end" not in received:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert received in ([b"", b"end"], [b"end"])
