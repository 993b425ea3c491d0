"""Decode a response body in parts, under a limit: some servers compress although nobody asked."""

import zlib
from collections.abc import Callable
from typing import Any


def decoder(encoding: str) -> Callable[[bytes, int], bytes]:
    """Choose the decoder for the header Content-Encoding (RFC 9110 section 8.4.1).

    The decoder takes a part of the body, and the number of bytes that it may return. It raises zlib.error.
    """
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return _Gzip().decompress
        case "deflate":
            return _Deflate().decompress
        case _:
            return _as_it_is


class _Gzip:
    """The coding `gzip`, or none: some proxies decompress a body and leave the header. JSON has no gzip header."""

    def __init__(self) -> None:
        self._decompress: Callable[[bytes, int], bytes] | None = None

    def decompress(self, part: bytes, most: int) -> bytes:
        if self._decompress is None and part:
            compressed = part[0] == 0x1F
            self._decompress = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS).decompress if compressed else _as_it_is
        return self._decompress(part, most) if self._decompress else b""


def _as_it_is(part: bytes, most: int) -> bytes:
    return part


class _Deflate:
    """The coding `deflate`: with zlib's header as the RFC has it, or without, as some servers send it."""

    def __init__(self) -> None:
        self._found: Any = None

    def decompress(self, part: bytes, most: int) -> bytes:
        if self._found is None and part:
            has_header = part[0] & 0x0F == 8
            self._found = zlib.decompressobj(wbits=zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
        return bytes(self._found.decompress(part, most)) if part else b""
