"""One request through the proxy, to a small upstream that does what a test says."""

import io
import queue
import socket
import threading

import pytest
import trustme

from tests.handoff.conftest import Account, Answer
from tests.servers.raw_server import OK, Talk, raw_server, saying, server_context, tls_server, tunnel
from tests.support import broker
from tests.support.small_proxy import SECRET, TOKEN, signed_in, small_proxy
from tokenctl.adapters.terminal import Terminal
from tokenctl.handoff.live_token import LiveToken
from tokenctl.runtime import Runtime

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def received_in(received: list[bytes], *answers: bytes) -> Talk:
    """Keep what is received up to the end of the headers, and give the next answer."""

    def talk(connection: socket.socket) -> None:
        for answer in answers:
            got = b""
            while b"\r\n\r\n" not in got:
                part = connection.recv(65536)
                if not part:
                    return
                got += part
            received.append(got)
            connection.sendall(answer)

    return talk


def test_the_upstream_gets_the_target_as_it_is_and_the_token_alone() -> None:
    """Below the prefix of the upstream's URL, with an empty query too; nothing is added, and no secret is in it."""
    received: list[bytes] = []
    with raw_server(received_in(received, OK)) as port, small_proxy(f"http://127.0.0.1:{port}/base/") as proxy:
        status, rest = proxy.ask("GET /a%2Fb//%7e?", "X-A: 1", f"X-Api-Key: {SECRET}", "TE: trailers")
    assert (status, rest) == (200, b"{}")
    lines = received[0].decode().split("\r\n")
    assert lines[0] == "GET /base/a%2Fb//%7e? HTTP/1.1"
    assert sorted(filter(None, lines[1:])) == [f"Authorization: Bearer {TOKEN}", f"Host: 127.0.0.1:{port}", "X-A: 1"]


def test_what_is_refused_does_not_reach_the_upstream() -> None:
    """The answer is a problem document, and the connection is closed also when a body was announced."""
    received: list[bytes] = []
    with raw_server(received_in(received, OK)) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy:
        with proxy.connect() as client:
            client.sendall(
                b"POST /x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 1000000\r\n\r\nabc" % proxy.address[1]
            )
            answer = client.rest()
        assert proxy.ask("GET /../x")[0] == 403
    assert answer.startswith(b"HTTP/1.1 401 ") and b"WWW-Authenticate: Bearer" in answer
    assert b"Content-Type: application/problem+json" in answer and SECRET.encode() not in answer
    assert not received


