"""Requests through proxies that work and proxies that do not: the error names what is its cause."""

import base64
import socket
import ssl
import sys
from pathlib import Path

import pytest
import trustme

from tests.servers.raw_server import (
    ESTABLISHED,
    OK,
    proxy_that,
    raw_server,
    saying,
    server_context,
    tls_server,
    tunnel,
)
from tests.support.commandline import LONG
from tokenctl.adapters.claim import Claim
from tokenctl.adapters.transport import Transport
from tokenctl.errors import TokenctlError, Unreachable, UsageError
from tokenctl.oauth.wire import Request, Response

HERE = "0.0.0.0"
"""An address of this machine that is no loopback address: a request to it can have a proxy."""
SECRET = (("refresh_token", "secret"),)


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


def send(proxy: str, url: str = "https://server.example/", ca_file: str | None = None) -> Response:
    """Send a secret through a proxy."""
    request = Request(url=url, headers={"Authorization": "Bearer secret"})
    return Transport(ca_file, total=LONG, environ={"HTTPS_PROXY": proxy}).send(request)


def failure(proxy: str, url: str = "https://server.example/", ca_file: str | None = None) -> TokenctlError:
    """Send a secret that must not arrive, and return the error."""
    claim = Claim()
    with pytest.raises((Unreachable, UsageError)) as caught:
        Transport(ca_file, total=LONG, environ={"HTTPS_PROXY": proxy}).send(Request(url=url, form=SECRET), claim)
    assert not claim.sent and not getattr(caught.value, "sent", False)
    error: TokenctlError = caught.value
    assert "pa#s@s" not in f"{error.message} {error.hint}"
    return error


# -- what works ------------------------------------------------------------------------------------


def test_a_request_goes_through_its_proxy(authority: trustme.CA, ca_file: str) -> None:
    """The proxy learns the server's name and its own password, and nothing of the request."""
    received: list[bytes] = []
    with tls_server(authority, HERE) as server, raw_server(tunnel(received)) as port:
        response = send(f"http://someone:pa#s@s%/w@127.0.0.1:{port}", f"https://{HERE}:{server}/", ca_file)
    assert (response.status, response.proxy) == (200, f"127.0.0.1:{port}")
    expected = base64.b64encode(b"someone:pa#s@s%/w")
    assert received[0].startswith(b"CONNECT 0.0.0.0:") and b"Proxy-Authorization: Basic " + expected in received[0]
    assert b"secret" not in b"".join(received)


def test_a_request_goes_through_a_proxy_that_speaks_tls(authority: trustme.CA, ca_file: str) -> None:
    """Both connections are TLS, one in the other, and the profile's CA counts for both."""
    received: list[bytes] = []
    with (
        tls_server(authority, HERE) as server,
        raw_server(tunnel(received), server_context(authority)) as port,
    ):
        assert send(f"https://127.0.0.1:{port}", f"https://{HERE}:{server}/", ca_file).body == b"{}"
    assert received


# -- proxies that do not connect -------------------------------------------------------------------

UNAVAILABLE = {
    "forbids": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno\r\n", "it answered 403 Forbidden"),
    "has no connection": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "it answered 502 Bad Gateway"),
    "is overloaded": (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "it answered 503 Busy"),
    "is too slow": (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", "it answered 504 Gateway Timeout"),
    "redirects": (b"HTTP/1.1 302 Found\r\nLocation: http://login.example\r\nContent-Length: 0\r\n\r\n", "302 Found"),
    "drops": (b"", "server disconnected without sending a response"),
    "says half": (b"HTTP/1.1 200 Conn", ""),
    "says nonsense": (b"SSH-2.0-OpenSSH_9.6\r\n", ""),
}


