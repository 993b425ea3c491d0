"""The body of a client's request: streamed, and sent a second time if it is short."""

from collections.abc import Awaitable, Callable
from typing import Any

HELD = 64 * 1024
"""Bytes of a body that are held so that it can be sent again."""

Receive = Callable[[], Awaitable[dict[str, Any]]]


class ClientLeft(Exception):
    """The client closed its connection before its request was whole."""


class Body:
    """The parts of a body as they come. Iterate over it again to send it again, while `repeatable`."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._held: list[bytes] = []
        self._size = 0
        self._next = 0
        self.complete = False

    @property
    def repeatable(self) -> bool:
        """Tell whether all that has come so far is still held."""
        return self._size <= HELD

    @property
    def empty(self) -> bool:
        """Tell whether the body is known to have no bytes."""
        return self.complete and not self._size

    def __aiter__(self) -> "Body":
        self._next = 0
        return self

    async def __anext__(self) -> bytes:
        if self._next < len(self._held):
            self._next += 1
            return self._held[self._next - 1]
        if self.complete:
            raise StopAsyncIteration
        return await self.read()

    async def read(self) -> bytes:
        """Return the next part from the client. Raises ClientLeft."""
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientLeft
        part: bytes = message["body"]
        self.complete = not message["more_body"]
        self._size += len(part)
        if self.repeatable:
            self._held.append(part)
            self._next = len(self._held)
        else:
            self._held.clear()
            self._next = 0
        return part
