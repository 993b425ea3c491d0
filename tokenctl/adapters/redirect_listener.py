"""The redirect listener on this machine (RFC 8252 section 7.3). The only module that knows http.server.

It opens when a sign-in starts and closes when it ends. Only a GET of the exact path with our own Host
counts; whatever else knocks gets a 4xx page and changes nothing. After a good callback the browser is
sent on to an address without the code, and waits there until the sign-in has really ended.
"""

import contextlib
import errno
import queue
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tokenctl.adapters import callback_page
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.oauth.authorization_code import UnexpectedCallback
from tokenctl.oauth.wire import is_loopback, query_of

DEFAULT_REDIRECT = "http://127.0.0.1/callback"
DONE = "/signed-in"
"""Where the browser ends: an address without a code in it."""
PATIENCE = 40.0
"""Seconds the browser waits there for the end of the sign-in: a request's deadline and some more."""
GOODBYE = 3.0
"""Seconds the listener stays open after the end, for the browser to fetch the last page."""

Accept = Callable[[dict[str, str]], str]
"""Checks a callback's parameters and returns the code; raises UnexpectedCallback, or the error that ends the sign-in."""


class Callback:
    """The one callback that a sign-in waits for: from the browser, or pasted by the person."""

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri
        self.accept: Accept | None = None
        self._taken = threading.Lock()
        self._arrived: queue.Queue[str | TokenctlError] = queue.Queue()
        self._ended = threading.Event()
        self._failed = False
        self._sent_on = threading.Event()
        self._goodbye = threading.Event()

    def offer(self, target: str) -> None:
        """Take a callback's address if it is ours. Raises UnexpectedCallback or ValueError when it is not."""
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
        """Wait for the code; None when it did not come in time. Raises what ended the sign-in."""
        try:
            answer = self._arrived.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if isinstance(answer, TokenctlError):
            raise answer
        return answer

    def send_on(self) -> None:
        """Note that the browser goes on to the last page."""
        self._sent_on.set()

    def end(self, *, failed: bool) -> None:
        """Tell the waiting browser how the sign-in ended; only the first word counts."""
        if not self._ended.is_set():
            self._failed = failed
            self._ended.set()

    def last_page(self) -> bytes | None:
        """Wait for the end and return the page that says how it was; None when nobody was sent on to it."""
        if not self._sent_on.is_set():
            return None
        self._ended.wait(PATIENCE)
        return callback_page.FAILED if self._failed or not self._ended.is_set() else callback_page.SIGNED_IN

    def said_goodbye(self) -> None:
        """Note that the browser has the last page."""
        self._goodbye.set()

    def linger(self) -> None:
        """Give a browser that was sent on a moment to fetch the last page."""
        if self._sent_on.is_set():
            self._goodbye.wait(GOODBYE)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = sys.platform != "win32"  # there it would let others take the port over

    def __init__(self, address: tuple[str, int], callback: Callback) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.address = address
        self.callback = callback
        super().__init__(address, _Visit)

    def server_bind(self) -> None:
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif self.allow_reuse_address:  # an exact port must not wait for the last sign-in's connections to fade
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Not HTTPServer's: that one asks the name service for this machine's name.
        self.socket.bind(self.address)
        self.server_name, self.server_port = self.address[0], self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever connects and breaks off is not worth a traceback."""


class _Visit(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5  # an idle connection holds a thread, never the sign-in
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        callback = self.server.callback
        ours = urlsplit(callback.redirect_uri)
        path = self.path.partition("?")[0]
        if self.headers.get("Host") not in (
            ours.netloc,
            ours.netloc.removesuffix(":80"),
        ):  # a name that was made to point here
            self._answer(400, callback_page.NOT_OURS)
        elif path == DONE and (page := callback.last_page()):
            self._answer(200, page)
            callback.said_goodbye()
        elif path == (ours.path or "/"):
            self._callback(callback)
        else:
            self._answer(404, callback_page.NOTHING_HERE)

    def _callback(self, callback: Callback) -> None:
        try:
            callback.offer(self.path)
        except (UnexpectedCallback, ValueError):
            self._answer(400, callback_page.NOT_OURS)
        else:
            callback.send_on()
            self._answer(303, b"", {"Location": DONE})

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
        """Answer other methods and broken requests: 405 for a method, as RFC 9110 has it."""
        self._answer(
            405 if code == 501 else code, callback_page.NOTHING_HERE, {"Allow": "GET"} if code == 501 else None
        )

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the request line holds the code."""


@contextlib.contextmanager
def listening(redirect_uri: str | None = None, port: int | None = None) -> Iterator[Callback]:
    """Listen for the length of the block, on a loopback address and nothing else.

    `redirect_uri` is the registered one, with or without a port; without a port an ephemeral one is
    taken. Raises UsageError when it is not a loopback address, or the port is in use.
    """
    try:
        parts = urlsplit(redirect_uri or DEFAULT_REDIRECT)
        named, host = parts.port, parts.hostname
    except ValueError:
        parts, named, host = urlsplit(""), None, None
    if parts.scheme != "http" or not is_loopback(host) or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(
            f"redirect_uri {redirect_uri!r:.200} is not an http address of this machine",
            hint="such as http://127.0.0.1:8400/callback, just as it is registered at the server",
        )
    servers: list[_Server] = []
    callback = Callback("")
    try:
        for address in _addresses(host or ""):
            with _named_failure(address, port or named or 0, optional=bool(servers)):
                servers.append(_Server((address, servers[0].server_port if servers else port or named or 0), callback))
                threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        netloc = f"[{host}]" if ":" in (host or "") else host
        callback.redirect_uri = f"http://{netloc}:{servers[0].server_port}{parts.path}"
        yield callback
    finally:
        callback.end(failed=True)  # unless it was told that all went well
        callback.linger()
        for server in servers:
            server.shutdown()
            server.server_close()


def _addresses(host: str) -> tuple[str, ...]:
    return ("127.0.0.1", "::1") if host == "localhost" else (host,)


@contextlib.contextmanager
def _named_failure(address: str, port: int, *, optional: bool) -> Iterator[None]:
    try:
        yield
    except OSError as reason:
        if optional and reason.errno != errno.EADDRINUSE:  # `localhost` without IPv6 is still served by IPv4
            return
        raise UsageError(
            f"cannot listen on {address} port {port}: {reason.strerror}",
            hint="end the program that uses the port, or choose another with --port if the server allows any"
            if port
            else None,
        ) from None
