"""The demo's authorization server with what tests need: it records requests, counts, and does wrong on request.

The rules are the demo's own. `overrides` replaces or changes an answer; a `Reply` here can come late or not at all; the
rules can forgive a refresh token that is used twice, issue opaque access tokens, and end sessions.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers import token_api
from tests.servers.faulty_rules import FaultyKey, FaultySessions
from tokenctl.demo import messages
from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.http_server import DemoServer
from tokenctl.demo.messages import Received
from tokenctl.demo.registry import CLIENTS, Client, user_named

__all__ = ["FaultyServer", "Override", "Received", "Reply", "json_reply"]

REMEMBERED_REQUESTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(messages.Reply):
    """A reply, and the ways in which it can go wrong.

    `delay` seconds pass before anything is sent. `drop_before` closes the connection and does not process the request;
    `drop_after` processes it as usual and then closes the connection. A `Content-Length` in `headers` replaces the
    true one.
    """

    delay: float = 0
    drop_before: bool = False
    drop_after: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object in the body."""
        document: dict[str, Any] = json.loads(self.body)
        return document


Override = Callable[[Received], Reply | None]


def json_reply(document: object, status: int = 200, **headers: str) -> Reply:
    """Make a JSON reply; `www_authenticate="..."` becomes the header `Www-Authenticate`."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return _extended(messages.json_reply(document, status, named))


class FaultyServer(DemoServer):
    """The demo's server, for a test. Lifetimes, the interval and the grace period are in seconds.

    `overrides` maps a path to a function that may answer a request in place of the server: it returns a `Reply`, or
    None for the usual one; `answer(request)` gives it the usual reply. `auto_approve` approves every authorization
    request at once. `reuse_grace` forgives a refresh token that is used a second time this soon.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clients: tuple[Client, ...] = CLIENTS,
        api_key: str = "demo-api-key",
        access_token_lifetime: int = 900,
        device_interval: int = 5,
        reuse_grace: float = 0,
        clock: Callable[[], float] = time.time,
        opaque_access_tokens: bool = False,
        auto_approve: bool = False,
        signing_key: rsa.RSAPrivateKey | None = None,
    ) -> None:
        self.signing_key = FaultyKey(signing_key, opaque_access_tokens=opaque_access_tokens)
        self.sessions = FaultySessions(
            signing_key=self.signing_key,
            access_token_lifetime=access_token_lifetime,
            clock=clock,
            reuse_grace=reuse_grace,
        )
        super().__init__(AuthorizationServer(self.sessions, clients), host=host, port=port)
        self.rules.device_interval = device_interval
        self.overrides: dict[str, Override] = {}
        self.api_key = api_key
        self.auto_approve = auto_approve
        self._requests: deque[Received] = deque(maxlen=REMEMBERED_REQUESTS)
        self._answers: dict[int, Reply | None] = {}  # by the id of a request that is being served
        self._stopping = threading.Event()

    def start(self) -> None:
        """Bind the port and begin to answer."""
        self._stopping.clear()
        super().start()

    def stop(self) -> None:
        """Close the port and every connection; delays end."""
        self._stopping.set()
        super().stop()

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
        """How many sessions ended because a refresh token was used a second time."""
        return self.sessions.reuse_detections

    # -- what a test decides --------------------------------------------------------------------

    def change(self, *, access_token_lifetime: int) -> None:
        """Let the next access tokens live another time, in seconds."""
        self.sessions.access_token_lifetime = access_token_lifetime

    def approve_device(self, user_code: str, username: str | None = None) -> None:
        """Approve a device as a person; the first user unless a name is given."""
        with self._lock:
            device = self.rules.pending_device(user_code)
            assert device is not None
            device.approve(user_named(username), int(self.sessions.clock()))

    def kill_session(self, subject: str | None = None) -> int:
        """End every living session, or those of one subject; how many there were."""
        with self._lock:
            return self.sessions.end_all(subject)

    def expire_access_tokens(self) -> None:
        """Refuse every access token issued so far; refresh tokens stay good."""
        with self._lock:
            self.sessions.expire_access_tokens()

    def sign_id_token(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Make an ID token with exactly these claims, signed by this server; `kid=`, `alg=` may be forged."""
        full = {"alg": "RS256", "kid": self.signing_key.key_id, **header}
        key = "" if full["alg"] == "none" else self.signing_key.private
        return jwt.encode(dict(claims), key, full["alg"], headers=full)

    # -- one request ----------------------------------------------------------------------------

    def answer(self, request: Received) -> Reply:
        """Make the usual reply. While a request is being served it is processed once, however often this is called."""
        with self._lock:
            reply = self._answers.get(id(request)) or self._processed(request)
            if id(request) in self._answers:
                self._answers[id(request)] = reply
            return reply

    def handle(self, request: Received) -> Reply:
        """Record a request, find the reply, and send it as the test wants it: late, or not at all."""
        with self._lock:
            self._requests.append(request)
            self._answers[id(request)] = None
        try:
            reply = self._chosen(request)
        except Exception as error:
            reply = json_reply({"error": "server_error", "error_description": repr(error)}, 500)
        finally:
            with self._lock:
                del self._answers[id(request)]
        self._stopping.wait(reply.delay)
        if reply.drop_before or reply.drop_after:
            raise ConnectionAbortedError("the test drops this connection")
        return reply

    def _chosen(self, request: Received) -> Reply:
        override = self.overrides.get(request.path)
        reply = (override(request) if override else None) or self.answer(request)
        if reply.drop_after:
            self.answer(request)
        return reply

    def _processed(self, request: Received) -> Reply:
        if (reply := token_api.respond(self.sessions, self.api_key, request)) is not None:
            return _extended(reply)
        if self.auto_approve and (request.method, request.path) == ("GET", "/authorize"):
            form = {"content-type": "application/x-www-form-urlencoded"}
            request = replace(request, method="POST", headers=form, body=b"decision=approve")
        return _extended(super().handle(request))


def _extended(reply: messages.Reply) -> Reply:
    return Reply(status=reply.status, headers=reply.headers, body=reply.body)
