"""A client that sends exactly the bytes that it is told to send, over a plain socket."""

import socket
from types import TracebackType

from tests.servers import http_bytes
from tests.servers.http_bytes import Incomplete, Message
from tests.support.commandline import LONG


class RawClient:
    """One connection to a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LONG)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.ended = False

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> "RawClient":
        """Send; a server that has closed the connection already is no error here."""
        try:
            for part in parts:
                self.socket.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def answer(self, method: str = "GET") -> Message:
        """Read the next final answer. AssertionError when the connection ends instead."""
        found = self.answer_or_end(method)
        assert found is not None, ("the connection ended", self.received)
        return found

    def answer_or_end(self, method: str = "GET") -> Message | None:
        """Read the next final answer; None when the connection ends before one begins."""
        while True:
            try:
                found, self.received = http_bytes.answer(self.received, method, ended=self.ended)
            except Incomplete:
                if self.ended:
                    return None
                self._more()
            else:
                if found.status >= 200:
                    return found

    def head(self) -> bytes:
        """Read the next answer's head, and leave its body."""
        while b"\r\n\r\n" not in self.received:
            assert not self.ended, self.received
            self._more()
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        return head

    def until(self, expected: bytes) -> None:
        """Read up to these bytes, and forget them with all before."""
        while expected not in self.received:
            assert not self.ended, self.received
            self._more()
        self.received = self.received.partition(expected)[2]

    def rest(self) -> bytes:
        """Read to the end of the connection."""
        while not self.ended:
            self._more()
        return self.received

    def is_open(self) -> bool:
        """Tell whether the other side has closed the connection, as far as can be seen now."""
        if self.ended:
            return False
        self.socket.settimeout(0.05)
        try:
            self._more()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(LONG)
        return not self.ended

    def _more(self) -> None:
        try:
            part = self.socket.recv(65536)
        except ConnectionResetError:
            part = b""
        self.received += part
        self.ended = not part