def test_events_pass_at_once() -> None:
    """A part of an answer is at the client before the upstream has the next one."""
    go_on = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(CHUNKED + b"9\r\ndata: 1\n\n\r\n")
        go_on.wait()
        connection.sendall(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy, proxy.connect() as client:
        assert client.ask("GET /events").status() == 200
        assert client.recv(100) == b"9\r\ndata: 1\n\n\r\n"
        go_on.set()
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            rest += client.recv(100)
    assert b"data: 2" in rest


@pytest.mark.parametrize("sent", [b"", CHUNKED + b"1\r\na\r\n"], ids=["before the answer", "within the answer"])
def test_a_client_that_leaves_ends_the_request(sent: bytes) -> None:
    """The upstream sees the end of the connection, also while it says nothing."""
    ended: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    asked = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(sent)
        asked.set()
        ended.put(connection.recv(1))

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy:
        with proxy.connect() as client:
            client.ask("GET /slow")
            assert asked.wait(60)
        assert ended.get(timeout=60) == b""


@pytest.mark.parametrize(
    "cut",
    [CHUNKED + b"5\r\nhello\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"],
    ids=["chunks", "a length"],
)
def test_an_answer_that_is_cut_short_has_no_end(cut: bytes) -> None:
    """The client can tell it from a whole one: no last chunk, or fewer bytes than announced."""
    with raw_server(saying(cut)) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy:
        status, rest = proxy.ask("GET /x")
        assert status == 200 and b"hello" in rest and not rest.endswith(b"0\r\n\r\n")


def test_a_client_of_http_1_0_sees_a_cut_answer_as_a_reset() -> None:
    """To it, the end of the connection is the end of the answer."""
    with (
        raw_server(saying(CHUNKED + b"5\r\nhello\r\n")) as port,
        small_proxy(f"http://127.0.0.1:{port}") as proxy,
        proxy.connect() as client,
    ):
        host = b"127.0.0.1:%d" % proxy.address[1]
        client.sendall(b"GET /x HTTP/1.0\r\nHost: %s\r\nX-Api-Key: %s\r\n\r\n" % (host, SECRET.encode()))
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_an_answer_before_the_whole_body_passes() -> None:
    """An upstream that refuses a long body, and does not read it, is heard while the client still sends."""
    done = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 413 Too Long\r\nContent-Length: 2\r\n\r\nno")
        done.wait(60)

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy, proxy.connect() as client:
        client.ask("POST /x", f"Content-Length: {1 << 30}")
        threading.Thread(target=_send_until_it_fails, args=(client,), daemon=True).start()
        assert client.status() == 413
        assert client.recv(2) == b"no"
        done.set()


LATER = bytes(400_000)


@pytest.mark.parametrize(
    ("length", "first", "rest"),
    [
        ("Content-Length: 400005", b"first", LATER),
        ("Transfer-Encoding: chunked", b"5\r\nfirst\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(LATER), LATER)),
    ],
    ids=["a length", "chunks"],
)
def test_a_body_is_sent_on_while_the_answer_comes(length: str, first: bytes, rest: bytes) -> None:
    """An upstream that answers while it reads gets all of the body; its answer to the first part is at the client at once."""
    got = bytearray()

    def talk(connection: socket.socket) -> None:
        while b"first" not in got:
            got.extend(connection.recv(65536))
        connection.sendall(CHUNKED + b"3\r\none\r\n")
        while got.count(0) < len(LATER) or not got.endswith(rest[-5:]):
            got.extend(connection.recv(65536))
        connection.sendall(b"0\r\n\r\n")

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy, proxy.connect() as client:
        client.ask("POST /x", length, body=first)
        assert client.status() == 200
        assert client.recv(100) == b"3\r\none\r\n"
        client.sendall(rest)
        assert client.rest() == b"0\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"],
        [b"HTTP/1.", b"1 1", b"00 Continue\r\nX-A: b\r\n", b"\r\n"],
    ],
    ids=["100", "two", "in pieces"],
)
def test_a_provisional_answer_does_not_end_a_body(said: list[bytes]) -> None:
    """The upstream gets the rest, and the client gets the final answer."""
    go_on = queue.SimpleQueue[bytes]()

    def talk(connection: socket.socket) -> None:
        got = b""
        while not got.endswith(b"first"):
            got += connection.recv(65536)
        for part in said:
            connection.sendall(part)
            go_on.put(part)
            got += connection.recv(1)
        while got.count(0) < len(LATER):
            got += connection.recv(65536)
        connection.sendall(OK)

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy, proxy.connect() as client:
        client.ask("POST /x", f"Content-Length: {5 + len(said) + len(LATER)}", body=b"first")
        for _ in said:
            go_on.get(timeout=60)
            client.sendall(b"x")
        client.sendall(LATER)
        assert client.status() == 200


def _send_until_it_fails(client: socket.socket) -> None:
    try:
        while True:
            client.sendall(bytes(65536))
    except OSError:
        pass


def test_a_client_that_waits_for_permission_gets_it_from_the_proxy() -> None:
    """`Expect: 100-continue` is answered here, and not sent on."""
    received: list[bytes] = []
    with (
        raw_server(received_in(received, OK)) as port,
        small_proxy(f"http://127.0.0.1:{port}") as proxy,
        proxy.connect() as client,
    ):
        client.ask("POST /x", "Expect: 100-continue", "Content-Length: 2")
        assert client.status() == 100
        client.sendall(b"hi")
        assert client.status() == 200
    assert b"xpect" not in received[0]


@pytest.mark.parametrize(("method", "expected"), [("GET", 200), ("POST", 502)])
def test_a_kept_connection_that_the_upstream_closes(method: str, expected: int) -> None:
    """What changes nothing is sent again on a new connection; what may have been done is not."""
    closing = threading.Event()

    def talk(connection: socket.socket) -> None:
        if connection.recv(65536).startswith(b"GET /first"):
            connection.sendall(OK)
            connection.recv(65536)  # the next request, which gets no answer
            closing.set()
        elif closing.is_set():
            connection.sendall(OK)

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy:
        assert proxy.ask("GET /first")[0] == 200
        assert proxy.ask(f"{method} /second")[0] == expected
        assert closing.is_set()


