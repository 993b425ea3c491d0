"""The child process: find its program, and replace this process by it."""

import os
import signal
import stat
import sys
from dataclasses import dataclass, field
from typing import NoReturn

from tokenctl.adapters import private_process
from tokenctl.errors import TokenctlError

if sys.platform == "win32":
    import subprocess


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A command to run: its program file, the words of its command line, and its environment with the token."""

    program: str
    words: tuple[str, ...]
    environ: dict[str, str] = field(repr=False)


class NotFound(TokenctlError):
    """There is no such command."""

    exit_status = 127


class NotExecutable(TokenctlError):
    """The command exists and cannot be run."""

    exit_status = 126


def find_program(name: str, path: str) -> str:
    """Find a command's file as the shell does, except that empty and relative folders of PATH are ignored.

    So a program in the current directory is never run by accident. Raises NotFound or NotExecutable.
    """
    if not name:
        raise NotFound("there is no command '': its name is empty")
    if os.sep in name or (os.altsep and os.altsep in name):
        candidates = [name]
    else:
        endings = os.environ.get("PATHEXT", "").split(os.pathsep) if os.name == "nt" else []
        folders = [each for each in path.split(os.pathsep) if os.path.isabs(each)]
        candidates = [os.path.join(folder, name + ending) for folder in folders for ending in ("", *endings)]
    existing = [each for each in candidates if os.path.exists(each)]
    for each in existing:
        if stat.S_ISREG(os.stat(each).st_mode) and os.access(each, os.X_OK):
            return each
    if existing and os.path.isdir(existing[0]):
        raise NotExecutable(f"{existing[0]} is a folder, not a command")
    if existing:
        raise NotExecutable(f"{existing[0]} is not executable", hint="run chmod +x, or run it with its interpreter")
    raise NotFound(f"there is no command {name!r}", hint=None if candidates == [name] else "it is in no folder of PATH")


def replace_process(child: Child) -> NoReturn:
    """Replace this process by the child, which then gets the signals and the terminal. Raises NotExecutable."""
    if sys.stdout is not None:
        sys.stdout.flush()
    try:
        if sys.platform == "win32":  # execve on Windows returns at once and loses the exit status
            sys.exit(
                subprocess.run(list(child.words), executable=child.program, env=child.environ, check=False).returncode
            )
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and the child would inherit that
            signal.signal(number, signal.SIG_DFL)
        with private_process.callers_core_limit():
            os.execve(child.program, list(child.words), child.environ)  # noqa: S606 (there is no shell on purpose)
    except OSError as reason:
        raise NotExecutable(
            f"{child.program} cannot be run: {reason.strerror}",
            hint="a script needs a first line such as #!/bin/sh" if "format" in str(reason.strerror) else None,
        ) from None
