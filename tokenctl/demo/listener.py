"""The HTTP of the demo authorization server: requests off the socket, replies on to it, no log."""

import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tokenctl.demo.messages import Reply, json_reply

BODY_LIMIT = 64 * 1024
IDLE_TIMEOUT = 10

Exchange = Callable[[str, str, Mapping[str, str], bytes], Reply]  # method, target, headers, body


class Listener(ThreadingHTTPServer):
    """A loopback port with one thread a connection; closing it closes every connection too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, exchange: Exchange, stopping: threading.Event) -> None:
        self.exchange = exchange
        self.stopping = stopping
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
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
                    pass  # the client was quicker
            self._changed.wait_for(lambda: not self._open, timeout=2)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nobody's fault; the base class would print a traceback."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT

    def _serve(self) -> None:
        self.close_connection = True  # one request a connection: nothing lingers when the server stops
        listener = cast(Listener, self.server)
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
            reply = json_reply({"error": "invalid_request"}, 411)
        elif int(length) > BODY_LIMIT:
            # Read some of it all the same: closing on unread bytes would take the reply with it.
            self.rfile.read(min(int(length), 16 * BODY_LIMIT))
            reply = json_reply({"error": "invalid_request"}, 413)
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                return  # the client went away in the middle of its request
            try:
                reply = listener.exchange(self.command, self.path, headers, body)
            except Exception as error:
                reply = json_reply({"error": "server_error", "error_description": repr(error)}, 500)
        listener.stopping.wait(reply.delay)
        if reply.drop_before or reply.drop_after:
            return
        self.send_response(reply.status)
        standard = {"X-Content-Type-Options": "nosniff", "Content-Length": str(len(reply.body))}
        for name, value in (standard | dict(reply.headers) | {"Connection": "close"}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = _serve

    def version_string(self) -> str:
        """Who answers, in the `Server` header."""
        return "tokenctl-demo"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged: stderr belongs to the command that started the server."""
