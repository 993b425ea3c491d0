"""The child process: finding its program, and becoming it."""

import os
import signal
import stat
import sys
from dataclasses import dataclass, field
from typing import NoReturn

from tokenctl.errors import TokenctlError

if sys.platform == "win32":
    import subprocess


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A command to run: its program's file, the words of its command line, and its environment with the token in it."""

    program: str
    words: tuple[str, ...]
    environ: dict[str, str] = field(repr=False)


class NotFound(TokenctlError):
    """There is no such command."""

    exit_status = 127


class NotExecutable(TokenctlError):
    """The command is there and cannot be run."""

    exit_status = 126


def find_program(name: str, path: str) -> str:
    """Find a command's file once, as the shell does, but never in the current directory by accident.

    Empty and relative entries of PATH are passed over. Raises NotFound or NotExecutable.
    """
    if not name:
        raise NotFound("there is no command '': its name is empty")
    if os.sep in name or (os.altsep and os.altsep in name):
        candidates = [name]
    else:
        endings = os.environ.get("PATHEXT", "").split(os.pathsep) if os.name == "nt" else []
        folders = [each for each in path.split(os.pathsep) if os.path.isabs(each)]
        candidates = [os.path.join(folder, name + ending) for folder in folders for ending in ("", *endings)]
    there = [each for each in candidates if os.path.exists(each)]
    for each in there:
        if stat.S_ISREG(os.stat(each).st_mode) and os.access(each, os.X_OK):
            return each
    if there:
        raise NotExecutable(f"{there[0]} is not executable", hint="chmod +x it, or run it with its interpreter")
    raise NotFound(f"there is no command {name!r}", hint=None if candidates == [name] else "it is in no folder of PATH")


def become(child: Child) -> NoReturn:
    """Replace this process by the child: signals, terminal and exit status are the child's own.

    Raises NotExecutable.
    """
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        if sys.platform == "win32":  # there execve returns at once and loses the exit status
            sys.exit(
                subprocess.run(list(child.words), executable=child.program, env=child.environ, check=False).returncode
            )
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and that would be inherited
            signal.signal(number, signal.SIG_DFL)
        os.execve(child.program, list(child.words), child.environ)  # noqa: S606 (no shell is the point)
    except OSError as reason:
        raise NotExecutable(
            f"{child.program} cannot be run: {reason.strerror}",
            hint="a script needs a first line such as #!/bin/sh" if "format" in str(reason.strerror) else None,
        ) from None
