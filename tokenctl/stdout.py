"""The answer: what goes to stdout, whole or with an error."""

import os
import sys

from tokenctl.errors import TokenctlError


def answer(text: str) -> None:
    """Write the text and a newline to stdout, and make sure that it arrived.

    Raises TokenctlError when the reader is gone or the disk is full: a pipe must not end in silence.
    """
    if sys.stdout is None:
        raise TokenctlError("stdout is closed, and the answer goes there")
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up()
        raise TokenctlError("stdout was closed before everything was written") from None
    except (OSError, ValueError) as reason:
        _give_up()
        cause = getattr(reason, "strerror", None) or "it is closed"
        raise TokenctlError(f"stdout cannot be written: {cause}") from None


def _give_up() -> None:
    # What is still in the buffer would fail a second time, with a traceback, when the interpreter ends.
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
