"""Each request takes a connection that nobody uses, and the one that was used last."""

import asyncio
from collections.abc import Awaitable, Callable

import httpcore
import pytest

from tokenctl.handoff.proxy.lanes import Lanes


class Server:
    """A server that counts connections; its answers end when `more` is set."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.more = asyncio.Event()
        self.more.set()
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        """Listen on any port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    def stop(self) -> None:
        """Take no more connections."""
        self._server.close()

    async def until_closed(self, count: int) -> None:
        """Wait until so many connections have ended."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.closed >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
                await self.more.wait()
                writer.write(b"k")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        async with self._changed:
            self.closed += 1
            self._changed.notify_all()


def get(url: str) -> httpcore.Request:
    """Make a request."""
    return httpcore.Request("GET", url, headers={"Host": "127.0.0.1"})


async def ask(lanes: Lanes, url: str) -> bytes:
    """Send a request, and read its answer."""
    answer = await lanes.send(get(url))
    try:
        return b"".join([part async for part in answer.aiter_stream()])
    finally:
        await answer.aclose()


async def one_connection(lanes: Lanes, server: Server) -> None:
    """Requests one after the other take the same connection."""
    assert [await ask(lanes, server.url) for _ in range(3)] == [b"ok"] * 3
    assert server.opened == 1


async def one_each(lanes: Lanes, server: Server) -> None:
    """Requests at the same time take a connection each, which later requests take again."""
    for _ in range(2):
        server.more.clear()
        answers = [await lanes.send(get(server.url)) for _ in range(3)]
        server.more.set()
        assert [await answer.aread() for answer in answers] == [b"ok"] * 3
        for answer in answers:
            await answer.aclose()
            await answer.aclose()  # a second time frees nothing
    assert server.opened == 3


async def after_a_failure(lanes: Lanes, server: Server) -> None:
    """A request that fails, and one whose answer was not read, leave nothing behind that would disturb the next one."""
    with pytest.raises(httpcore.ConnectError):
        await ask(lanes, "http://127.0.0.1:1/")
    server.more.clear()
    await (await lanes.send(get(server.url))).aclose()
    server.more.set()
    assert await ask(lanes, server.url) == b"ok"
    assert server.opened == 2


async def closed(lanes: Lanes, server: Server) -> None:
    """In the end every connection is closed, also one whose answer is being read."""
    await ask(lanes, server.url)
    answer = await lanes.send(get(server.url))
    second = await lanes.send(get(server.url))
    await second.aclose()
    await lanes.close()
    await server.until_closed(2)
    await answer.aclose()


@pytest.mark.parametrize("check", [one_connection, one_each, after_a_failure, closed])
def test_lanes(check: Callable[[Lanes, Server], Awaitable[None]]) -> None:
    """What each check says."""
    run(check, kept=60)


def test_a_connection_that_nobody_used_for_long_is_closed() -> None:
    """It is closed when the next request comes."""

    async def unused(lanes: Lanes, server: Server) -> None:
        answers = [await lanes.send(get(server.url)) for _ in range(3)]
        for answer in answers:
            await answer.aread()
            await answer.aclose()
        await ask(lanes, server.url)
        await server.until_closed(3)
        assert server.opened == 4

    run(unused, kept=0)


def run(check: Callable[[Lanes, Server], Awaitable[None]], kept: float) -> None:
    """Run a check with a server of its own."""

    async def body() -> None:
        server = Server()
        await server.start()
        lanes = Lanes(httpcore.AsyncConnectionPool, kept)
        try:
            await check(lanes, server)
        finally:
            await lanes.close()
            await server.until_closed(server.opened)
            server.stop()

    asyncio.run(body())
