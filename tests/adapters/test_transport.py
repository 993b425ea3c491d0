"""The transport over real sockets on loopback: limits, deadlines, redirects, and nothing ambient."""

import gzip
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.servers.faulty_server import FaultyServer, Override, Reply, json_reply
from tests.servers.raw_server import OK, raw_server, saying
from tests.support.commandline import LONG
from tests.support.flows import always
from tokenctl.adapters.claim import Claim
from tokenctl.adapters.pools import Connections
from tokenctl.adapters.transport import LARGEST, LONGEST_RETRY_AFTER, Transport, read_date
from tokenctl.errors import Refused, Unreachable, UsageError
from tokenctl.oauth.wire import Request


def get(server: FaultyServer, path: str = "/jwks") -> Request:
    """A request without a secret."""
    return Request(url=server.issuer + path)


# -- limits ------------------------------------------------------------------------------------


def test_an_answer_of_the_largest_size_is_read_whole(demo_server: FaultyServer) -> None:
    """A body of just the limit is read to its last byte."""
    demo_server.overrides["/jwks"] = always(Reply(body=b"x" * LARGEST))
    assert len(Transport().send(get(demo_server)).body) == LARGEST


@pytest.mark.parametrize("length", [{}, {"Content-Length": str(10 * LARGEST)}])
def test_a_larger_answer_is_refused(demo_server: FaultyServer, length: dict[str, str]) -> None:
    """A body over the limit is refused, whatever length it announces."""
    demo_server.overrides["/jwks"] = always(Reply(body=b"x" * (LARGEST + 1), headers=length))
    with pytest.raises(Refused, match="more than 1024 KiB"):
        Transport().send(get(demo_server))


def test_an_endless_answer_is_refused() -> None:
    """An answer without an end is cut off at the limit."""
    endless = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 64
    with raw_server(saying(*endless)) as port, pytest.raises(Refused):
        Transport().send(Request(url=f"http://127.0.0.1:{port}/"))


