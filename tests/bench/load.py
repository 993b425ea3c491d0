"""Sends requests to a server on loopback over connections that are kept open, and takes the time of each.

It speaks HTTP over plain streams: a client library would take longer than the proxies that `proxy.py` measures.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles

PART = b"x" * 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where to send the requests, and the headers that each of them gets."""

    port: int
    headers: Mapping[str, str]

    def head(self, method: str, target: str, length: int | None = None) -> bytes:
        """Make the head of a request."""
        headers = {"Host": f"127.0.0.1:{self.port}", **self.headers}
        if length is not None:
            headers["Content-Length"] = str(length)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What many requests took: seconds for all of them, and milliseconds for each."""

    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def middle(self) -> float:
        """The median of the latencies."""
        return median(self.latencies)

    @property
    def p99(self) -> float:
        """The latency that 99 of 100 requests do not exceed."""
        return quantiles(self.latencies, n=100, method="inclusive")[98]


def many(server: Server, target: str, requests: int, clients: int) -> Load:
    """Send so many GET requests in all, from so many clients at once. Raises RuntimeError on any status but 200."""
    return asyncio.run(_many(server, target, requests, clients))


def transfer(server: Server, size: int, *, upload: bool) -> float:
    """Send a body of so many bytes, or get one; return the seconds that it took. Raises RuntimeError when it is not whole."""
    return asyncio.run(_upload(server, size) if upload else _download(server, size))


async def _many(server: Server, target: str, requests: int, clients: int) -> Load:
    head = server.head("GET", target)
    latencies: list[float] = []
    connections = [await _connect(server) for _ in range(clients)]

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            writer.write(head)
            await _skip(reader, await _answer(reader))
            latencies.append((time.perf_counter() - began) * 1000)
        writer.close()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for reader, writer in connections:
            group.create_task(client(reader, writer, requests // clients))
    return Load(seconds=time.perf_counter() - began, latencies=latencies)


async def _download(server: Server, size: int) -> float:
    reader, writer = await _connect(server)
    began = time.perf_counter()
    writer.write(server.head("GET", f"/bytes/{size}"))
    length = await _answer(reader)
    if length != size:
        raise RuntimeError(f"{length} bytes are announced and not {size}")
    await _skip(reader, length)
    writer.close()
    return time.perf_counter() - began


async def _upload(server: Server, size: int) -> float:
    reader, writer = await _connect(server)
    began = time.perf_counter()
    writer.write(server.head("POST", "/bytes", size))
    left = size
    while left:
        part = PART[:left]
        writer.write(part)
        await writer.drain()
        left -= len(part)
    received = int(await reader.readexactly(await _answer(reader)))
    if received != size:
        raise RuntimeError(f"{received} bytes arrived and not {size}")
    writer.close()
    return time.perf_counter() - began


async def _connect(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port, limit=4 * len(PART))


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read the head of an answer; return the length of its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if head.split(b" ", 2)[1] != b"200" or length is None:
        raise RuntimeError(f"not an answer that can be measured: {head!r}")
    return int(length[1])


async def _skip(reader: asyncio.StreamReader, length: int) -> None:
    while length:
        part = await reader.read(min(length, len(PART)))
        if not part:
            raise RuntimeError("the answer is not whole")
        length -= len(part)
