"""A proxy in this process, whose clients write raw bytes."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.sessions import session
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxy.server import Proxy, running
from tokenctl.model.profile import from_members
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

SECRET = "the-secret-of-the-proxy-0123456789"
TOKEN = "the-access-token"
PATIENCE = 60
"""Seconds after which a read fails the test."""


class Client(socket.socket):
    """A connection to the proxy."""

    def ask(self, line: str, *headers: str, body: bytes = b"", host: str = "") -> "Client":
        """Send a request with the secret."""
        host = host or (f"127.0.0.1:{self.getpeername()[1]}" if self.family == socket.AF_INET else "x")
        lines = [f"{line} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {SECRET}", *headers, "", ""]
        self.sendall("\r\n".join(lines).encode() + body)
        return self

    def head(self) -> str:
        """Read an answer up to the end of its headers."""
        found = b""
        while not found.endswith(b"\r\n\r\n"):
            part = self.recv(1)
            if not part:
                break
            found += part
        return found.decode()

    def status(self) -> int:
        """Read the headers of an answer, and return its status; 0 if there is none."""
        head = self.head()
        return int(head.split()[1]) if head else 0

    def rest(self) -> bytes:
        """Read what comes until the connection ends."""
        found = b""
        while part := self.recv(65536):
            found += part
        return found


class SmallProxy:
    """Where a proxy listens."""

    def __init__(self, address: Any, family: int) -> None:
        self.address, self.family = address, family

    def connect(self) -> Client:
        """Connect to it."""
        client = Client(self.family, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        try:
            client.connect(self.address)
        except OSError:
            client.close()
            raise
        return client

    def ask(self, line: str, *headers: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request on a connection of its own; its status, and the rest of the answer."""
        with self.connect() as client:
            client.ask(line, "Connection: close", *headers, body=body)
            return client.status(), client.rest()


def signed_in() -> Runtime:
    """A runtime with a session that is good for long, and without a network for renewals."""
    now = int(time.time())
    store = MemoryStore()
    store.write("t", session(access_token=TOKEN, obtained_at=now, expires_at=now + 36_000))
    return Runtime({}, store=store)


@contextmanager
def small_proxy(
    upstream: str,
    runtime: Runtime | None = None,
    listener: socket.socket | None = None,
    live: LiveToken | None = None,
    **members: Any,
) -> Iterator[SmallProxy]:
    """Run a proxy in front of an upstream: a URL. `members` are those of `Proxy`."""
    runtime = runtime or signed_in()
    if live is None:
        profile = from_members("t", {"issuer": "https://a.example", "client_id": "c", "flow": "browser"}, "test")
        live = LiveToken(runtime, profile)
    listener = listener or socket.create_server(("127.0.0.1", 0), backlog=256)
    at = SmallProxy(listener.getsockname(), listener.family)
    with listener, running(runtime, live, Proxy(upstream=upstream, secret=SECRET, **members), listener):
        yield at
