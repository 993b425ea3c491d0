"""A client's connection: its limits, and that one client cannot block the others."""

import contextlib
import os
import socket
import threading
from pathlib import Path

import pytest

from tests.servers.raw_server import OK, raw_server, saying
from tests.support.small_proxy import SECRET, small_proxy
from tokenctl.handoff.proxy.connection import CONNECTIONS


def test_a_connection_that_is_quiet_makes_room() -> None:
    """With all connections taken, one that waits is closed for a new client: the one that has waited longest."""
    with (
        raw_server(saying(OK)) as port,
        small_proxy(f"http://127.0.0.1:{port}") as proxy,
        contextlib.ExitStack() as stack,
    ):
        quiet = [stack.enter_context(proxy.connect()) for _ in range(CONNECTIONS)]
        assert proxy.ask("GET /x")[0] == 200
        assert quiet[0].recv(1) == b""
        assert quiet[-1].ask("GET /x").status() == 200


def test_when_all_are_within_a_request_one_more_is_refused() -> None:
    """It is told so, and gets its answer when there is room again."""
    go_on = threading.Event()
    asked = threading.Semaphore(0)

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        asked.release()
        go_on.wait(60)
        connection.sendall(OK)

    with raw_server(talk) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy, contextlib.ExitStack() as stack:
        busy = [stack.enter_context(proxy.connect()).ask("GET /x") for _ in range(CONNECTIONS)]
        for _ in busy:
            assert asked.acquire(timeout=60)
        assert proxy.ask("GET /x")[0] == 503
        go_on.set()
        assert [each.status() for each in busy] == [200] * CONNECTIONS
        assert proxy.ask("GET /x")[0] == 200


@pytest.mark.parametrize("headers", [["X-A: " + "a" * 66_000], [f"X-{n}: {'a' * 1000}" for n in range(70)]])
def test_too_many_headers_are_refused(headers: list[str]) -> None:
    """Also when they come in one piece."""
    with small_proxy("http://127.0.0.1:9") as proxy:
        assert proxy.ask("GET /x", *headers)[0] == 431


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /x HTTP/1.1\nHost: <HOST>\nX-Api-Key: <SECRET>\n\n",
        b"GET /x HTTP/1.1\r\nHost: <HOST>\r\nX-Api-Key: <SECRET>\r\nX-A: 1\r\n 2\r\n\r\n",
        b"GET /x HTTP/1.1\r\nHost: <HOST>\r\nX-Api-Key: <SECRET>\r\nX-A: 1\rX-B: 2\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: <HOST>\r\nX-Api-Key: <SECRET>\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["LF alone", "a folded line", "CR alone", "two lengths", "TLS"],
)
def test_what_can_be_read_in_two_ways_is_refused(sent: bytes) -> None:
    """Nothing of it reaches the upstream."""
    with small_proxy("http://127.0.0.1:9") as proxy, proxy.connect() as client:
        host = b"127.0.0.1:%d" % proxy.address[1]
        client.sendall(sent.replace(b"<HOST>", host).replace(b"<SECRET>", SECRET.encode()))
        assert client.status() == 400


def test_requests_follow_each_other_on_one_connection() -> None:
    """Sent one after the other, or all at once."""
    with raw_server(saying(OK)) as port, small_proxy(f"http://127.0.0.1:{port}") as proxy, proxy.connect() as client:
        for _ in range(2):
            assert client.ask("GET /x").status() == 200
            assert client.recv(2) == b"{}"
        client.ask("GET /x").ask("GET /x")
        for _ in range(2):
            assert client.status() == 200
            assert client.recv(2) == b"{}"


def test_a_unix_socket_has_no_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client of this user gets its answer, whatever `Host` says."""
    monkeypatch.chdir(tmp_path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("s")
    listener.listen()
    with (
        raw_server(saying(OK)) as port,
        small_proxy(f"http://127.0.0.1:{port}", listener=listener) as proxy,
        proxy.connect() as client,
    ):
        assert client.ask("GET /x", host="anything").status() == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_gets_no_answer_on_a_unix_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is closed, whatever the rights of the file are."""
    monkeypatch.chdir(tmp_path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("s")
    listener.listen()
    with small_proxy("http://127.0.0.1:9", listener=listener) as proxy:
        child = os.fork()
        if child == 0:
            os.setresuid(65534, 65534, 65534)
            try:
                with proxy.connect() as client:
                    os._exit(0 if client.recv(1) == b"" else 1)
            except OSError:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
