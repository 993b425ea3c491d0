"""Clients and upstreams that are slow, leave, restart, or are many: nobody waits for them, and nothing is left of them."""

import contextlib
import hmac
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.handoff.proxy.attacks import CHUNKED, END, chunk, get, post
from tests.servers.http_bytes import Message
from tests.servers.recording_upstream import RecordingUpstream, with_tag
from tests.support.commandline import LONG
from tests.support.proxied import Proxied, proxied
from tests.support.raw_client import RawClient

MANY = 100
"""How many connections a proxy has at once."""


@pytest.fixture
def proxy() -> Iterator[Proxied]:
    """A proxy and an upstream of the test's own."""
    with RecordingUpstream() as upstream, proxied(upstream) as proxy:
        yield proxy
        proxy.check()


class Silent:
    """An upstream's answer that waits until it is told, or until the client has gone."""

    def __init__(self, first: bytes = b"") -> None:
        self.first = first
        self.came = threading.Semaphore(0)
        self.go_on = threading.Event()

    def __call__(self, connection: socket.socket, request: Message) -> None:
        if request.target.endswith(b"/honest"):
            with_tag(connection, request)
            return
        connection.sendall(self.first)
        self.came.release()
        connection.settimeout(0.01)
        while not self.go_on.is_set():
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1, socket.MSG_PEEK):
                    return
        connection.settimeout(None)
        with_tag(connection, request)


def tagged(tag: str, target: bytes = b"/v1/x") -> bytes:
    """An honest request with a tag."""
    return get(target, b"X-Tag: %s\r\n" % tag.encode())


# -- who leaves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"], ids=["silent", "streaming"]
)
def test_a_client_that_leaves_ends_the_request_to_the_upstream(proxy: Proxied, first: bytes) -> None:
    """The upstream's connection is closed, also while nothing comes from the upstream."""
    silent = proxy.upstream.answer = Silent(first)
    with proxy.connect() as client:
        client.send(proxy.filled(get()))
        assert silent.came.acquire(timeout=LONG)
        if first:
            client.until(b"abc")
    proxy.upstream.wait_for(lambda: all(each.closed.is_set() for each in proxy.upstream.connections))
    proxy.goes_on()


def test_a_client_that_leaves_an_endless_download_ends_it(proxy: Proxied) -> None:
    """The upstream can send no more."""
    ended = threading.Event()

    def endless(connection: socket.socket, request: Message) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                connection.sendall(chunk(bytes(65536)))
        except OSError:
            ended.set()
            raise

    proxy.upstream.answer = endless
    with proxy.connect() as client:
        client.send(proxy.filled(get())).until(bytes(1000))
    assert ended.wait(LONG)


@pytest.mark.parametrize("headers", [b"Content-Length: 100\r\n", CHUNKED], ids=["by length", "by chunks"])
def test_a_client_that_leaves_its_own_body_sends_no_whole_request(proxy: Proxied, headers: bytes) -> None:
    """What was cut for the proxy is cut for the upstream."""
    with proxy.connect() as client:
        client.send(proxy.filled(post(headers, b"5\r\nabcde\r\n")))
        proxy.upstream.wait_for(lambda: b"abcde" in proxy.upstream.received())
    proxy.upstream.wait_for(lambda: not proxy.upstream.open)
    assert not proxy.upstream.requests
    assert not any(each.received.endswith(END) for each in proxy.upstream.connections)
    proxy.goes_on()


# -- who is slow --------------------------------------------------------------------------------------------


def test_a_slow_body_passes_as_it_comes(proxy: Proxied) -> None:
    """Each part is with the upstream before the next one is sent, in both ways."""
    silent = proxy.upstream.answer = Silent(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"first") + END
    )
    with proxy.connect() as client:
        client.send(proxy.filled(post(CHUNKED, b"")))
        for number in range(20):
            part = b"part-%d" % number
            client.send(chunk(part))
            proxy.upstream.wait_for(lambda part=part: part in proxy.upstream.received())  # type: ignore[misc]
        client.send(END)
        assert client.answer().body == b"first"
        assert silent.came.acquire(timeout=LONG)
        silent.go_on.set()


def test_events_arrive_before_the_next_one_is_sent(proxy: Proxied) -> None:
    """A stream of events is not held back, and can last."""
    step = threading.Semaphore(0)

    def events(connection: socket.socket, request: Message) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(20):
            connection.sendall(chunk(b"data: event-%d.\n\n" % number))
            assert step.acquire(timeout=LONG)
        connection.sendall(END)

    proxy.upstream.answer = events
    with proxy.connect() as client:
        client.send(proxy.filled(get()))
        for number in range(20):
            client.until(b"event-%d." % number)
            step.release()


