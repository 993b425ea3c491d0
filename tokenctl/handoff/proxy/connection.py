"""One connection of a client: who may connect, how long a header may take, and how many connections there are."""

import asyncio
import os
import socket
import struct
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tokenctl.handoff.proxy.lingering import LingeringTransport
from tokenctl.handoff.proxy.problems import Problem
from tokenctl.handoff.proxy.request_reader import LONGEST_HEADER, RequestReader

CONNECTIONS = 100
"""How many clients can be connected."""
REFUSED_CONNECTIONS = 20
"""How many more can be connected to be told that there are too many."""
HEADER_DEADLINE = 10.0
"""Seconds from the first byte of a request, or from when the client connected, to the end of its headers."""


class ClientConnection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with the proxy's limits."""

    conn: RequestReader

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = RequestReader()
        self.app_state = {"connection": self}
        self.too_many = False
        """Whether every request is refused, because too many clients are connected."""
        self._deadline: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._quiet_since = 0.0
        self._taken = False

    # -- a request ---------------------------------------------------------------------------------------

    @property
    def request(self) -> h11.Request:
        """The request that is being answered."""
        return self.conn.request

    @property
    def answering(self) -> bool:
        """Tell whether a request is being answered."""
        before_the_first = self.cycle is None
        return not before_the_first and not self.cycle.response_complete

    def begin(self, task: "asyncio.Task[None] | None") -> None:
        """Note the task that answers the request: it ends when the client leaves."""
        self._task = task

    def wake(self) -> None:
        """Let the task that waits for the next part of the body look around."""
        self.cycle.message_event.set()

    def end(self, *, whole: bool) -> None:
        """Note that the answer is sent; a client must be able to tell one that is not whole."""
        self._task = None
        if not whole and not self.transport.is_closing() and self.conn.their_http_version == b"1.0":
            # To a client of HTTP/1.0 the end of the connection is the end of the answer: only a reset tells.
            client = self.transport.get_extra_info("socket")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    # -- the connection ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if its client is of this user, and there are not too many."""
        client = transport.get_extra_info("socket")
        if client.family == getattr(socket, "AF_UNIX", None):
            if not _is_ours(client):
                transport.abort()
                return
        else:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else small answers wait 40 ms
        self.too_many = not self._make_room()
        if self.too_many and len(self.connections) >= CONNECTIONS + REFUSED_CONNECTIONS:
            transport.abort()
            return
        self._taken = True
        super().connection_made(transport)
        self.transport = LingeringTransport(transport, self.loop)
        self._quiet_since = self.loop.time()
        self._deadline = self.loop.call_later(HEADER_DEADLINE, self.transport.abort)

    def _make_room(self) -> bool:
        """Tell whether there is room for one more; if need be, close what was without a request for the longest time."""
        if len(self.connections) < CONNECTIONS:
            return True
        others = [each for each in self.connections if isinstance(each, ClientConnection)]
        quiet = min((each for each in others if not each.answering), key=lambda each: each._quiet_since, default=None)
        if quiet is None:
            return False
        self.connections.discard(quiet)
        quiet.transport.abort()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request that is being answered."""
        self._stop_deadline()
        if not self._taken:
            return
        super().connection_lost(exc)
        if self._task is not None:
            self._task.cancel()

    def shutdown(self) -> None:
        """Close the connection, after the answer that has begun."""
        try:
            super().shutdown()
        except h11.LocalProtocolError:  # it is broken, and about to be closed
            self.transport.abort()

    # -- what comes from the client ----------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client; after the end of the last answer they are dropped."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_header()
        if self.flow.read_paused and self.conn.their_state is h11.DONE and self.conn.pending <= LONGEST_HEADER:
            self.flow.resume_reading()  # else nobody would notice that the client leaves

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        self._quiet_since = self.loop.time()
        super().on_response_complete()
        self._watch_header()

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read as a request, with the status that fits, and close the connection."""
        if self.answering:  # the body is broken: the answer, if it has begun, cannot be ended well
            self.transport.abort()
            return
        problem = Problem(status=self.conn.refused_with, detail="this is no request that HTTP allows")
        events = (
            h11.Response(status_code=problem.status, headers=problem.headers(), reason=problem.title),
            h11.Data(data=problem.body),
            h11.EndOfMessage(),
        )
        self.transport.write(b"".join(self.conn.send(each) for each in events))
        self.transport.close()

    def _watch_header(self) -> None:
        """Let the deadline run while a header has begun to come."""
        if self.conn.their_state is h11.IDLE and self.conn.pending:
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEADER_DEADLINE, self.transport.abort)
        else:
            self._stop_deadline()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _is_ours(client: socket.socket) -> bool:
    """Tell whether the process at the other end is of this user, where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, user, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return bool(user == os.geteuid())
