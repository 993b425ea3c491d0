"""Write a command's answer to stdout. A failure to write is an error."""

import io
import os
import sys
from collections.abc import Iterable

from tokenctl.errors import TokenctlError


class _Stdout(io.TextIOWrapper):
    """Stdout that raises TokenctlError when a write fails: a write of `answer`, of click's help, or of the demo."""

    def write(self, text: str, /) -> int:
        if text == "":  # click writes this to test the stream, and would ignore the failure
            return 0
        try:
            return super().write(text)
        except (OSError, ValueError) as reason:
            raise _write_error(reason) from None

    def flush(self) -> None:
        try:
            super().flush()
        except (OSError, ValueError) as reason:
            raise _write_error(reason) from None


def guard_stdout() -> None:
    """Make every failure to write to stdout a TokenctlError: a full disk, or a closed pipe."""
    plain = sys.stdout
    if type(plain) is io.TextIOWrapper:  # not the stream of a test, and not None (closed from the start)
        encoding, as_lines, at_once = plain.encoding, plain.line_buffering, plain.write_through
        sys.stdout = _Stdout(
            plain.detach(), encoding=encoding, errors="replace", line_buffering=as_lines, write_through=at_once
        )


def answer(text: str) -> None:
    """Write the text and a newline to stdout, and flush.

    Raises TokenctlError when the pipe is closed or the disk is full, so that the caller notices a missing answer.
    """
    if sys.stdout is None:
        raise TokenctlError("stdout is closed, and the answer goes there")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def answer_bytes(content: bytes) -> None:
    """Write an answer of a protocol to stdout as it is, and flush. Raises TokenctlError as `answer`."""
    if sys.stdout is None:
        raise TokenctlError("stdout is closed, and the answer goes there")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except (OSError, ValueError) as reason:
        raise _write_error(reason) from None


def answer_parts(parts: Iterable[str]) -> None:
    """Write an answer that is too long to be held in memory, part by part, and flush. Raises TokenctlError as `answer`."""
    if sys.stdout is None:
        raise TokenctlError("stdout is closed, and the answer goes there")
    for part in parts:
        sys.stdout.write(part)
    sys.stdout.flush()


def stdout_is_terminal() -> bool:
    """Tell whether the answer goes to a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def _write_error(reason: OSError | ValueError) -> TokenctlError:
    # At its end, the interpreter writes the rest of the buffer. That would fail again, with a traceback.
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    if isinstance(reason, BrokenPipeError):
        return TokenctlError("stdout was closed before everything was written")
    return TokenctlError(f"stdout cannot be written: {getattr(reason, 'strerror', None) or 'it is closed'}")
