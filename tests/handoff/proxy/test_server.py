"""The life of the server: it begins and ends with a block, in a thread of its own."""

import socket
import threading

import pytest

from tests.servers.raw_server import raw_server
from tests.support.small_proxy import SECRET, small_proxy
from tokenctl.errors import UsageError
from tokenctl.handoff.proxy.server import Proxy


def test_an_answer_that_has_begun_ends_before_the_server(capfd: pytest.CaptureFixture[str]) -> None:
    """At the end of the block no new client is taken, and no thread and no message is left."""
    before = threading.active_count()
    go_on, asked = threading.Event(), threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        asked.set()
        go_on.wait(60)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with raw_server(talk) as port:
        with small_proxy(f"http://127.0.0.1:{port}") as proxy:
            client = proxy.connect().ask("GET /x")
            assert asked.wait(60)
            threading.Timer(0.2, go_on.set).start()
        with client:
            assert client.status() == 200
            assert client.rest() == b"{}"
        with pytest.raises(ConnectionRefusedError):
            proxy.connect()
        assert not [each for each in threading.enumerate() if each.name.startswith("tokenctl")]
    assert threading.active_count() <= before + 2  # what the upstream itself has
    assert capfd.readouterr() == ("", "")


def test_an_answer_without_end_is_cut_when_the_server_ends() -> None:
    """It gets a few seconds, and is then closed without its end."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        connection.recv(1)

    with raw_server(talk) as port:
        with small_proxy(f"http://127.0.0.1:{port}") as proxy:
            client = proxy.connect().ask("GET /x")
            assert client.status() == 200
        with client:
            assert client.rest() == b"1\r\na\r\n"


def test_a_ca_file_that_cannot_be_read_is_told_at_once() -> None:
    """Not at the first request."""
    with pytest.raises(UsageError, match="ca_file"), small_proxy("https://api.example", ca_file="/no/such/file"):
        pass


def test_the_secret_is_in_no_text_for_people() -> None:
    """What is written of the record has no secret."""
    assert SECRET not in repr(Proxy(upstream="https://api.example", secret=SECRET))
