"""What the HTTP servers of the tests on loopback share: how they listen, how they are served, and a connection's ways."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Self

import trustme


class Connection(BaseHTTPRequestHandler):
    """A connection that stays open, and writes no log."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class Listener(ThreadingHTTPServer):
    """Listens from the beginning, so that its port is known before it is served."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, connection: type[Connection], host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), connection)

    def server_bind(self) -> None:
        """Bind without the name service, which the standard library asks for the host's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def use_tls(self, ca_file: Path, *names: str) -> None:
        """Speak TLS, with a certificate for these names of an authority that is written to the file."""
        ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.cert_pem.write_to_path(str(ca_file))
        ca.issue_cert(*names).configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print no traceback: the client has gone away."""


class Served:
    """A server that answers in a `with` block."""

    listener: Listener

    def __enter__(self) -> Self:
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown()
        self.listener.server_close()