def test_an_answer_that_comes_byte_by_byte(proxy: Proxied) -> None:
    """It is put together."""

    def bytewise(connection: socket.socket, request: Message) -> None:
        for each in b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc":
            connection.sendall(bytes([each]))

    proxy.upstream.answer = bytewise
    with proxy.connect() as client:
        answer = client.send(proxy.filled(get())).answer()
    assert (answer.status, answer.body) == (200, b"abc")


def test_a_request_in_two_pieces(proxy: Proxied) -> None:
    """Wherever it is cut, it is a request as any other."""
    sent = proxy.filled(post(CHUNKED + b"X-Tag: t\r\n", chunk(b"abc") + END))
    for cut in range(1, len(sent)):
        with proxy.connect() as client:
            client.send(sent[:cut])
            proxy.goes_on()  # so the first piece has been read
            answer = client.send(sent[cut:]).answer()
        assert (answer.status, answer.body) == (200, b"t"), sent[:cut]


# -- many ---------------------------------------------------------------------------------------------------


def test_a_hundred_requests_at_once(proxy: Proxied) -> None:
    """All are with the upstream at the same time, and each gets its own answer."""
    silent = proxy.upstream.answer = Silent()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.connect()) for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.send(proxy.filled(tagged(f"number-{number}")))
        for _ in clients:
            assert silent.came.acquire(timeout=LONG)
        silent.go_on.set()
        assert [client.answer().body for client in clients] == [b"number-%d" % number for number in range(MANY)]


def test_one_more_than_a_hundred_is_told_so(proxy: Proxied) -> None:
    """While a hundred requests are being answered the next client gets 503, and none of the hundred is lost."""
    silent = proxy.upstream.answer = Silent()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.connect()) for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.send(proxy.filled(tagged(f"number-{number}")))
        for _ in clients:
            assert silent.came.acquire(timeout=LONG)
        with proxy.connect() as more:
            assert more.send(proxy.filled(tagged("more"))).answer().status == 503
        silent.go_on.set()
        assert [client.answer().body for client in clients] == [b"number-%d" % number for number in range(MANY)]
    proxy.goes_on()


