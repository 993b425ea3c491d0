"""The body of a client's request: streamed, and sent a second time if it is short."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpcore

from tokenctl.handoff.proxy.sending import Sending

HELD = 64 * 1024
"""Bytes of a body that are held so that it can be sent again."""

Receive = Callable[[], Awaitable[dict[str, Any]]]


class ClientLeft(Exception):
    """The client closed its connection before its request was whole."""


class Body:
    """The parts of a body as they come. Iterate over it again to send it again, while `repeatable`.

    It stops with httpcore.WriteError when the upstream answers before it has everything: httpcore then reads the answer,
    and `rest` has what was not sent.
    """

    def __init__(self, receive: Receive, sending: Sending) -> None:
        self._receive = receive
        self._sending = sending
        self._held: list[bytes] = []
        self._size = 0
        self._next = 0
        self._stops = True
        self.complete = False

    @property
    def repeatable(self) -> bool:
        """Tell whether all that has come so far is still held."""
        return self._size <= HELD

    def __aiter__(self) -> "Body":
        self._next = 0
        return self

    async def __anext__(self) -> bytes:
        if self._next < len(self._held):
            self._next += 1
            return self._held[self._next - 1]
        if self.complete:
            raise StopAsyncIteration
        if self._stops and self._size and self._sending.answered():
            raise httpcore.WriteError
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

    async def rest(self) -> AsyncIterator[bytes]:
        """Yield what is left, also while the upstream answers."""
        self._stops = False
        while self._next < len(self._held) or not self.complete:
            yield await anext(self)
