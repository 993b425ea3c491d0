"""One request of a client and its answer: what was asked, and how far the answer is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpcore

from tokenctl.handoff.proxy.body import Body, Receive
from tokenctl.handoff.proxy.headers import CLOSE, has_length, is_chunked, to_client
from tokenctl.handoff.proxy.problems import Problem
from tokenctl.handoff.proxy.sending import Sending, finish, send_rest, unsent

if TYPE_CHECKING:
    from tokenctl.handoff.proxy.connection import ClientConnection

Send = Callable[[dict[str, Any]], Awaitable[None]]
_LONGEST_PATH = 200
"""Characters of a path in a message."""


class Exchange:
    """A request, as it was written, and its answer. `receive` and `send` are those of ASGI."""

    def __init__(self, connection: "ClientConnection", receive: Receive, send: Send) -> None:
        self.request = connection.request
        self.headers = self.request.headers.raw_items()
        self.sending = Sending(connection.wake)
        self.body = Body(receive, self.sending)
        self._chunked, self._has_length = is_chunked(self.headers), has_length(self.headers)
        self._send = send
        self.status: int | None = None
        """The status of the answer, once it is sent."""
        self.ended = False
        """Whether the answer was sent whole."""

    @property
    def has_body(self) -> bool:
        """Tell whether the request has a body, which can be empty (RFC 9112 section 6.3)."""
        return self._chunked or self._has_length

    def __str__(self) -> str:
        """Tell what was asked and answered: no query, and no header."""
        path = self.request.target.partition(b"?")[0].decode("ascii", "replace")
        return f"{self.request.method.decode()} {path[:_LONGEST_PATH]} {self.status or '-'}"

    async def refuse(self, problem: Problem) -> None:
        """Send an answer of the proxy's own, unless one has begun, and close the connection."""
        if self.status is None:
            await self._start(problem.status, problem.headers())
            await self._end(problem.body)

    async def pass_on(self, answer: httpcore.Response) -> None:
        """Send the upstream's answer to the client. One that is cut short stays without its end."""
        try:
            if not 200 <= answer.status < 600:
                await self.refuse(Problem(status=502, detail=f"the upstream answered with status {answer.status}"))
                return
            headers = to_client(answer.headers)
            if (self.has_body and not self.body.complete) or (self._chunked and self._has_length):
                headers.append(CLOSE)
            await self._start(answer.status, headers)
            async with self._sending_rest(answer):
                async for part in answer.aiter_stream():
                    await self._send({"type": "http.response.body", "body": part, "more_body": True})
            await self._end(b"")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            pass  # the server closes the connection when an answer has not ended
        finally:
            await finish(answer)

    @asynccontextmanager
    async def _sending_rest(self, answer: httpcore.Response) -> AsyncIterator[None]:
        """Send what the upstream has not got of the body, until its answer ends."""
        writer = unsent(answer)
        if writer is None:
            yield
            return
        sending = asyncio.get_running_loop().create_task(send_rest(answer, writer, self.body.rest()))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)  # where the client has left, this task ends too

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _end(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": False})
        self.ended = True
