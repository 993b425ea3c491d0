"""A proxy in this process, between raw bytes and an upstream that keeps every byte; and what must always be so."""

import base64
import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.http_bytes import OTHERS, Message
from tests.servers.recording_upstream import Connection, RecordingUpstream
from tests.support.dot_segments import dangers
from tests.support.raw_client import RawClient
from tests.support.sessions import session
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxy.server import Proxy, running
from tokenctl.model.profile import from_members
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

PREFIX = b"/base"
"""The path of the upstream's URL."""
HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"proxy-authorization"}
"""Headers that are for one connection alone (RFC 9110 section 7.6.1), but for the one that frames the body."""


class Proxied:
    """A running proxy, its secret, the token that it adds, and the upstream."""

    def __init__(self, upstream: RecordingUpstream, port: int, secret: str, token: str) -> None:
        self.upstream = upstream
        self.port = port
        self.secret = secret.encode()
        self.token = token.encode()

    def connect(self) -> RawClient:
        """Open a connection to the proxy."""
        return RawClient(self.port)

    def filled(self, sent: bytes) -> bytes:
        """Put this proxy's port and secret into bytes that were written for any proxy."""
        values = {
            b"<HOST>": b"Host: 127.0.0.1:<PORT>\r\n",
            b"<AUTH>": b"Authorization: Bearer <SECRET>\r\n",
            b"<BASIC>": base64.b64encode(b"me:" + self.secret),
            b"<PORT>": b"%d" % self.port,
            b"<SECRET>": self.secret,
        }
        for name, value in values.items():
            sent = sent.replace(name, value)
        return sent

    def honest(self, client: RawClient, tag: bytes, target: bytes = b"/v1/honest") -> RawClient:
        """Send a request that nothing is wrong with, on that connection."""
        return client.send(self.filled(b"GET %s HTTP/1.1\r\n<HOST><AUTH>X-Tag: %s\r\n\r\n" % (target, tag)))

    def goes_on(self) -> None:
        """Expect that an honest request on a connection of its own gets its own answer."""
        tag = b"goes-on-" + secrets.token_hex(8).encode()
        with self.connect() as client:
            answer = self.honest(client, tag).answer()
        assert (answer.status, answer.body) == (200, tag), answer

    def check(self) -> None:
        """Expect that every byte that the upstream received was one that it may receive."""
        assert not self.upstream.faults, self.upstream.faults
        for connection in self.upstream.connections:
            self._check_bytes(connection)
        for request in self.upstream.requests:
            self._check_request(request)

    def _check_bytes(self, connection: Connection) -> None:
        received = connection.received
        for form in (self.secret, base64.b64encode(b"me:" + self.secret), self.secret.hex().encode()):
            assert form not in received
        seen = [(each.first, each.target, each.body) for each in connection.requests]
        for other in OTHERS if connection.is_whole else ():
            assert list(other.read(received)) == seen, other

    def _check_request(self, request: Message) -> None:
        names = [name.lower() for name, _ in request.headers]
        assert request.all(b"authorization") == [b"Bearer " + self.token]
        assert [re.sub(rb"[^a-z]", b"", name) for name in names].count(b"authorization") == 1, names
        assert request.all(b"host") == [b"127.0.0.1:%d" % self.upstream.port]
        assert not HOP_BY_HOP & set(names), names
        assert request.target.startswith(PREFIX + b"/"), request.target
        assert not dangers(request.target), (request.target, dangers(request.target))


@contextmanager
def proxied(upstream: RecordingUpstream, **members: Any) -> Iterator[Proxied]:
    """Run a proxy in front of an upstream, with a token that is good for long; `members` are of `Proxy`."""
    token = f"the-access-token-{secrets.token_hex(16)}"
    now = int(time.time())
    store = MemoryStore()
    store.write("t", session(access_token=token, obtained_at=now, expires_at=now + 36_000))
    profile = from_members("t", {"issuer": "https://a.example", "client_id": "c", "flow": "browser"}, "test")
    runtime = Runtime(store=store)
    secret = secrets.token_urlsafe(32)
    proxy = Proxy(upstream=upstream.url + PREFIX.decode(), secret=secret, **members)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        port = listener.getsockname()[1]
        with running(runtime, LiveToken(runtime, profile), proxy, listener):
            yield Proxied(upstream, port, secret, token)