@pytest.mark.parametrize("what", UNAVAILABLE)
def test_a_proxy_that_does_not_connect_is_named_as_the_cause(what: str) -> None:
    """Whatever it does instead: exit 6, and the server has seen nothing."""
    answer, reason = UNAVAILABLE[what]
    received, talk = proxy_that(answer)
    with raw_server(talk) as port:
        error = failure(f"http://someone:pa#s@s@127.0.0.1:{port}")
    assert error.message.startswith(f"the proxy 127.0.0.1:{port} does not connect to server.example: ")
    assert reason in error.message and error.exit_status == 6
    assert received[0].startswith(b"CONNECT server.example:443") and b"secret" not in b"".join(received)
    assert "HTTPS_PROXY" in (error.hint or "") or "allow this server" in (error.hint or "")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_never_answers_ends_at_the_deadline(scheme: str) -> None:
    """The deadline is the request's own."""
    _, talk = proxy_that(pause=LONG)
    with raw_server(talk) as port, pytest.raises(Unreachable) as caught:
        Transport(total=0.5, environ={"ALL_PROXY": f"{scheme}://127.0.0.1:{port}"}).send(
            Request(url="https://server.example/", form=SECRET)
        )
    assert caught.value.message.startswith(f"the proxy 127.0.0.1:{port} did not answer within ")
    assert not caught.value.sent and "ALL_PROXY" in (caught.value.hint or "")


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
def test_a_proxy_that_is_away_is_named_as_the_cause(scheme: str) -> None:
    """Where nobody listens, and where nobody knows the name."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(f"{scheme}://someone:pa#s@s@127.0.0.1:{port}")
    assert error.message == f"the proxy 127.0.0.1:{port} cannot be reached: connection refused"
    assert "server.example to NO_PROXY" in (error.hint or "") and error.exit_status == 6
    assert failure(f"{scheme}://tokenctl.invalid").message.startswith("the proxy tokenctl.invalid:")


@pytest.mark.parametrize(
    ("environ", "variable"),
    [({}, "NO_PROXY"), ({"NO_PROXY": "a"}, "NO_PROXY"), ({"no_proxy": "a", "NO_PROXY": "b"}, "no_proxy")],
)
def test_the_hint_names_the_list_of_exceptions_that_counts(environ: dict[str, str], variable: str) -> None:
    """What is added to the other variable would change nothing."""
    with pytest.raises(Unreachable) as caught:
        Transport(environ={"HTTPS_PROXY": "http://tokenctl.invalid", **environ}).send(Request(url="https://a.example/"))
    assert (caught.value.hint or "").endswith(f"add a.example to {variable}")


def test_a_host_that_nobody_knows_may_be_a_wrong_name() -> None:
    """Or this network's machines have to leave names to a proxy."""
    with pytest.raises(Unreachable, match=r"^tokenctl.invalid cannot be reached") as caught:
        Transport(environ={}).send(Request(url="https://tokenctl.invalid/"))
    assert "is the host name right?" in (caught.value.hint or "") and "HTTPS_PROXY" in (caught.value.hint or "")


def test_a_server_that_is_away_behind_a_proxy_is_the_cause() -> None:
    """The proxy has connected, and did its part."""
    with raw_server(proxy_that(ESTABLISHED)[1]) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert error.message.startswith(f"server.example (through the proxy 127.0.0.1:{port}) cannot be reached: ")


