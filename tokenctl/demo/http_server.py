"""The demo authorization server as a running server: it starts on a loopback port, answers and stops."""

import ipaddress
import threading
from types import TracebackType
from typing import Self

from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.endpoints import respond
from tokenctl.demo.listener import Listener
from tokenctl.demo.messages import Received, Reply


class DemoServer:
    """An authorization server on loopback, for a `with` block; or call `start` and `stop`.

    The rules outlive a stop: the server can start again, on the same port and with the same sessions.
    Port 0 means any free port. Raises ValueError when `host` is not a literal loopback address, and OSError on start
    when the port cannot be bound.
    """

    def __init__(self, rules: AuthorizationServer, *, host: str = "127.0.0.1", port: int = 0) -> None:
        if not _is_loopback(host):
            raise ValueError(f"the demo server binds a loopback literal only, not {host!r}")
        self.rules = rules
        self.host = host
        self.port = port
        self._lock = threading.RLock()  # for the rules, which are not thread-safe
        self._listener: Listener | None = None

    @property
    def issuer(self) -> str:
        """The issuer identifier; empty before the first start."""
        return self.rules.issuer

    def handle(self, request: Received) -> Reply:
        """Make the reply to a request; requests take turns."""
        with self._lock:
            return respond(self.rules, request)

    def start(self) -> None:
        """Bind the port and begin to answer."""
        self._listener = Listener(self.host, self.port, self.handle)
        self.port = self._listener.server_address[1]
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.rules.sessions.issuer = f"http://{host}:{self.port}"
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection. It is no error to stop a stopped server."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