def test_a_gzip_bomb_is_not_unpacked(demo_server: FaultyServer) -> None:
    """A compressed answer is unpacked up to the limit of every answer, and no further."""
    bomb = gzip.compress(b"\0" * (64 * LARGEST))
    demo_server.overrides["/jwks"] = always(Reply(body=bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(Refused, match="more than 1024 KiB"):
        Transport().send(get(demo_server))
    assert demo_server.requests[-1].headers["accept-encoding"] == "identity"


# -- deadlines -----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_dripping_answer_ends_at_the_total_deadline(where: str) -> None:
    """A server that sends a byte now and then does not hold a request past its deadline."""
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" if where == "body" else b"HTTP/1.1 200 OK\r\nX: "
    with (
        raw_server(saying(start, *[b"x"] * 100, pause=0.1)) as port,
        pytest.raises(Unreachable, match="did not answer within") as caught,
    ):
        Transport(total=0.5).send(Request(url=f"http://127.0.0.1:{port}/"))
    assert caught.value.sent


def test_a_silent_server_ends_at_the_total_deadline() -> None:
    """A server that accepts and says nothing costs the deadline and no more."""
    with raw_server(saying(b"", pause=60)) as port, pytest.raises(Unreachable, match="did not answer") as caught:
        Transport(total=0.3).send(Request(url=f"http://127.0.0.1:{port}/"))
    assert caught.value.exit_status == 6


# -- sent or not -----------------------------------------------------------------------------------


def test_a_refused_connection_was_never_sent(demo_server: FaultyServer) -> None:
    """Where nobody listens, nothing was sent."""
    url = get(demo_server).url
    demo_server.stop()
    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        Transport().send(Request(url=url, form=()))
    assert not caught.value.sent


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other words for it")
def test_a_refused_connection_names_the_port(demo_server: FaultyServer) -> None:
    """The message has host, port and reason, and no number that only programs know."""
    demo_server.stop()
    with pytest.raises(Unreachable) as caught:
        Transport().send(get(demo_server))
    assert caught.value.message == f"127.0.0.1:{demo_server.port} cannot be reached: connection refused"


def test_a_usual_port_is_not_named() -> None:
    """Where the port is the scheme's own, the host alone is named."""
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 cannot be reached: "):
        Transport().send(Request(url="https://127.0.0.1:443/token"))


@pytest.mark.parametrize("how", ["drop_before", "drop_after"])
def test_a_request_without_an_answer_may_have_been_sent(demo_server: FaultyServer, how: str) -> None:
    """A connection that breaks after the request leaves it in doubt, and the request goes out once only."""
    demo_server.overrides["/token"] = always(Reply(**{how: True}))  # type: ignore[arg-type]
    with pytest.raises(Unreachable) as caught:
        Transport().send(Request(url=f"{demo_server.issuer}/token", form=(("a", "b"),)))
    assert caught.value.sent
    assert demo_server.count("/token") == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.7\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_answer_is_unreachable(answer: bytes) -> None:
    """A broken, truncated or boundless answer is a failure to ask, and the request may have been seen."""
    with raw_server(saying(answer)) as port, pytest.raises(Unreachable) as caught:
        Transport(total=5).send(Request(url=f"http://127.0.0.1:{port}/"))
    assert caught.value.sent


@pytest.mark.parametrize(
    "answer",
    [
        b"PRIVATE\r\n\r\n",
        b"HTTP/9 PRIVATE\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: PRIVATE\rx\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nPRIVATE\r\n\r\n",
    ],
)
def test_the_error_for_what_is_no_http_answer_repeats_nothing_of_it(answer: bytes) -> None:
    """A server can send back what it was sent, and that can be a secret."""
    with raw_server(saying(answer)) as port, pytest.raises(Unreachable, match="its answer is not HTTP") as caught:
        Transport(total=5).send(Request(url=f"http://127.0.0.1:{port}/", headers={"Authorization": "PRIVATE"}))
    assert "PRIVATE" not in f"{caught.value.message} {caught.value.hint}"


def test_errors_hold_nothing_of_the_request() -> None:
    """Neither query nor form nor header of a request that failed is in its error."""
    request = Request(
        url="http://127.0.0.1:1/x?q=PRIVATE", form=(("t", "PRIVATE"),), headers={"Authorization": "PRIVATE"}
    )
    with pytest.raises(Unreachable) as caught:
        Transport().send(request)
    assert "PRIVATE" not in f"{caught.value.message} {caught.value.hint} {request!r}".replace("q=PRIVATE", "")
    assert "PRIVATE" not in caught.value.message


# -- redirects -------------------------------------------------------------------------------------


def redirect(location: str | None, status: int = 302) -> Override:
    """An override that redirects."""
    return always(Reply(status=status, headers={"Location": location} if location is not None else {}))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["/jwks", "http://127.0.0.1:1/"])
def test_a_post_is_never_redirected(demo_server: FaultyServer, status: int, location: str) -> None:
    """A form, which holds a secret, goes nowhere but where it was meant to go."""
    demo_server.overrides["/token"] = redirect(location, status)
    with pytest.raises(Refused, match="redirects this request elsewhere"):
        Transport().send(Request(url=f"{demo_server.issuer}/token", form=(("refresh_token", "secret"),)))
    assert [each.path for each in demo_server.requests] == ["/token"]


def test_a_get_with_a_header_is_never_redirected(demo_server: FaultyServer) -> None:
    """A request with an Authorization header is not redirected, even within its origin."""
    demo_server.overrides["/userinfo"] = redirect("/jwks")
    with pytest.raises(Refused):
        Transport().send(Request(url=f"{demo_server.issuer}/userinfo", headers={"Authorization": "Bearer x"}))
    assert demo_server.count("/jwks") == 0


def test_a_get_is_redirected_within_its_origin(demo_server: FaultyServer) -> None:
    """Metadata and keys may move on the same server."""
    demo_server.overrides["/old"] = redirect("/jwks", 308)
    assert b'"keys"' in Transport().send(get(demo_server, "/old")).body


def test_a_get_is_not_redirected_to_another_origin(demo_server: FaultyServer) -> None:
    """Another host, port or scheme is another server."""
    other = demo_server.issuer.replace("127.0.0.1", "localhost")
    for location in (
        f"{other}/jwks",
        "https://127.0.0.1/jwks",
        "http://127.0.0.1/jwks",
        "//localhost/jwks",
        "file:///etc/passwd",
    ):
        demo_server.overrides["/old"] = redirect(location)
        with pytest.raises(Refused):
            Transport().send(get(demo_server, "/old"))
    assert demo_server.count("/jwks") == 0


@pytest.mark.parametrize("location", ["/old", None])
def test_a_circle_of_redirects_ends(demo_server: FaultyServer, location: str | None) -> None:
    """A redirect to itself, or to nowhere, is followed a few times and refused."""
    demo_server.overrides["/old"] = redirect(location)
    with pytest.raises(Refused, match="circle"):
        Transport().send(get(demo_server, "/old"))
    assert demo_server.count("/old") == 4


def test_a_redirect_to_what_is_no_address_is_refused(demo_server: FaultyServer) -> None:
    """A Location that cannot be read is refused like any other."""
    demo_server.overrides["/old"] = redirect("http://[")
    with pytest.raises(Refused):
        Transport().send(get(demo_server, "/old"))


def test_a_chain_of_redirects_ends_at_the_total_deadline(demo_server: FaultyServer) -> None:
    """Redirects do not make the time that one request has longer."""
    demo_server.overrides["/old"] = always(Reply(status=302, headers={"Location": "/older"}, delay=0.4))
    demo_server.overrides["/older"] = always(Reply(status=302, headers={"Location": "/jwks"}, delay=0.4))
    with pytest.raises(Unreachable):
        Transport(total=0.6).send(get(demo_server, "/old"))


# -- nothing ambient -------------------------------------------------------------------------------


def test_no_cookie_goes_from_one_request_to_the_next(demo_server: FaultyServer) -> None:
    """A cookie that a server sets is forgotten at once, over a redirect too."""
    demo_server.overrides["/old"] = always(
        Reply(status=302, headers={"Location": "/jwks", "Set-Cookie": "a=b; Path=/"})
    )
    transport = Transport()
    transport.send(get(demo_server, "/old"))
    transport.send(get(demo_server))
    assert [each.path for each in demo_server.requests] == ["/old", "/jwks", "/jwks"]
    assert all("cookie" not in each.headers for each in demo_server.requests)


def test_netrc_is_not_read(demo_server: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords in .netrc go nowhere."""
    for name in (".netrc", "netrc"):
        (tmp_path / name).write_text("default login someone password secret\n")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", demo_server.issuer)
    Transport().send(get(demo_server))
    Transport().send(Request(url="http://issuer.example/jwks"))  # by the proxy
    assert len(demo_server.requests) == 2
    assert all("authorization" not in each.headers for each in demo_server.requests)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_loopback_is_never_proxied(demo_server: FaultyServer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A proxy gets nothing that is meant for this machine, and the rest as the environment says."""
    proxied: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        proxied.append(connection.recv(65536))
        connection.sendall(OK)

    with raw_server(proxy) as port:
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        for host in ("127.0.0.1", "localhost"):
            Transport().send(Request(url=f"{demo_server.issuer.replace('127.0.0.1', host)}/jwks"))
        assert proxied == []
        with pytest.raises(Unreachable):
            Transport().send(Request(url="http://issuer.example/jwks", direct=True))
        assert proxied == []
        Transport().send(Request(url="http://issuer.example/jwks"))
    assert proxied[0].startswith(b"GET http://issuer.example/jwks ")


# -- what arrives late -----------------------------------------------------------------------------


STOPPED = """
import sys
from tokenctl.adapters.transport import Transport
from tokenctl.oauth.wire import Request
print(Transport(total=1).send(Request(url=sys.argv[1], form=())).status)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
def test_a_response_that_arrived_while_the_process_was_stopped_is_read() -> None:
    """The deadline has passed then, and the response is there: it is not lost."""
    come, answer = threading.Event(), threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        come.set()
        answer.wait(LONG)
        connection.sendall(OK)
        time.sleep(LONG)

    with raw_server(talk) as port:
        words = [sys.executable, "-c", STOPPED, f"http://127.0.0.1:{port}/"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert come.wait(LONG)
            process.send_signal(signal.SIGSTOP)
            answer.set()
            time.sleep(1.5)  # longer than the deadline
            process.send_signal(signal.SIGCONT)
            said, _ = process.communicate(timeout=LONG)
    assert said == "200\n"


@pytest.mark.parametrize("error", [MemoryError, ImportError, RuntimeError, OSError])
def test_a_request_that_fails_on_this_machine_before_its_first_byte_is_unsent(
    demo_server: FaultyServer, error: type[Exception]
) -> None:
    """Such as where a library is half upgraded, or there is no memory."""

    class Failing(Claim):
        def note(self) -> None:
            raise error

    claim = Failing()
    before = len(demo_server.requests)
    with pytest.raises((Unreachable, error)):
        Transport().send(get(demo_server), claim)
    assert not claim.sent and len(demo_server.requests) == before


# -- ca_file -----


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | None) -> None:
    """A `ca_file` that is missing or holds something else is a usage error."""
    if text is not None:
        (tmp_path / "ca.pem").write_text(text)
    with pytest.raises(UsageError, match="ca_file"):
        Transport(str(tmp_path / "ca.pem"))


# -- Retry-After -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0", 0),
        ("301", LONGEST_RETRY_AFTER),
        ("9" * 400, LONGEST_RETRY_AFTER),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        (formatdate(0, usegmt=True), 0),
        ("Fri, 01 Jan 2100 00:00:00 GMT", LONGEST_RETRY_AFTER),
    ],
)
def test_retry_after_is_read_as_seconds(demo_server: FaultyServer, value: str | None, seconds: int | None) -> None:
    """Retry-After may be seconds or a date; it is capped, and nonsense counts as absent."""
    headers = {} if value is None else {"retry_after": value}
    demo_server.overrides["/jwks"] = always(json_reply({}, 503, **headers))
    assert Transport().send(get(demo_server)).retry_after == seconds


def test_retry_after_in_a_minute_is_a_minute(demo_server: FaultyServer) -> None:
    """A date is counted from now."""
    demo_server.overrides["/jwks"] = always(json_reply({}, 429, retry_after=formatdate(time.time() + 60, usegmt=True)))
    assert Transport().send(get(demo_server)).retry_after in range(55, 61)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ("Date: Sat, 01 Jan 2000 00:00:00 GMT\r\nRetry-After: Sat, 01 Jan 2000 00:01:00 GMT\r\n", 60),
        ("Date: Fri, 01 Jan 2100 00:00:00 GMT\r\nRetry-After: Thu, 31 Dec 2099 23:59:59 GMT\r\n", 0),
        ("Date: Fri, 01 Jan 2100 00:00:00 GMT\r\nRetry-After: Fri, 01 Jan 2100 00:00:07 GMT\r\n", 7),
        ("Date: soon\r\nRetry-After: Sat, 01 Jan 2000 00:01:00 GMT\r\n", 0),
        ("Retry-After: Sat, 01 Jan 2000 00:01:00 GMT\r\n", 0),
    ],
)
def test_a_date_is_counted_from_the_servers_own_time(headers: str, seconds: int) -> None:
    """The local clock can be years off; without the time of the server it is all there is."""
    answer = f"HTTP/1.1 503 Busy\r\n{headers}Content-Length: 0\r\n\r\n".encode()
    with raw_server(saying(answer)) as port:
        assert Transport().send(Request(url=f"http://127.0.0.1:{port}/")).retry_after == seconds


# -- Date ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "date"), [("Fri, 01 Jan 2100 00:00:00 GMT", 4_102_444_800), ("soon", None), ("", None), ("9" * 400, None)]
)
def test_the_servers_own_time_is_read(demo_server: FaultyServer, value: str, date: int | None) -> None:
    """A token's `exp` is compared with it; nonsense counts as absent."""
    assert read_date(value) == date
    found = Transport().send(get(demo_server)).date
    assert found is not None and abs(found - time.time()) < 3600


# -- connections that are kept ----------------------------------------------------------------------


class Connected:
    """A server that answers `most` requests on each connection, and then closes it when the next one has come."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.received: list[list[bytes]] = []
        """The requests' first words, for each connection."""

    def talk(self, connection: socket.socket) -> None:
        """Serve one connection."""
        mine: list[bytes] = []
        self.received.append(mine)
        while request := connection.recv(65536):
            if len(mine) == self.most:
                return
            mine.append(request.split(b" ")[0])
            if b"POST" in request and not request.endswith(b"a=b"):
                connection.recv(65536)
            connection.sendall(OK)


def presented_and_read(server: Connected, kept: Connections | None) -> list[list[bytes]]:
    """Send a POST, two GETs that present nothing, one with a credential and one more POST."""
    with raw_server(server.talk) as port, closing(kept or Connections()):
        url = f"http://127.0.0.1:{port}/"
        for request in (
            Request(url=url, form=(("a", "b"),)),
            Request(url=url),
            Request(url=url),
            Request(url=url, headers={"Authorization": "Bearer x"}),
            Request(url=url, form=(("a", "b"),)),
        ):
            assert Transport(kept=kept).send(request).body == b"{}"
    return server.received


def test_a_request_that_presents_nothing_uses_a_connection_that_is_open() -> None:
    """The keys of an issuer are read on the token request's connection; what has a secret always gets a new one."""
    found = presented_and_read(Connected(most=9), Connections())
    assert found == [[b"POST", b"GET", b"GET"], [b"GET"], [b"POST"]]


def test_a_connection_that_the_server_closes_is_no_failure() -> None:
    """It says so when the request has come; a request that presents nothing is sent once more, on a new connection."""
    found = presented_and_read(Connected(most=1), Connections())
    assert found == [[b"POST"], [b"GET"], [b"GET"], [b"GET"], [b"POST"]]


def test_without_a_place_for_connections_each_request_has_its_own() -> None:
    """It is closed when the response was read."""
    found = presented_and_read(Connected(most=9), None)
    assert found == [[b"POST"], [b"GET"], [b"GET"], [b"GET"], [b"POST"]]
