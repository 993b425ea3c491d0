"""The server that `proxy.py` measures through proxies: it does as little as it can, so that it does not limit them.

It runs as a process of its own: the first line on stdout tells the port, and it ends when stdin does. `GET /small`
gets a short JSON document. `GET /bytes/N` gets N bytes. `POST` reads the body and answers with its length.
"""

import asyncio
import json
import re
import sys

PART = b"x" * 65536
DOCUMENT = b'{"id":1,"name":"a small answer"}'
SMALL = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(DOCUMENT), DOCUMENT)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await _answer(head, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()  # the client has gone


async def _answer(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    method, target, _ = head.split(b" ", 2)
    if method == b"POST":
        received = b"%d" % await _length(head, reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(received), received))
    elif target.startswith(b"/bytes/"):
        left = int(target.removeprefix(b"/bytes/"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % left)
        while left:
            part = PART[:left]
            writer.write(part)
            await writer.drain()
            left -= len(part)
    else:
        writer.write(SMALL)


async def _length(head: bytes, reader: asyncio.StreamReader) -> int:
    """Read a body and forget it; return how many bytes it had."""
    announced = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if announced:
        return await _skip(int(announced[1]), reader)
    total = 0
    while length := int(await reader.readuntil(b"\r\n"), 16):
        total += await _skip(length, reader)
        await reader.readuntil(b"\r\n")
    await reader.readuntil(b"\r\n")
    return total


async def _skip(length: int, reader: asyncio.StreamReader) -> int:
    left = length
    while left:
        part = await reader.read(min(left, len(PART)))
        if not part:
            raise ConnectionResetError("the client has gone")
        left -= len(part)
    return length


async def main() -> None:
    """Serve until stdin ends."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=4 * len(PART))
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
