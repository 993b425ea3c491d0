"""A client's connection that is closed so that the client can read the last answer.

A connection that is closed while bytes of the client are unread is reset, and the answer can be lost with it. So only
the sending side is closed at first; what the client still sends is dropped, for a short time.
"""

import asyncio
from typing import Any

LINGER = 1.0
"""Seconds between the end of an answer and the end of the connection."""


class LingeringTransport(asyncio.Transport):
    """A transport that closes in two steps; everything else is done by the transport in it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._ends = False
        self.write = transport.write  # type: ignore[method-assign]
        self.get_extra_info = transport.get_extra_info  # type: ignore[method-assign]
        self.pause_reading = transport.pause_reading  # type: ignore[method-assign]
        self.resume_reading = transport.resume_reading  # type: ignore[method-assign]
        self.abort = transport.abort  # type: ignore[method-assign]

    def is_closing(self) -> bool:
        """Tell whether no further answer is sent."""
        return self._ends or self._transport.is_closing()

    def close(self) -> None:
        """End the connection after what was written, and soon."""
        if self.is_closing():
            return
        self._ends = True
        try:
            self._transport.write_eof()
            self._transport.resume_reading()
        except OSError:
            self._transport.abort()
            return
        self._loop.call_later(LINGER, self._finish)

    def _finish(self, *_: Any) -> None:
        if self._transport.get_write_buffer_size():  # the client has not read all of the answer
            self._loop.call_later(LINGER, self._finish)
        else:
            self._transport.close()
