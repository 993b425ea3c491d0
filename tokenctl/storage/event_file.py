"""One file of the event log: its lines forwards and backwards, in constant memory, and how a line is added.

What is no whole line of ours (a torn end, garbage, a line longer than any event) is passed over.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 64 * 1024
"""Bytes that are read at once when a file is read backwards."""
LONGEST = 64 * 1024
"""Bytes of a line. An event is never longer; see `event.shortened`."""


def forwards(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Read the whole lines of the first `size` bytes, each with its end."""
    in_a_long_line = False
    while size > 0:
        line = file.readline(min(size, LONGEST))
        size -= len(line) or size  # an empty one: the file is shorter now
        whole = line.endswith(b"\n")
        if whole and not in_a_long_line:
            yield line
        in_a_long_line = not whole


def end_of_lines(file: BinaryIO) -> int:
    """Return where the last whole line ends, in bytes; 0 when there is none."""
    end = os.fstat(file.fileno()).st_size
    while end > 0:
        begin = max(0, end - BLOCK)
        at = _read(file, begin, end).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0


def backwards(file: BinaryIO, end: int) -> Iterator[bytes]:
    """Read the lines before `end`, the last one first, without their ends. `end` is what `end_of_lines` returns."""
    if end == 0:
        return
    end -= 1  # the last line's own end
    rest = b""
    while end > 0:
        begin = max(0, end - BLOCK)
        first, *lines = (_read(file, begin, end) + rest).split(b"\n")
        yield from reversed(lines)
        rest = first if len(first) <= LONGEST else b"?"  # no event is that long, and no JSON ends so
        end = begin
    yield rest


def add(file: BinaryIO, end: int, line: bytes) -> None:
    """Write a line at `end`, whole or not at all, in place of a torn one. `file` has no buffer. Raises OSError."""
    if os.fstat(file.fileno()).st_size > end:
        file.truncate(end)
    file.seek(end)
    try:
        left = memoryview(line)
        while left:  # once, mostly: a full disk takes a part of the line, and the next write tells why
            left = left[file.write(left) :]
    except OSError:
        file.truncate(end)
        raise


def _read(file: BinaryIO, begin: int, end: int) -> bytes:
    file.seek(begin)
    return file.read(end - begin)
