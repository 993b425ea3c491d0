"""A server that does with a connection what a test says, over plain TCP or TLS; and proxies made from it."""

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import trustme

Talk = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@contextlib.contextmanager
def raw_server(talk: Talk, context: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> Iterator[int]:
    """Accept connections on a port of this machine and let `talk` have each; yields the port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                if context is None:
                    talk(connection)
                else:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        talk(secure)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def saying(*parts: bytes, pause: float = 0) -> Talk:
    """Read a request, then send the parts with a pause before each."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            time.sleep(pause)
            connection.sendall(part)

    return talk


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """A TLS server's side, with a certificate of the authority for that name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@contextlib.contextmanager
def tls_server(authority: trustme.CA, name: str = "127.0.0.1", address: str = "127.0.0.1") -> Iterator[int]:
    """A TLS server that answers every request; yields the port."""
    with raw_server(saying(OK), server_context(authority, name), address) as port:
        yield port


def proxy_that(*answer: bytes, pause: float = 0) -> tuple[list[bytes], Talk]:
    """A proxy that answers CONNECT like this and closes the connection; and what it was sent."""
    received: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        received.append(connection.recv(65536))
        for part in answer:
            connection.sendall(part)
        time.sleep(pause)

    return received, talk


def tunnel(received: list[bytes]) -> Talk:
    """A proxy that connects to the port that CONNECT names, on this machine, and notes what it was asked."""

    def talk(connection: socket.socket) -> None:
        received.append(connection.recv(65536))
        port = int(received[-1].split(b" ")[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port)) as server:
            connection.sendall(ESTABLISHED)
            copy(connection, server)

    return talk


def copy(one: socket.socket, other: socket.socket) -> None:
    """Copy what comes on either of two sockets to the other one, until one ends."""
    while True:
        # What TLS has decrypted already is in no socket's buffer.
        waiting = [each for each in (one, other) if isinstance(each, ssl.SSLSocket) and each.pending()]
        for each in waiting or select.select([one, other], [], [])[0]:
            part = each.recv(65536)
            if not part:
                return
            (other if each is one else one).sendall(part)
