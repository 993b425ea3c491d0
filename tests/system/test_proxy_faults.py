"""The proxy with a real session in a world that fails: dead sessions, full disks, many who need a renewal, an end in the middle."""

import contextlib
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.handoff.proxy.attacks import get
from tests.killing.folders import fill, small_disk
from tests.killing.scene import wait_until
from tests.servers.faulty_server import FaultyServer
from tests.servers.http_bytes import Message
from tests.servers.recording_upstream import Answer, RecordingUpstream
from tests.support.commandline import LONG, Home
from tests.support.demo_server import Make
from tests.support.proxied import Proxied
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxy.server import Proxy, running
from tokenctl.runtime import Runtime

MANY = 100


@pytest.fixture
def upstream() -> Iterator[RecordingUpstream]:
    """An API that answers every request."""
    with RecordingUpstream() as upstream:
        yield upstream


@contextmanager
def proxy_of(home: Home, upstream: RecordingUpstream) -> Iterator[Proxied]:
    """Run a proxy for the person who is signed in as `t`; other processes share the session."""
    runtime = Runtime(home.environ)
    secret = secrets.token_urlsafe(32)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        port = listener.getsockname()[1]
        proxy = Proxy(upstream=upstream.url, secret=secret)
        with running(runtime, LiveToken(runtime, runtime.profile("t")), proxy, listener):
            yield Proxied(upstream, port, secret, "")


def knows(server: FaultyServer) -> Answer:
    """Make an API that answers only a token that the server knows."""

    def answer(connection: socket.socket, request: Message) -> None:
        token = (request.one(b"authorization") or b"").decode().removeprefix("Bearer ")
        known = server.sessions.access_claims(token) is not None
        connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % (200 if known else 401))

    return answer


def ask(proxy: Proxied) -> Message:
    """Send an honest request on a connection of its own; its answer."""
    with proxy.connect() as client:
        return client.send(proxy.filled(get())).answer()


def test_a_dead_session_comes_alive_again(home: Home, make_server: Make, upstream: RecordingUpstream) -> None:
    """While a person must sign in: 503 with the command to run. After a login by another process: 200."""
    server = make_server()
    assert home.login(server.issuer).status == 0
    upstream.answer = knows(server)
    with proxy_of(home, upstream) as proxy:
        assert ask(proxy).status == 200
        server.kill_session()
        server.expire_access_tokens()
        for _ in range(3):
            dead = ask(proxy)
            assert (dead.status, dead.one(b"content-type")) == (503, b"application/problem+json"), dead
            assert b"tokenctl login -p t" in dead.body
        assert server.count("/token", "refresh_token") <= 1
        assert home.login(server.issuer).status == 0
        assert ask(proxy).status == 200
    token = home.run("token").stdout.strip()
    assert upstream.requests[-1].one(b"authorization") == f"Bearer {token}".encode()


def test_a_session_that_is_signed_out_gives_no_more_tokens(
    home: Home, make_server: Make, upstream: RecordingUpstream
) -> None:
    """Once the server refuses the token that the proxy holds, nobody gets another one."""
    server = make_server()
    assert home.login(server.issuer).status == 0
    upstream.answer = knows(server)
    with proxy_of(home, upstream) as proxy:
        assert ask(proxy).status == 200
        assert home.run("revoke").status == 0
        server.expire_access_tokens()
        gone = ask(proxy)
    assert gone.status == 503 and b"tokenctl login" in gone.body, gone


def test_a_disk_that_is_full_when_the_token_must_be_renewed(
    home: Home, tmp_path: Path, make_server: Make, upstream: RecordingUpstream
) -> None:
    """The refresh token is not used and the client gets a refusal; with room the same proxy goes on."""
    server = make_server()
    with small_disk(tmp_path / "disk", kib=1024) as disk:
        home.environ["TOKENCTL_STATE_DIR"] = str(disk)
        assert home.login(server.issuer).status == 0
        upstream.answer = knows(server)
        with proxy_of(home, upstream) as proxy:
            assert ask(proxy).status == 200
            server.expire_access_tokens()
            ballast = fill(disk)
            assert ask(proxy).status == 401  # as the API said
            assert server.count("/token", "refresh_token") == 0
            ballast.unlink()
            wait_until(lambda: ask(proxy).status == 200)
            assert server.count("/token", "refresh_token") == 1
    assert server.reuse_detections == 0


def test_a_hundred_clients_that_meet_a_401_make_one_refresh(
    home: Home, make_server: Make, upstream: RecordingUpstream
) -> None:
    """All of them get an answer to the renewed token."""
    server = make_server()
    assert home.login(server.issuer).status == 0
    upstream.answer = knows(server)
    with proxy_of(home, upstream) as proxy, contextlib.ExitStack() as stack:
        assert ask(proxy).status == 200
        server.expire_access_tokens()
        clients = [stack.enter_context(proxy.connect()) for _ in range(MANY)]
        for client in clients:
            client.send(proxy.filled(get()))
        assert {client.answer().status for client in clients} == {200}
    assert server.count("/token", "refresh_token") == 1
    assert all(len(each.all(b"authorization")) == 1 for each in upstream.requests)


def test_an_end_lets_a_download_end(home: Home, make_server: Make, upstream: RecordingUpstream) -> None:
    """Nobody new is let in, and who is in the middle of a download gets the rest of it."""
    assert home.login(make_server().issuer).status == 0
    begun, go_on = threading.Event(), threading.Event()

    def half(connection: socket.socket, request: Message) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        begun.set()
        assert go_on.wait(LONG)
        connection.sendall(b"def")

    upstream.answer = half
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as serving:
        proxy = serving.enter_context(proxy_of(home, upstream))
        client = stack.enter_context(proxy.connect())
        client.send(proxy.filled(get()))
        assert begun.wait(LONG)
        threading.Thread(target=when_closed, args=(proxy.port, go_on)).start()
        serving.close()
        assert client.answer().body == b"abcdef"


def when_closed(port: int, then: threading.Event) -> None:
    """Wait until nobody listens on the port any more."""
    wait_until(lambda: not listens(port))
    then.set()


def listens(port: int) -> bool:
    """Tell whether anybody listens on the port of 127.0.0.1; Linux alone knows without connecting."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return [f"0100007F:{port:04X}", "0A"] in [[line[1], line[3]] for line in lines]


def test_an_end_cuts_a_download_that_does_not_end(home: Home, make_server: Make, upstream: RecordingUpstream) -> None:
    """After five seconds; the client sees that its answer is not whole, and the upstream's connection is closed."""
    assert home.login(make_server().issuer).status == 0
    begun = threading.Event()

    def half(connection: socket.socket, request: Message) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        begun.set()
        connection.recv(1)  # until the proxy closes it

    upstream.answer = half
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as serving:
        proxy = serving.enter_context(proxy_of(home, upstream))
        client = stack.enter_context(proxy.connect())
        client.send(proxy.filled(get()))
        assert begun.wait(LONG)
        serving.close()
        assert client.answer_or_end() is None
        upstream.wait_for(lambda: not upstream.open)
