"""The redirect listener on a loopback address of this machine (RFC 8252 section 7.3).

It listens from the start of a sign-in to its end. Only a GET of the redirect URI's exact path and Host is a
callback. Every other request gets a 4xx page and changes nothing. After a valid callback the browser is redirected
to a URL without the code, and waits there for the result of the sign-in.
"""

import contextlib
import errno
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tokenctl.adapters import callback_page
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.model.origins import is_loopback
from tokenctl.oauth.authorization_code import UnexpectedCallback, UnprovenRefusal
from tokenctl.oauth.wire import query_of

DEFAULT_REDIRECT = "http://127.0.0.1/callback"
FIXED_PORT = 8400
"""The port for servers that want the redirect URI registered with its port: one for everybody, so that it is documented."""
RESULT_PATH = "/signed-in"
"""The path of the result page: a URL without the code."""
RESULT_TIMEOUT = 40.0
"""Seconds that the browser waits there for the result: longer than a request's deadline."""
FOLLOW_TIMEOUT = 1.0
"""Seconds from the redirect in which a browser asks for the result page; one that has not asked by then never does."""
CLOSE_TIMEOUT = 3.0
"""Seconds that the listener stays open after the sign-in, so that a browser that asked gets the result page."""

MOST_UNPROVEN = 3
"""Errors without `state` that are told: any page in the browser can send them, and none may fill the terminal."""

CheckCallback = Callable[[dict[str, str]], str]
"""Checks a callback's parameters and returns the code. Raises UnexpectedCallback, or an error that ends the sign-in."""


class Callback:
    """The callback that a sign-in waits for. It comes from the browser, or the person pastes its URL."""

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri
        self.accept: CheckCallback | None = None
        self._taken = threading.Lock()
        self._arrived: queue.Queue[str | TokenctlError] = queue.Queue()
        self._ended = threading.Event()
        self._failed = False
        self._redirected_at: float | None = None
        self._result_asked = threading.Event()
        self._result_sent = threading.Event()
        self._unproven: list[str] = []
        self._told = 0

    def offer(self, target: str) -> None:
        """Take a callback: its URL or request target. Raises UnexpectedCallback or ValueError when it is not valid."""
        if self.accept is None or self._taken.locked():
            raise UnexpectedCallback("no callback is expected")
        try:
            answer: str | TokenctlError = self.accept(query_of(target))
        except TokenctlError as error:
            answer = error
        if not self._taken.acquire(blocking=False):
            raise UnexpectedCallback("the callback came already")  # a code has one use
        self._arrived.put(answer)

    def wait(self, seconds: float) -> str | None:
        """Wait for the code; None when it did not come in time. Raises the error that the callback brought."""
        try:
            answer = self._arrived.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if isinstance(answer, TokenctlError):
            raise answer
        return answer

    def note_unproven(self, said: str) -> None:
        """Note what an error without `state` says; each text once, and a few of them only."""
        if said not in self._unproven and len(self._unproven) < MOST_UNPROVEN:
            self._unproven.append(said)

    def unproven(self) -> list[str]:
        """Return what such errors have said since the last call."""
        found = self._unproven[self._told :]
        self._told += len(found)
        return found

    @property
    def last_unproven(self) -> str | None:
        """What the last error without `state` said; None without one."""
        return self._unproven[-1] if self._unproven else None

    def note_redirect(self) -> None:
        """Note that the browser was redirected to the result page."""
        self._redirected_at = time.monotonic()

    def end(self, *, failed: bool) -> None:
        """Set the result of the sign-in for the result page; only the first call counts."""
        if not self._ended.is_set():
            self._failed = failed
            self._ended.set()

    def result_page(self) -> bytes | None:
        """Wait for the result and return its page; None when no browser was redirected to it."""
        if self._redirected_at is None:
            return None
        self._result_asked.set()
        self._ended.wait(RESULT_TIMEOUT)
        return callback_page.FAILED if self._failed or not self._ended.is_set() else callback_page.SIGNED_IN

    def note_result_sent(self) -> None:
        """Note that the browser has the result page, or has closed the connection."""
        self._result_sent.set()

    def wait_for_browser(self) -> None:
        """Wait until a redirected browser has the result page, or will surely not ask for it."""
        self._result_asked.wait(self.seconds_for_browser(time.monotonic()))
        self._result_sent.wait(self.seconds_for_browser(time.monotonic()))

    def seconds_for_browser(self, now: float) -> float:
        """Return how long the browser can still need for the result page. `now` is monotonic seconds."""
        if self._redirected_at is None or self._result_sent.is_set():
            return 0.0
        if self._result_asked.is_set():
            return CLOSE_TIMEOUT
        return max(0.0, self._redirected_at + FOLLOW_TIMEOUT - now)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = sys.platform != "win32"  # on Windows another program could then take the port

    def __init__(self, address: tuple[str, int], callback: Callback) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.address = address
        self.callback = callback
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif self.allow_reuse_address:  # an exact port is free again at once, not after TIME_WAIT
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # HTTPServer's own server_bind asks the name service for this machine's name.
        self.socket.bind(self.address)
        self.server_name, self.server_port = self.address[0], self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a connection that breaks is no error of the sign-in."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5  # seconds; an idle connection blocks its own thread only
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        callback = self.server.callback
        expected = urlsplit(callback.redirect_uri)
        path = self.path.partition("?")[0]
        # Another Host means DNS rebinding: somebody made a name resolve to this machine.
        if self.headers.get("Host") not in (expected.netloc, expected.netloc.removesuffix(":80")):
            self._answer(400, callback_page.UNEXPECTED)
        elif path == RESULT_PATH and (page := callback.result_page()):
            try:
                self._answer(200, page)
            finally:
                callback.note_result_sent()
        elif path == (expected.path or "/"):
            self._take_callback(callback)
        else:
            self._answer(404, callback_page.NOT_FOUND)

    def _take_callback(self, callback: Callback) -> None:
        try:
            callback.offer(self.path)
        except UnprovenRefusal as refusal:
            callback.note_unproven(refusal.said)
            self._answer(400, callback_page.UNPROVEN)
        except (UnexpectedCallback, ValueError):
            self._answer(400, callback_page.UNEXPECTED)
        else:
            callback.note_redirect()
            self._answer(303, b"", {"Location": RESULT_PATH})

    def _answer(self, status: int, page: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(page)),
            "Content-Security-Policy": callback_page.SECURITY_POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer other methods and broken requests: 405 for a method (RFC 9110 section 15.5.6)."""
        self._answer(405 if code == 501 else code, callback_page.NOT_FOUND, {"Allow": "GET"} if code == 501 else None)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the request line has the code."""


