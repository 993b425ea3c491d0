"""The answer: what goes to stdout, whole or with an error."""

import io
import os
import sys

from tokenctl.errors import TokenctlError


class _Stdout(io.TextIOWrapper):
    """Stdout whose failures are errors for a person, whoever writes: `answer`, click's help, the demo's print."""

    def write(self, text: str, /) -> int:
        if text == "":  # how click finds out what a stream takes: it would swallow the failure
            return 0
        try:
            return super().write(text)
        except (OSError, ValueError) as reason:
            raise _unwritten(reason) from None

    def flush(self) -> None:
        try:
            super().flush()
        except (OSError, ValueError) as reason:
            raise _unwritten(reason) from None


def guard() -> None:
    """Make every failure to write to stdout a TokenctlError: a full disk, or a reader that is gone."""
    plain = sys.stdout
    if type(plain) is io.TextIOWrapper:  # not a test's own, and not None: closed from the start
        encoding, as_lines, at_once = plain.encoding, plain.line_buffering, plain.write_through
        sys.stdout = _Stdout(
            plain.detach(), encoding=encoding, errors="replace", line_buffering=as_lines, write_through=at_once
        )


def answer(text: str) -> None:
    """Write the text and a newline to stdout, and make sure that it arrived.

    Raises TokenctlError when the reader is gone or the disk is full: a pipe must not end in silence.
    """
    if sys.stdout is None:
        raise TokenctlError("stdout is closed, and the answer goes there")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _unwritten(reason: OSError | ValueError) -> TokenctlError:
    # What is still in the buffer would fail a second time, with a traceback, when the interpreter ends.
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    if isinstance(reason, BrokenPipeError):
        return TokenctlError("stdout was closed before everything was written")
    return TokenctlError(f"stdout cannot be written: {getattr(reason, 'strerror', None) or 'it is closed'}")