def test_a_page_in_the_place_of_tls_is_the_servers() -> None:
    """A proxy that shows a page of its own after it has connected cannot be told from a server that speaks no TLS."""

    def talk(connection: socket.socket) -> None:
        for answer in (ESTABLISHED, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"):
            connection.recv(65536)
            connection.sendall(answer)
        connection.recv(65536)

    with raw_server(talk) as port:
        assert "does not speak TLS" in failure(f"http://127.0.0.1:{port}").message


# -- passwords -------------------------------------------------------------------------------------


def wants(*schemes: str) -> bytes:
    """The answer of a proxy that wants credentials."""
    lines = "".join(f"Proxy-Authenticate: {each}\r\n" for each in schemes)
    return f"HTTP/1.1 407 Proxy Authentication Required\r\n{lines}Content-Length: 0\r\n\r\n".encode()


def test_a_proxy_that_answers_wrong_credentials_with_401_is_understood() -> None:
    """As tinyproxy does."""
    with raw_server(proxy_that(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")[1]) as port:
        error = failure(f"http://someone:pa#s@s@127.0.0.1:{port}")
    assert (
        error.message.endswith("does not accept the user name and password in HTTPS_PROXY") and error.exit_status == 2
    )


@pytest.mark.parametrize("schemes", [(), ('Basic realm="x"',), ("Negotiate", 'Basic realm="x"')])
def test_a_proxy_that_asks_for_a_password_is_an_error_for_a_person(schemes: tuple[str, ...]) -> None:
    """The message names the proxy, and the hint the variable and its form; exit 2."""
    with raw_server(proxy_that(wants(*schemes))[1]) as port:
        error = failure(f"http://127.0.0.1:{port}")
        assert error.message == f"the proxy 127.0.0.1:{port} asks for a user name and a password"
        assert error.hint == f"set HTTPS_PROXY=http://USER:PASSWORD@127.0.0.1:{port}" and error.exit_status == 2
        error = failure(f"http://someone:pa#s@s@127.0.0.1:{port}")
        assert error.message.endswith("does not accept the user name and password in HTTPS_PROXY")


def test_a_proxy_that_wants_another_sign_in_is_told() -> None:
    """Such as one of a Windows domain: no password in the variable helps."""
    with raw_server(proxy_that(wants("Negotiate", "NTLM"))[1]) as port:
        error = failure(f"http://127.0.0.1:{port}")
    assert error.message.endswith("wants a sign-in of a kind that tokenctl has not: Negotiate, NTLM")
    assert error.exit_status == 2 and "HTTPS_PROXY" in (error.hint or "")


# -- TLS -------------------------------------------------------------------------------------------


def test_a_certificate_of_the_proxy_is_not_the_servers(authority: trustme.CA) -> None:
    """A TLS failure towards the proxy names the proxy."""
    with raw_server(saying(OK), server_context(authority)) as port:
        error = failure(f"https://127.0.0.1:{port}")
    assert error.message.startswith(f"the proxy 127.0.0.1:{port} cannot be reached: its certificate is from a CA")


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_certificate_of_the_server_is_not_the_proxys(authority: trustme.CA, ca_file: str, over_tls: bool) -> None:
    """A TLS failure towards the server names the server, and the proxy that it is behind."""
    context: ssl.SSLContext | None = server_context(authority) if over_tls else None
    with tls_server(authority, "other.example") as server, raw_server(tunnel([]), context) as port:
        error = failure(f"{'https' if over_tls else 'http'}://127.0.0.1:{port}", f"https://{HERE}:{server}/", ca_file)
    assert error.message == (
        f"0.0.0.0:{server} (through the proxy 127.0.0.1:{port}) cannot be reached: its certificate is for another host"
    )


# -- SOCKS -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((b"",), "does not connect"),
        ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "does not connect"),
        ((b"\x05\xff",), "asks for a user name and a password"),
        ((b"\x05\x00", b"\x05\x05\x00\x01\0\0\0\0\0\0"), "connection refused"),
        ((b"\x05\x00", b"\x05"), "does not connect"),
    ],
)
def test_a_socks_proxy_that_does_not_connect_is_named_as_the_cause(answers: tuple[bytes, ...], reason: str) -> None:
    """It refuses, wants a password, or speaks another protocol."""

    def talk(connection: socket.socket) -> None:
        for answer in answers:
            connection.recv(65536)
            connection.sendall(answer)

    with raw_server(talk) as port:
        error = failure(f"socks5://127.0.0.1:{port}")
    assert error.message.startswith(f"the proxy 127.0.0.1:{port} ") and reason in error.message.lower()
    assert error.exit_status == (2 if "password" in reason else 6)


def test_the_library_that_socks_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, and only where the request needs it."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    error = failure("socks5://127.0.0.1:1")
    assert error.exit_status == 2 and error.message.startswith("HTTPS_PROXY names a SOCKS proxy")
    assert "tokenctl[socks]" in (error.hint or "")
    with raw_server(proxy_that()[1]) as port, pytest.raises(Unreachable, match=rf"the proxy 127\.0\.0\.1:{port} "):
        Transport(environ={"HTTPS_PROXY": f"http://127.0.0.1:{port}", "ALL_PROXY": "socks5://127.0.0.1:1"}).send(
            Request(url="https://server.example/")
        )
