"""Connections to the upstream that can read while a long body is sent: an upstream may answer before it has everything.

httpcore sends a request whole and then reads the answer. An upstream that refuses a long body answers at once, and may
not read the rest, so that sending would never end. So the stream here reads ahead once the first part of a body was
sent, and sending stops when something was read. The rest of the body is sent while the answer is read. A provisional
answer, such as 103, is none: httpcore would wait for the final one, and the upstream for the body.
"""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from typing import Any

import h11
import httpcore
from httpcore import AnyIOBackend

_READ = 64 * 1024
_PROVISIONAL = re.compile(rb"HTTP/1\.1 1(?!01)\d\d\b.*?\n\r?\n", re.DOTALL)
"""A whole provisional answer (RFC 9110 section 15.2). 101 is a final one, after which there is no more HTTP."""


class Sending:
    """One request that is being sent; `wake` is called when the upstream has answered meanwhile."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.wake = wake
        self.stream: Stream | None = None
        self.connected = False
        """Whether a connection was made for this request, so that it is not one that the upstream was about to close."""

    def answered(self) -> bool:
        """Tell whether the upstream has begun to answer, or ended the connection; from here on notice when it does."""
        return self.stream is not None and self.stream.has_read_ahead(self.wake)


CURRENT: ContextVar[Sending | None] = ContextVar("current", default=None)
"""The request that the running task sends."""


class Backend(httpcore.AsyncNetworkBackend):
    """Makes connections that can read ahead."""

    def __init__(self) -> None:
        self._backend = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect; the host's addresses are tried side by side. Raises httpcore.ConnectError or ConnectTimeout."""
        if sending := CURRENT.get():
            sending.connected = True
        try:
            return Stream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))
        except httpcore.ConnectError as error:
            raise httpcore.ConnectError(_reason(error)) from None


class Stream(httpcore.AsyncNetworkStream):
    """A connection, with what was read ahead."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._ahead: asyncio.Task[bytes] | None = None
        self._writing: asyncio.Task[None] | None = None

    def has_read_ahead(self, wake: Callable[[], None]) -> bool:
        """Begin to read ahead, and tell whether something was read; `wake` is called when it is later."""
        if self._ahead is None:
            self._ahead = asyncio.get_running_loop().create_task(self._read_answer())
            self._ahead.add_done_callback(lambda _: wake())
        return self._ahead.done()

    async def _read_answer(self) -> bytes:
        """Read the beginning of the answer, without the provisional ones before it."""
        got = b""
        while True:
            part = await self._stream.read(_READ)
            got += part
            while found := _PROVISIONAL.match(got):
                got = got[found.end() :]
            can_be_provisional = b"HTTP/1.1 1".startswith(got[:10]) and got[9:12] != b"101"
            if not part or not can_be_provisional or len(got) > _READ:
                return got

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what was read ahead, else read."""
        if self._ahead is None:
            return await self._stream.read(max_bytes, timeout)
        try:
            return await self._ahead
        finally:
            self._ahead = None

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write. Raises httpcore.WriteError when something was read ahead before all was written; `written` waits for it."""
        if sending := CURRENT.get():
            sending.stream = self
        if self._ahead is None:
            await self._stream.write(buffer, timeout)
            return
        writing = asyncio.get_running_loop().create_task(self._stream.write(buffer, timeout))
        try:
            await asyncio.wait((writing, self._ahead), return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            writing.cancel()
            raise
        if not writing.done():
            self._writing = writing
            raise httpcore.WriteError
        writing.result()

    async def written(self) -> None:
        """Wait until what was being written is written. Raises httpcore.WriteError."""
        if self._writing is not None:
            await self._writing
            self._writing = None

    async def aclose(self) -> None:
        """Close the connection."""
        for task in (self._ahead, self._writing):
            if task is not None:
                task.cancel()
        self._ahead = self._writing = None
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Begin TLS on this connection."""
        return Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about the connection."""
        return self._stream.get_extra_info(info)


def unsent(answer: httpcore.Response) -> h11.Connection | None:
    """Return the writer of a request whose answer has begun before its body was sent; None when it was sent."""
    writer = _h11_of(answer)
    return writer if writer is not None and writer.our_state is h11.SEND_BODY else None


async def send_rest(answer: httpcore.Response, writer: h11.Connection, parts: AsyncIterator[bytes]) -> None:
    """Send the rest of a body while its answer is read; httpcore, which does not do that, has let go of the writer.

    Raises ClientLeft, or httpcore.WriteError when the upstream wants no more of it.
    """
    stream = answer.extensions["network_stream"]
    try:
        await stream.written()
        async for part in parts:
            await stream.write(writer.send(h11.Data(data=part)))
        await stream.write(writer.send(h11.EndOfMessage()))
    except BaseException:
        writer.send_failed()  # so that the connection is not used again
        raise


async def finish(answer: httpcore.Response) -> None:
    """Let the next request have the connection of an answer that was read whole; close it otherwise.

    It is closed too when more came behind the answer: httpcore keeps that, and would read it as the next answer.
    """
    reader = _h11_of(answer)
    if reader is None or reader.trailing_data[0]:
        await answer.extensions["network_stream"].aclose()
    await answer.aclose()


def _h11_of(answer: httpcore.Response) -> h11.Connection | None:
    """Return the reader and writer of an answer's connection, which httpcore shows to nobody."""
    connection = getattr(getattr(answer.stream, "_stream", None), "_connection", None)
    return getattr(connection, "_h11_state", None)


def _reason(error: BaseException) -> BaseException:
    """Return why no address could be connected to; anyio only says that none could, and asyncio names the address."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno:
        return OSError(error.errno, os.strerror(error.errno))
    return error