@contextlib.contextmanager
def listening(redirect_uri: str | None = None, port: int | None = None) -> Iterator[Callback]:
    """Listen on a loopback address, and on no other, until the block ends.

    `redirect_uri` is the registered one. Without a port in it, and without `port`, the system chooses a free port.
    Raises UsageError when it is not a loopback address, or the port is in use.
    """
    try:
        parts = urlsplit(redirect_uri or DEFAULT_REDIRECT)
        named, host = parts.port, parts.hostname
    except ValueError:
        parts, named, host = urlsplit(""), None, None
    if parts.scheme != "http" or not is_loopback(host) or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(
            f"redirect_uri {redirect_uri!r:.200} is not an http address of this machine",
            hint="such as http://127.0.0.1:8400/callback, exactly as it is registered at the server",
        )
    servers: list[_Server] = []
    callback = Callback("")
    try:
        for address in _addresses(host or ""):
            with _bind_errors(address, port or named or 0, optional=bool(servers)):
                servers.append(_Server((address, servers[0].server_port if servers else port or named or 0), callback))
                threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        netloc = f"[{host}]" if ":" in (host or "") else host
        callback.redirect_uri = f"http://{netloc}:{servers[0].server_port}{parts.path}"
        yield callback
    finally:
        callback.end(failed=True)  # has no effect after a success
        callback.wait_for_browser()
        for server in servers:
            server.shutdown()
            server.server_close()


def _addresses(host: str) -> tuple[str, ...]:
    return ("127.0.0.1", "::1") if host == "localhost" else (host,)


@contextlib.contextmanager
def _bind_errors(address: str, port: int, *, optional: bool) -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        if optional and reason.errno != errno.EADDRINUSE:  # no IPv6 on this machine: IPv4 alone serves `localhost`
            return
        raise UsageError(
            f"cannot listen on {address} port {port}: {reason.strerror}",
            hint="end the program that uses the port, or choose another with --port if the server allows any"
            if port
            else None,
        ) from None
