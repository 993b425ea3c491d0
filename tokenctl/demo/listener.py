"""The HTTP of the demo authorization server: it reads requests from sockets and writes replies to them."""

import socket
import socketserver
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition
from typing import Any, cast

from tokenctl.demo.messages import Received, Reply, json_reply

BODY_LIMIT = 64 * 1024  # bytes
IDLE_TIMEOUT = 10  # seconds
CLOSING_TIMEOUT = 2  # seconds


class Listener(ThreadingHTTPServer):
    """A loopback port with one thread for each connection. Closing it closes every connection too.

    `handle` makes the reply to a request. When it raises, the connection is closed without a reply.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handle: Callable[[Received], Reply]) -> None:
        self.handle = handle
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._changed = Condition()
        super().__init__((host, port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer asks the name service for our own name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def server_close(self) -> None:
        super().server_close()
        with self._changed:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the client closed it first
            self._changed.wait_for(lambda: not self._open, CLOSING_TIMEOUT)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback: most often the client has gone away."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT

    def _serve(self) -> None:
        self.close_connection = True  # one request a connection, so that none stays open when the server stops
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
            self._send(json_reply({"error": "invalid_request"}, 411))
        elif int(length) > BODY_LIMIT:
            # Read some of it: closing a connection with unread bytes would lose the reply.
            self.rfile.read(min(int(length), 16 * BODY_LIMIT))
            self._send(json_reply({"error": "invalid_request"}, 413))
        elif len(body := self.rfile.read(int(length))) == int(length):  # else the client has gone away
            request = Received(method=self.command, target=self.path, headers=headers, body=body)
            self._send(cast(Listener, self.server).handle(request))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        standard = {"X-Content-Type-Options": "nosniff", "Content-Length": str(len(reply.body))}
        for name, value in (standard | dict(reply.headers) | {"Connection": "close"}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = _serve

    def version_string(self) -> str:
        """Return the value of the `Server` header."""
        return "tokenctl-demo"

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: stderr belongs to the command that started the server."""
