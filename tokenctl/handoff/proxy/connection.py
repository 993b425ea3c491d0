"""One connection of a client: who may connect, how long a header may take, and how many connections there are."""

import asyncio
import os
import re
import socket
import struct
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 100
"""How many clients can be connected."""
LONGEST_HEADER = 64 * 1024
"""Bytes of a request line and headers, all together."""
HEADER_DEADLINE = 10.0
"""Seconds from the first byte of a request, or from when the client connected, to the end of its headers."""
_END_OF_HEADERS = re.compile(rb"\n\r?\n")
_NOT_STRICT = re.compile(rb"(?<!\r)\n|\r(?!\n)|\n[ \t]")
"""A line that ends with a bare LF or CR, or that continues the one before (RFC 9112 sections 2.2 and 5.2)."""


class Requests(h11.Connection):
    """Reads requests, remembers the last one as it was written, and refuses what two servers could read in two ways."""

    request: h11.Request

    def next_event(self) -> Any:
        """Return the next part of a request; see h11."""
        if self.their_state is h11.IDLE:
            self._check_head()
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.request = event
        return event

    def _check_head(self) -> None:
        head = self.trailing_data[0]
        end = _END_OF_HEADERS.search(head)
        if (end.end() if end else len(head)) > LONGEST_HEADER:
            raise h11.RemoteProtocolError("the headers are too long", error_status_hint=431)
        if _NOT_STRICT.search(head, 0, end.end() if end else max(0, len(head) - 1)):
            raise h11.RemoteProtocolError("a line of the headers does not end as it must")


class ClientConnection(H11Protocol):
    """uvicorn's HTTP/1.1 connection with the proxy's limits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn: Requests = Requests(h11.SERVER, LONGEST_HEADER)
        self.app_state = {"connection": self}
        self._deadline: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def request(self) -> h11.Request:
        """The request that is being answered."""
        return self.conn.request

    # -- a request ---------------------------------------------------------------------------------------

    def begin(self, task: "asyncio.Task[None] | None") -> None:
        """Note the task that answers the request: it ends when the client leaves."""
        self._task = task

    def end(self, *, whole: bool) -> None:
        """Note that the answer is sent; a client must be able to tell one that is not whole."""
        self._task = None
        if not whole and not self.transport.is_closing() and self.conn.their_http_version == b"1.0":
            # To a client of HTTP/1.0 the end of the connection is the end of the answer: only a reset tells.
            found = self.transport.get_extra_info("socket")
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()

    # -- the connection ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, if its client is of this user."""
        found = transport.get_extra_info("socket")
        if found.family == getattr(socket, "AF_UNIX", None):
            if not _is_ours(found):
                transport.abort()
                return
        else:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._make_room()
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_DEADLINE, self.transport.abort)

    def _make_room(self) -> None:
        if len(self.connections) < CONNECTIONS:
            return
        for each in self.connections:
            if isinstance(each, ClientConnection) and each._task is None:
                each.transport.abort()
                return

    def connection_lost(self, exc: Exception | None) -> None:
        """End the request that is being answered."""
        if self not in self.connections:  # it was refused
            return
        super().connection_lost(exc)
        self._stop_deadline()
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        super().data_received(data)
        self._watch_header()

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        super().on_response_complete()
        self._watch_header()

    def _watch_header(self) -> None:
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEADER_DEADLINE, self.transport.abort)
        else:
            self._stop_deadline()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _is_ours(found: socket.socket) -> bool:
    """Tell whether the process at the other end is of this user, where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _, user, _ = struct.unpack("3i", found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return bool(user == os.geteuid())