def test_connections_without_a_request_make_room(proxy: Proxied) -> None:
    """Three hundred clients that say nothing, half a request or one byte more now and then do not keep others out."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(proxy.connect()) for _ in range(3 * MANY)]
        for number, client in enumerate(clients):
            client.send((b"", b"GET /v1/x HTTP/1.1\r\nX-A: ", proxy.filled(get()))[number % 3])
        for letter in b"abcdefghij":
            for client in clients:
                client.send(bytes([letter]))
            proxy.goes_on()


@pytest.mark.slow
def test_a_header_that_does_not_end_is_not_waited_for(proxy: Proxied) -> None:
    """A client that sends a byte now and then is cut off after ten seconds; so is one that says nothing."""
    with proxy.connect() as silent, proxy.connect() as slow, proxy.connect() as patient:
        patient.send(proxy.filled(post(b"Content-Length: 1\r\nX-Tag: t\r\n", b"")))
        slow.send(b"GET /v1/x HTTP/1.1\r\nX-A: ")
        while slow.is_open():
            slow.send(b"a")
            proxy.goes_on()
        assert silent.rest() == b""
        assert patient.send(b"a").answer().body == b"t", "the deadline is for the header alone"


def test_a_client_that_sends_more_than_is_read_must_wait(proxy: Proxied) -> None:
    """What is not read yet is not gathered in memory: neither more requests nor a body."""
    silent = proxy.upstream.answer = Silent()
    with proxy.connect() as many, proxy.connect() as large:
        many.send(proxy.filled(get()))
        assert silent.came.acquire(timeout=LONG)
        assert flood(proxy, many, proxy.filled(get()) * 1000) < MUCH
        proxy.upstream.on_head = silent
        large.send(proxy.filled(post(b"Content-Length: 1000000000\r\n", b"")))
        assert silent.came.acquire(timeout=LONG)
        assert flood(proxy, large, bytes(100_000)) < MUCH
        silent.go_on.set()


MUCH = 64_000_000
"""Bytes that no buffers of sockets hold."""


def flood(proxy: Proxied, client: RawClient, piece: bytes) -> int:
    """Send a piece again and again until nobody takes it; how many bytes were taken, or `MUCH`."""
    client.socket.setblocking(False)
    sent = refused = 0
    while refused < 5 and sent < MUCH:
        try:
            sent += client.socket.send(piece)
        except BlockingIOError:
            refused += 1
            proxy.goes_on()
    return sent


def test_a_client_that_does_not_read_makes_the_upstream_wait(proxy: Proxied) -> None:
    """An answer that nobody reads is not gathered in memory."""
    sent = 0

    def endless(connection: socket.socket, request: Message) -> None:
        nonlocal sent
        if request.target.endswith(b"/honest"):
            with_tag(connection, request)
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while sent < MUCH:
            sent += connection.send(bytes(1_000_000))

    proxy.upstream.answer = endless
    with proxy.connect() as client:
        client.send(proxy.filled(get())).head()
        for _ in range(50):
            proxy.goes_on()
        assert sent < MUCH


def test_provisional_answers_without_end_keep_nobody_out(proxy: Proxied) -> None:
    """Others are answered meanwhile, and the flood ends with its client."""
    ended = threading.Event()

    def flood(connection: socket.socket, request: Message) -> None:
        if request.target.endswith(b"/honest"):
            with_tag(connection, request)
            return
        try:
            while True:
                connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
        except OSError:
            ended.set()
            raise

    proxy.upstream.answer = flood
    with proxy.connect() as client:
        client.send(proxy.filled(get()))
        for _ in range(5):
            proxy.goes_on()
    assert ended.wait(LONG)


def test_pipelined_requests_are_answered_in_order(proxy: Proxied) -> None:
    """Fifty requests in one piece, with bodies and without."""
    sent = [
        tagged(f"p{number}") if number % 2 else post(b"X-Tag: p%d\r\nContent-Length: 3\r\n" % number, b"abc")
        for number in range(50)
    ]
    with proxy.connect() as client:
        client.send(proxy.filled(b"".join(sent)))
        assert [client.answer().body for _ in sent] == [b"p%d" % number for number in range(50)]
    assert [each.one(b"x-tag") for each in proxy.upstream.requests] == [b"p%d" % number for number in range(50)]


# -- other clients ------------------------------------------------------------------------------------------


def test_a_client_of_http_1_0_gets_an_answer_that_it_understands(proxy: Proxied) -> None:
    """No chunks: the body ends with the connection."""

    def chunks(connection: socket.socket, request: Message) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") * 3 + END)

    proxy.upstream.answer = chunks
    with proxy.connect() as client:
        client.send(proxy.filled(get().replace(b"HTTP/1.1", b"HTTP/1.0", 1)))
        head, _, body = client.rest().partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == b"200" and b"transfer-encoding" not in head.lower() and body == b"abcabcabc"


def test_a_client_that_waits_for_permission_to_send_gets_it(proxy: Proxied) -> None:
    """`Expect: 100-continue` is answered here, and goes no further."""
    with proxy.connect() as client:
        client.send(proxy.filled(post(b"Expect: 100-continue\r\nContent-Length: 3\r\nX-Tag: t\r\n", b"")))
        assert client.head().startswith(b"HTTP/1.1 100")
        assert client.send(b"abc").answer().body == b"t"
    (seen,) = proxy.upstream.requests
    assert seen.body == b"abc"


def test_a_refused_request_is_not_asked_for_its_body(proxy: Proxied) -> None:
    """The refusal comes at once, and what follows is nobody's request."""
    with proxy.connect() as client:
        client.send(
            proxy.filled(b"POST /v1/x HTTP/1.1\r\n<HOST>Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n")
        )
        assert client.answer().status == 401
        client.send(proxy.filled(get(b"/v1/hidden") * 100)).rest()
    assert not proxy.upstream.requests


# -- an upstream that comes and goes --------------------------------------------------------------------------


def test_an_upstream_that_restarts() -> None:
    """While it is away: 502, with a problem document that has no secret; afterwards everything is as before."""
    with RecordingUpstream() as first:
        port = first.port
        with proxied(first) as proxy:
            proxy.goes_on()
            first.__exit__(None, None, None)
            first.wait_for(lambda: not first.open)
            with proxy.connect() as client:
                answer = client.send(proxy.filled(get())).answer()
            assert answer.status == 502 and answer.one(b"content-type") == b"application/problem+json"
            assert proxy.token not in answer.body and proxy.secret not in answer.body
            with RecordingUpstream(port) as proxy.upstream:
                proxy.goes_on()
                proxy.check()


# -- how the secret is compared -----------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"Authorization: Bearer wrong", b"Authorization: Basic YTpi", b"X-Api-Key: wrong"])
def test_the_secret_is_compared_in_constant_time(line: bytes) -> None:
    """The comparison is the one of the standard library, whose time does not depend on what is compared."""
    called = set()

    def watch(frame: FrameType, event: str, function: object) -> None:
        if event == "c_call" and function is hmac.compare_digest:
            called.add(frame.f_code.co_filename)

    before = threading.getprofile()
    threading.setprofile(watch)
    try:
        with RecordingUpstream() as upstream, proxied(upstream) as proxy, proxy.connect() as client:
            client.send(proxy.filled(b"GET /v1/x HTTP/1.1\r\n<HOST>" + line + b"\r\n\r\n"))
            assert client.answer().status == 401
    finally:
        threading.setprofile(before)
    assert called
