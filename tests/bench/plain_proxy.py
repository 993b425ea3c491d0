"""The yardstick for our proxy: a pass-through as a person would write it with uvicorn and httpx, without any check.

It streams both ways, as ours does. The upstream's origin is the argument. It runs as a process of its own: the first
line on stdout tells the port, and it ends when stdin does.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

OF_ONE_CONNECTION = {b"host", b"connection", b"transfer-encoding"}


class PassThrough:
    """The ASGI application."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        self._client = httpx.AsyncClient(trust_env=False, timeout=None, limits=limits)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one request on, and its answer back."""
        names = {name for name, _ in scope["headers"]}
        request = httpx.Request(
            scope["method"],
            self._upstream + scope["raw_path"].decode("ascii"),
            headers=[(name, value) for name, value in scope["headers"] if name not in OF_ONE_CONNECTION],
            content=_body(receive) if names & {b"content-length", b"transfer-encoding"} else None,
        )
        response = await self._client.send(request, stream=True)
        try:
            headers = [(name.lower(), value) for name, value in response.headers.raw]
            headers = [(name, value) for name, value in headers if name not in OF_ONE_CONNECTION]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            async for part in response.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await response.aclose()


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def main(upstream: str) -> None:
    """Serve until stdin ends."""
    config = uvicorn.Config(
        PassThrough(upstream),
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    # Without the protocol's number asyncio sends small answers late: it sets TCP_NODELAY only where it sees that number.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        serving = asyncio.create_task(server.serve([listener]))
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
