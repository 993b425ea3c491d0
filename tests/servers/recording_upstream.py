"""An HTTP server that keeps every byte that it receives, and answers as a test says, right or wrong."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType

from tests.servers import http_bytes
from tests.servers.http_bytes import Incomplete, Malformed, Message

Answer = Callable[[socket.socket, Message], None]
"""Writes the answer to a request. It can wait, write what is no HTTP, or close the connection."""


def with_tag(connection: socket.socket, request: Message) -> None:
    """Answer with the request's own tag, so that everybody can tell whose answer it is."""
    tag = request.one(b"x-tag") or b"none"
    body = b"" if request.first == b"HEAD" else tag
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Tag: %s\r\n\r\n%s" % (len(tag), tag, body))


def saying(*parts: bytes, then_close: bool = False) -> Answer:
    """Make an answer of these bytes."""

    def say(connection: socket.socket, request: Message) -> None:
        for part in parts:
            connection.sendall(part)
        if then_close:
            connection.shutdown(socket.SHUT_RDWR)

    return say


class Connection:
    """What came on one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.received = b""
        self.requests: list[Message] = []
        self.is_whole = True
        """Whether the bytes end where a request ends."""
        self.closed = threading.Event()


class RecordingUpstream:
    """Accepts connections on a port of 127.0.0.1. `answer` is what every request gets; it may be changed at any time.

    `on_head`, where it is set, answers a request whose body has not come yet, and ends the connection.
    `faults` has what a strict server would refuse. Such a request ends its connection.
    """

    def __init__(self, port: int = 0) -> None:
        self._wanted = port
        self.answer: Answer = with_tag
        self.on_head: Answer | None = None
        self.connections: list[Connection] = []
        self.faults: list[Malformed] = []
        self._requests: list[Message] = []
        self.came = threading.Condition()

    def __enter__(self) -> "RecordingUpstream":
        self._listener = socket.create_server(("127.0.0.1", self._wanted), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self.connections:
            with contextlib.suppress(OSError):
                each.socket.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """The address of its root, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Message]:
        """Everything that came, on whatever connection, in its order."""
        with self.came:
            return list(self._requests)

    @property
    def open(self) -> list[Connection]:
        """The connections that nobody has closed."""
        with self.came:
            return [each for each in self.connections if not each.closed.is_set()]

    def forget(self) -> None:
        """Forget what came so far."""
        with self.came:
            self.faults.clear()
            self._requests.clear()
            self.connections = [each for each in self.connections if not each.closed.is_set()]
            for each in self.connections:
                each.received = b""
                each.requests.clear()

    def received(self) -> bytes:
        """Every byte of every connection."""
        with self.came:
            return b"\0".join(each.received for each in self.connections)

    def wait_for(self, condition: Callable[[], object], seconds: float = 300) -> None:
        """Wait until something is so that what comes here can change."""
        with self.came:
            assert self.came.wait_for(condition, seconds), "waited in vain"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(accepted)
                with self.came:
                    self.connections.append(connection)
                    self.came.notify_all()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            with connection.socket, contextlib.suppress(OSError):
                buffer = b""
                while True:
                    request, buffer = self._next(connection, buffer)
                    if request is None:
                        return
                    self.answer(connection.socket, request)
        finally:
            with self.came:
                connection.closed.set()
                self.came.notify_all()

    def _next(self, connection: Connection, buffer: bytes) -> tuple[Message | None, bytes]:
        while True:
            try:
                request, buffer = http_bytes.request(buffer)
            except Malformed as fault:
                self.faults.append(fault)
                return None, buffer
            except Incomplete:
                if self.on_head is not None and b"\r\n\r\n" in buffer:
                    self.on_head(connection.socket, http_bytes.head(buffer))
                    return None, buffer
                part = connection.socket.recv(65536)
                if not part:
                    return None, buffer
                buffer += part
                with self.came:
                    connection.received += part
                    connection.is_whole = False
                    self.came.notify_all()
            else:
                with self.came:
                    connection.requests.append(request)
                    self._requests.append(request)
                    connection.is_whole = not buffer
                    self.came.notify_all()
                return request, buffer
