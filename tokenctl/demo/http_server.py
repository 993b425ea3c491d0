"""The demo authorization server as its users hold it: started, watched, and told to misbehave."""

import ipaddress
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import rsa

from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.endpoints import respond
from tokenctl.demo.listener import Listener
from tokenctl.demo.messages import Received, Reply, json_reply
from tokenctl.demo.registry import (
    DEFAULT_CLIENTS,
    DEFAULT_USERS,
    Client,
    Settings,
    User,
)
from tokenctl.demo.signing import SigningKey, new_key

__all__ = ["Client", "DemoServer", "Override", "Received", "Reply", "User", "json_reply"]

REMEMBERED_REQUESTS = 10_000

Override = Callable[[Received], Reply | None]


class DemoServer:
    """An authorization server on loopback; a context manager, or `start` and `stop`.

    Stopping closes the port and keeps the state, so a server can go away and come back on its port.
    `overrides` maps a path to a function that may answer a request instead of the server: it returns a
    `Reply`, or None for "as usual"; `answer(request)` gives it the usual reply to work on.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: tuple[User, ...] = DEFAULT_USERS,
        clients: tuple[Client, ...] = DEFAULT_CLIENTS,
        api_key: str = "demo-api-key",
        access_token_lifetime: int = 900,
        refresh_token_lifetime: int = 7 * 86400,
        device_interval: int = 5,
        reuse_grace: float = 0,
        clock: Callable[[], float] = time.time,
        opaque_access_tokens: bool = False,
        auto_approve: bool = False,
        signing_key: rsa.RSAPrivateKey | None = None,
    ) -> None:
        try:
            is_loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise ValueError(f"the demo server binds a loopback literal only, not {host!r}")
        self.host = host
        self.port = port
        self.overrides: dict[str, Override] = {}
        self.settings = Settings(
            users=users,
            clients=clients,
            api_key=api_key,
            access_token_lifetime=access_token_lifetime,
            refresh_token_lifetime=refresh_token_lifetime,
            device_interval=device_interval,
            reuse_grace=reuse_grace,
            opaque_access_tokens=opaque_access_tokens,
            auto_approve=auto_approve,
            clock=clock,
        )
        self.state = AuthorizationServer(self.settings, SigningKey(signing_key or new_key()))
        self._stopping = threading.Event()
        self._lock = threading.RLock()
        self._requests: deque[Received] = deque(maxlen=REMEMBERED_REQUESTS)
        self._received = 0
        self._answers: dict[int, Reply] = {}
        self._listener: Listener | None = None

    # -- life ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Bind the port and begin to answer."""
        self._stopping.clear()
        self._listener = Listener(self.host, self.port, self.exchange, self._stopping)
        self.port = self._listener.server_address[1]
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.settings.issuer = f"http://{host}:{self.port}"
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Close the port and every connection; harmless when already stopped."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def issuer(self) -> str:
        """The issuer identifier; empty before the first start."""
        return self.settings.issuer

    # -- what happened ------------------------------------------------------------------------

    @property
    def requests(self) -> list[Received]:
        """A copy of everything received so far, oldest first."""
        with self._lock:
            return list(self._requests)

    def count(self, path: str, grant_type: str | None = None) -> int:
        """How many requests came in for a path, or for one grant type there."""
        found = [request for request in self.requests if request.path == path]
        return sum(grant_type in (None, request.form.get("grant_type")) for request in found)

    @property
    def reuse_detections(self) -> int:
        """How many sessions ended because a retired refresh token was seen again."""
        return self.state.sessions.reuse_detections

    # -- what a test or a script decides --------------------------------------------------------

    def approve_device(self, user_code: str, username: str | None = None) -> None:
        """Be the person who approves a device; the first user unless a name is given."""
        with self._lock:
            self.state.decide_device(user_code, self.state.user(username))

    def deny_device(self, user_code: str) -> None:
        """Be the person who refuses a device."""
        with self._lock:
            self.state.decide_device(user_code, None)

    def kill_session(self, subject: str | None = None) -> int:
        """End every living session, or those of one subject; how many there were."""
        with self._lock:
            return self.state.sessions.end_all(subject)

    def expire_access_tokens(self) -> None:
        """Refuse every access token issued so far; refresh tokens stay good."""
        with self._lock:
            self.state.sessions.expire_access_tokens()

    def sign_id_token(self, claims: Mapping[str, Any], **header: Any) -> str:
        """An ID token with exactly these claims, signed by this server; `kid=`, `alg=` may be forged."""
        return self.state.signing_key.sign(claims, header)

    def answer(self, request: Received) -> Reply:
        """The usual reply. While a request is being served it is processed once, however often asked."""
        with self._lock:
            if request.number not in self._answers:
                self._answers[request.number] = respond(self.state, request)
            return self._answers[request.number]

    # -- one exchange ---------------------------------------------------------------------------

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Record a request, let an override have it, and find the reply."""
        with self._lock:
            self._received += 1
            request = Received(number=self._received, method=method, target=target, headers=headers, body=body)
            self._requests.append(request)
        try:
            override = self.overrides.get(request.path)
            reply = (override(request) if override else None) or self.answer(request)
            if reply.drop_after:
                self.answer(request)
            return reply
        finally:
            with self._lock:
                self._answers.pop(request.number, None)