def test_an_upstream_that_cannot_be_reached() -> None:
    """The client gets 502 and the reason; the next request is answered when the upstream is there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with small_proxy(f"http://127.0.0.1:{port}") as proxy:
        status, rest = proxy.ask("GET /x")
        assert status == 502 and f"127.0.0.1:{port} cannot be reached: connection refused".encode() in rest.lower()


def test_tls_of_the_upstream() -> None:
    """A CA that is not known is told as it is for every other request; `ca_file` adds one."""
    authority = trustme.CA()
    with tls_server(authority) as port:
        with small_proxy(f"https://127.0.0.1:{port}") as proxy:
            status, rest = proxy.ask("GET /x")
            assert status == 502 and b"certificate" in rest
        with (
            authority.cert_pem.tempfile() as ca_file,
            small_proxy(f"https://127.0.0.1:{port}", ca_file=ca_file) as proxy,
        ):
            assert proxy.ask("GET /x") == (200, b"{}")


def test_the_proxy_of_the_network() -> None:
    """The environment names it, as for every other request; it gets no token."""
    authority = trustme.CA()
    received: list[bytes] = []
    got: list[bytes] = []
    context = server_context(authority, "api.test")
    with raw_server(received_in(got, OK), context) as port, raw_server(tunnel(received)) as tunnel_port:
        runtime = signed_in()
        runtime.environ = {"https_proxy": f"http://127.0.0.1:{tunnel_port}"}
        with (
            authority.cert_pem.tempfile() as ca_file,
            small_proxy(f"https://api.test:{port}", runtime, ca_file=ca_file) as proxy,
        ):
            assert proxy.ask("GET /x") == (200, b"{}")
    assert received[0].startswith(b"CONNECT api.test:") and TOKEN.encode() not in received[0]
    assert TOKEN.encode() in got[0]


def test_one_line_a_request_with_v() -> None:
    """Method, path without its query, status and duration; no header."""
    shown = io.StringIO()
    runtime = signed_in()
    runtime.terminal = Terminal({}, verbose=True, err=shown)
    with raw_server(saying(OK)) as port, small_proxy(f"http://127.0.0.1:{port}", runtime) as proxy:
        proxy.ask("GET /v1/x?key=hidden")
    assert shown.getvalue().startswith("tokenctl: GET /v1/x 200 ") and "hidden" not in shown.getvalue()
    assert TOKEN not in shown.getvalue() and SECRET not in shown.getvalue()


# -- the token ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "body"),
    [("Content-Length: 5", b"hello"), ("Transfer-Encoding: chunked", b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")],
)
def test_a_refused_token_is_renewed_and_the_request_is_sent_again(account: Account, header: str, body: bytes) -> None:
    """Once, with its body, whether its length is known or it comes in chunks."""
    runtime = Runtime(account.environ)
    with small_proxy(account.api.origin, runtime, live=LiveToken(runtime, runtime.profile("t"))) as proxy:
        account.server.expire_access_tokens()
        assert proxy.ask("POST /a", header, body=body)[0] == 200
    assert [each.body for each in account.api.asked] == [b"hello"] * 2
    assert account.refreshes == 1


def test_a_long_body_is_not_sent_again(account: Account) -> None:
    """The client gets the refusal, and the next request has a new token."""
    runtime = Runtime(account.environ)
    with small_proxy(account.api.origin, runtime, live=LiveToken(runtime, runtime.profile("t"))) as proxy:
        account.server.expire_access_tokens()
        assert proxy.ask("POST /a", "Content-Length: 70000", body=bytes(70000))[0] == 401
        assert proxy.ask("GET /b")[0] == 200
    assert account.refreshes == 1


def test_long_bodies_that_are_refused_again_and_again(account: Account) -> None:
    """An API that refuses every token does not cause a renewal for each upload."""
    runtime = Runtime(account.environ)
    account.api.answers["/a"] = Answer(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    with small_proxy(account.api.origin, runtime, live=LiveToken(runtime, runtime.profile("t"))) as proxy:
        for _ in range(4):
            assert proxy.ask("POST /a", "Content-Length: 70000", body=bytes(70000))[0] == 401
    assert account.refreshes == 1


def test_a_dead_session_comes_alive(account: Account) -> None:
    """Without a session the answer is 503 and says what to do; after a login the same proxy works."""
    runtime = Runtime(account.environ)
    broker.forget(runtime, runtime.profile("t"))
    with small_proxy(account.api.origin, runtime, live=LiveToken(runtime, runtime.profile("t"))) as proxy:
        status, rest = proxy.ask("GET /a")
        assert status == 503 and b"tokenctl login" in rest
        account.keep(account.session)
        assert proxy.ask("GET /b")[0] == 200
    assert [each.target for each in account.api.asked] == ["/b"]
