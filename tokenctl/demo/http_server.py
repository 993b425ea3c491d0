"""The demo authorization server as a running server: one thread for each connection on a loopback port."""

import ipaddress
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Self, cast

from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.endpoints import respond
from tokenctl.demo.messages import Received, Reply, json_reply

BODY_LIMIT = 64 * 1024  # bytes


class DemoServer:
    """An authorization server on loopback, for a `with` block; or call `start` and `stop`, and `start` again.

    Port 0 means any free port. Raises ValueError when `host` is not a literal loopback address, OSError on start.
    """

    def __init__(self, rules: AuthorizationServer, *, host: str = "127.0.0.1", port: int = 0) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the demo server binds a loopback address only, not {host!r}")
        self.rules = rules
        self.host = host
        self.port = port
        self._lock = threading.RLock()  # for the rules, which are not thread-safe
        self._listener: _Listener | None = None

    @property
    def issuer(self) -> str:
        """The issuer identifier (RFC 8414 section 2); empty before the first start."""
        return self.rules.sessions.issuer

    def handle(self, request: Received) -> Reply:
        """Make the reply to a request; requests take turns. When it raises, the connection is closed without a reply."""
        with self._lock:
            return respond(self.rules, request)

    def start(self) -> None:
        self._listener = _Listener(self.host, self.port, self.handle)
        self.port = self._listener.server_address[1]
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.rules.sessions.issuer = f"http://{host}:{self.port}"
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Listener(ThreadingTCPServer):  # not HTTPServer, which asks the name service for this machine's name
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handle: Callable[[Received], Reply]) -> None:
        self.handle = handle
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print no traceback: most often the client has gone away."""


class _Connection(BaseHTTPRequestHandler):
    """One connection, which carries one request: HTTP/1.0 is the base class's default."""

    timeout = 10  # seconds

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(length, 16 * BODY_LIMIT))  # unread bytes would make the client lose the reply
        if len(body) != length:
            return  # the client has gone away
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(method=self.command, target=self.path, headers=headers, body=body)
        too_long = json_reply({"error": "invalid_request"}, 413) if length > BODY_LIMIT else None
        reply = too_long or cast(_Listener, self.server).handle(request)
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(reply.body))} | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: stderr belongs to the command that started the server."""
