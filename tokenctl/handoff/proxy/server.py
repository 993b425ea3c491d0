"""Serve the proxy on a listening socket, in a thread of its own, for as long as a block runs."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from uvicorn.config import Config
from uvicorn.server import Server

from tokenctl.adapters.terminal import Terminal
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxy.application import Application
from tokenctl.handoff.proxy.connection import ClientConnection
from tokenctl.handoff.proxy.rules import Allow, Gate
from tokenctl.handoff.proxy.upstream import Upstream
from tokenctl.runtime import Runtime

DRAIN = 5.0
"""Seconds in which answers that have begun can end when the proxy ends."""
IDLE = 75
"""Seconds for which a client's connection stays open without a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """What a proxy serves.

    `upstream` is a URL: an origin, and a path prefix if there is one. `secret` is what a client presents. `allow` empty
    means that every method and path is allowed. `ca_file` is trusted for the upstream beside the system's certificates.
    """

    upstream: str
    secret: str = field(repr=False)
    secret_header: str = "x-api-key"
    allow: tuple[Allow, ...] = ()
    ca_file: str | None = None


@contextmanager
def running(runtime: Runtime, live: LiveToken, proxy: Proxy, listener: socket.socket) -> Iterator[threading.Event]:
    """Serve on a socket that listens on 127.0.0.1 or is a unix socket; it is closed in the end.

    The block gets an event that is set when the server ends by itself, because it failed. Answers that have begun get `DRAIN` seconds when the block ends. Raises UsageError when `ca_file` or the proxy that
    the environment names cannot be used.
    """
    upstream = Upstream(proxy.upstream, proxy.ca_file, runtime.environ)
    server = _Server(Application(runtime, live, _gate(proxy, listener), upstream), upstream, runtime.terminal)
    thread = threading.Thread(target=server.run_on, args=(listener,), name="tokenctl proxy")
    thread.start()
    server.ready.wait()
    try:
        if server.failure is not None:
            raise server.failure
        yield server.stopped
    finally:
        server.end()
        thread.join()
    if server.failure is not None:
        raise server.failure


def _gate(proxy: Proxy, listener: socket.socket) -> Gate:
    hosts: tuple[bytes, ...] | None = None
    if listener.family == socket.AF_INET:
        port = listener.getsockname()[1]
        hosts = (f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode())
        hosts += (b"127.0.0.1", b"localhost") if port == 80 else ()
    return Gate(
        secret=proxy.secret.encode(), secret_header=proxy.secret_header.lower().encode(), allow=proxy.allow, hosts=hosts
    )


class _Server(Server):
    """uvicorn's server, without its signals and its clock."""

    def __init__(self, application: Application, upstream: Upstream, terminal: Terminal) -> None:
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())  # else Python writes warnings to stderr
        super().__init__(
            Config(
                application,
                http=ClientConnection,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=IDLE,
                timeout_graceful_shutdown=DRAIN,  # type: ignore[arg-type]  # it goes to asyncio.wait_for
            )
        )
        self.ready = threading.Event()
        """Set when the server listens, or never will."""
        self.stopped = threading.Event()
        """Set when the server has ended, for whatever reason."""
        self.failure: Exception | None = None
        self._upstream = upstream
        self._terminal = terminal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    def run_on(self, listener: socket.socket) -> None:
        """Serve until `end` is called."""
        try:
            # Not asyncio.run, which waits for the end of a name lookup that hangs.
            with closing(asyncio.new_event_loop()) as loop:
                loop.run_until_complete(self._serve_on(listener))
        except Exception as error:  # raised again in the thread that waits
            self.failure = error
        finally:
            self.stopped.set()
            self.ready.set()

    async def _serve_on(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._note)
        self.config.load()
        await self._serve([listener])
        await _end_the_rest(self._loop)

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Write what asyncio has to say of a failure as one line, with -v only: its own text has whole objects."""
        error = context.get("exception")
        self._terminal.detail(f"the proxy's connections: {type(error).__name__ if error else context['message']}")

    def end(self) -> None:
        """Ask the server to end, from another thread."""
        if self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._ended.set)
            except RuntimeError:
                pass  # it has ended already

    async def main_loop(self) -> None:
        """Wait for the end."""
        self.ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what is being answered, and close everything."""
        await super().shutdown(sockets)
        tasks = list(self.server_state.tasks)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._upstream.close()


async def _end_the_rest(loop: asyncio.AbstractEventLoop) -> None:
    """End what still runs, such as taking a client that connected in the last moment."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for each in rest:
        each.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await loop.shutdown_asyncgens()
