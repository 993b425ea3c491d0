"""A command at a terminal of its own, and a person who answers what it asks."""

import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence

from tests.support.commandline import COMMAND, LONG, Home, Result

CTRL_C, CTRL_D = b"\x03", b"\x04"

Answer = bytes | Callable[[str], object]
"""What is typed; or what is done with all that was said so far."""


def attended(
    home: Home, *words: str, answers: Sequence[tuple[str, Answer]] = (), environ: Mapping[str, str] = {}
) -> Result:
    """Run a command at a terminal; each answer is given once its question has come up after the one before.

    What came to the terminal, stdout and stderr alike, is the result's `stderr`.
    """
    controller, terminal = os.openpty()
    seen, left, since = "", list(answers), 0
    with subprocess.Popen(
        ["setsid", "--ctty", *COMMAND, *words],
        env={**home.environ, "TERM": "dumb", "CI": "", **environ},
        cwd=home.folder,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        try:
            while part := _read(controller):
                seen += part.decode(errors="replace")
                while left and left[0][0] in seen[since:]:
                    question, answer = left.pop(0)
                    since = seen.index(question, since) + len(question)
                    if isinstance(answer, bytes):
                        os.write(controller, answer)
                    else:
                        answer(seen)
        except BaseException:
            process.kill()
            raise
        finally:
            os.close(controller)
    assert not left, f"it never asked {left[0][0]!r}: {seen}"
    return Result(status=process.returncode, stdout="", stderr=seen.replace("\r\n", "\n"))


def _read(controller: int) -> bytes:
    assert select.select([controller], [], [], LONG)[0], "it says nothing any more"
    try:
        return os.read(controller, 65536)
    except OSError:  # nobody has the terminal open any more
        return b""
