"""The files of the event log: their lines forwards and backwards, in constant memory, and how a line is added.

What is no whole line of ours (a torn end, garbage, a line longer than any event) is passed over.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tokenctl.adapters.private_files import open_private
from tokenctl.errors import StoreUnavailable

LARGEST, KEPT = 8 * 1024 * 1024, 4
"""Bytes of a file, and how many older files are kept beside the newest one."""
TRIES = 5
"""How often a reader opens the files anew when a writer makes them older meanwhile."""

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


class EventFiles:
    """The files of the event log in a folder: `events.jsonl`, and older ones with a number before the suffix."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, age: int = 0) -> Path:
        """Return the path of the newest file (0), or of an older one (1 to `KEPT`)."""
        return self.folder / (f"events.{age}.jsonl" if age else "events.jsonl")

    def open_newest(self) -> BinaryIO:
        """Open the newest file to write it; it is made when there is none. Raises OSError or UsageError."""
        return open(open_private(self.path(), os.O_RDWR | os.O_CREAT), "r+b", buffering=0)

    def open_all(self, stack: contextlib.ExitStack) -> list[tuple[BinaryIO, int]]:
        """Open every file, the oldest first, with the size that it has now.

        The newest one is opened first, and each file once: a writer that makes files older meanwhile hides none.
        """
        for _ in range(TRIES):
            found: dict[tuple[int, int], tuple[BinaryIO, int]] = {}
            newest = self._newest()
            for age in range(KEPT + 1):
                with contextlib.suppress(FileNotFoundError):
                    file = stack.enter_context(self.open_to_read(age))
                    status = os.fstat(file.fileno())
                    found.setdefault((status.st_dev, status.st_ino), (file, status.st_size))
            if self._newest() == newest:
                break
        return list(found.values())[::-1]

    def _newest(self) -> int | None:
        """Tell which file is the newest one now."""
        with contextlib.suppress(OSError):
            return self.path().lstat().st_ino
        return None

    def older_backwards(self) -> Iterator[bytes]:
        """Read the lines of the older files, the newest one first. A crash can have left a gap in the files."""
        for age in range(1, KEPT + 1):
            with contextlib.suppress(FileNotFoundError), self.open_to_read(age) as file:
                yield from backwards(file, end_of_lines(file))

    def open_to_read(self, age: int) -> BinaryIO:
        """Open a file. Raises FileNotFoundError when there is none, UsageError or StoreUnavailable when it cannot be read."""
        try:
            return open(open_private(self.path(age), os.O_RDONLY), "rb")
        except FileNotFoundError:
            raise
        except OSError as reason:
            raise StoreUnavailable(
                f"{self.path(age)} cannot be read: {reason.strerror}", hint="tokenctl keeps its event log there"
            ) from None

    def rotate(self) -> None:
        """Make each file one older, up to the first gap. A crash in between leaves a gap, and no file is lost."""
        gap = next((age for age in range(1, KEPT) if not os.path.lexists(self.path(age))), KEPT)
        for age in range(gap, 0, -1):
            os.replace(self.path(age - 1), self.path(age))

    @property
    def size(self) -> int:
        """The bytes of all files."""
        found = 0
        for age in range(KEPT + 1):
            with contextlib.suppress(OSError):
                found += self.path(age).stat().st_size
        return found
