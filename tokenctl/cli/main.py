"""One run of the program, and the only code that turns an error into text on stderr and an exit status.

It does not know click, because a plain `token` or `exec` is answered without it; see `plain`.
"""

import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from tokenctl.adapters.terminal import Terminal
from tokenctl.cli import plain
from tokenctl.cli.output import guard_stdout
from tokenctl.errors import TokenctlError, unexpected

if TYPE_CHECKING:
    from tokenctl.handoff.helpers.conversation import Conversation

EXEC_FAILED = 125
"""The exit status of `exec` when tokenctl failed before the child started."""
INTERRUPTED = 130
"""The exit status after Ctrl-C."""


def run(arguments: Sequence[str], obj: object = None, conversation: "Conversation | None" = None) -> int:
    """Run the program and return its exit status.

    `obj` is a Runtime, for tests. `conversation` is with a client of a helper that the fast way could not answer.
    """
    guard_stdout()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 must not cause an error
            stream.reconfigure(errors="replace")
    if "_TOKENCTL_COMPLETE" in os.environ and not arguments:
        return 0  # the script of an older version asks at TAB: any answer would land on the command line
    terminal = Terminal()
    child = _command_of(arguments) == "exec"
    try:
        return plain.go_on(conversation) if conversation is not None else _answered(arguments, terminal, obj)
    except TokenctlError as error:
        terminal.error(error.message, error.next_step)
        return EXEC_FAILED if child and error.exit_status < EXEC_FAILED else error.exit_status
    except KeyboardInterrupt:
        terminal.error("interrupted")
        return INTERRUPTED
    except Exception as error:
        defect = unexpected(error)
        terminal.error(defect.message, defect.hint)
        return EXEC_FAILED if child else 1


def _answered(arguments: Sequence[str], terminal: Terminal, obj: object) -> int:
    given = plain.read(arguments) if obj is None else None
    if given is not None:
        return plain.answer(*given, terminal)
    from tokenctl.cli import program

    return program.run(arguments, terminal, obj)


def _command_of(arguments: Sequence[str]) -> str | None:
    """Return the word that is the command: the first one that is neither an option nor the value of one."""
    words = iter(arguments)
    for word in words:
        if not word.startswith("-"):
            return word
        if word in ("--profile", "--config") or re.fullmatch("-[vq]*p", word):
            next(words, None)
    return None


def main(words: Sequence[str], conversation: "Conversation | None" = None) -> NoReturn:
    """Run the program with the words of the command line, and end the process."""
    try:
        status = run(words, conversation=conversation)
    except KeyboardInterrupt:  # another Ctrl-C, while the first one was reported
        status = INTERRUPTED
    # All is done. One more Ctrl-C ends the process; and the process ends without taking the interpreter apart first,
    # which would cost a tenth of a fresh `token`.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, TokenctlError):  # a failure was reported when it was written
            if stream is not None:
                stream.flush()
    os._exit(status)
