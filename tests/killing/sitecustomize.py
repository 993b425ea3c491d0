"""On PYTHONPATH of a process under test: counts what the process is about to change, and kills it before the k-th time.

`KILL_AT=worker:3` is the third change by the worker, `KILL_AT=caller:3` by the one that starts it; with
`KILL_WITH=EAGAIN` the change fails instead, for want of memory or processes; `KILL_PID` names another process to kill.
`KILL_LOG` names a file that gets a line for each: who, what, and which file (or `server`). `KILL_BELOW` lists the
folders that matter.
Python tells of what it does by audit events; only those that change something count, because between two of them
one moment is like the other. Nothing of tokenctl is touched.
"""

import errno
import os
import re
import signal
import sys
from typing import Any

ROLE = "worker" if "tokenctl.broker.worker" in sys.orig_argv else "caller"
KILLED = "killed"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Counter:
    """Counts the points of one process."""

    def __init__(self, folders: list[str], log: str | None, fatal: int) -> None:
        self._folders = folders
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if log else None
        self._fatal = fatal
        self._count = 0

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Be told of an audit event, before it takes place."""
        if event == "open" and arguments[2] & _WRITING:
            self._about("write", arguments[0])
        elif event == "os.rename":
            self._about("rename", arguments[1])
        elif event == "os.remove":
            self._about("remove", arguments[0])
        elif event == "os.mkdir" and not os.path.lexists(arguments[0]):
            self._about("mkdir", arguments[0])
        elif event == "os.truncate":
            self._about("truncate", arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._point("connect", "server")
        elif event == "subprocess.Popen" and "tokenctl.broker.worker" in arguments[1]:
            self._point("start", "worker")
            _bring_in(arguments[1])
            self._watch_pipe()

    def _watch_pipe(self) -> None:
        """The errand goes through a pipe, of which no audit event tells."""
        import subprocess

        popen: Any = subprocess.Popen
        communicate = popen.communicate

        def watched(worker: Any, *arguments: Any, **named: Any) -> Any:
            self._point("tell", "worker")
            return communicate(worker, *arguments, **named)

        popen.communicate = watched

    def _about(self, what: str, path: object) -> None:
        if isinstance(path, (str, os.PathLike)):
            text = os.fspath(path)
            if any(text.startswith(folder) for folder in self._folders):
                name = re.sub(r"[.][0-9a-f]{16}(?=[.]|$)", "", os.path.basename(text))  # the session's id
                self._point(what, re.sub(r"[.][0-9a-f]{12}$|[.][0-9]+$", ".new", name))

    def _point(self, what: str, name: str) -> None:
        self._count += 1
        fatal = self._count == self._fatal
        if self._log is not None:
            os.write(self._log, f"{ROLE} {what} {name}{f' {KILLED}' if fatal else ''}\n".encode())
        if fatal and os.environ.get("KILL_WITH") == "EAGAIN":
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        if fatal:
            os.kill(int(os.environ.get("KILL_PID") or os.getpid()), signal.SIGKILL)


def _bring_in(words: list[str]) -> None:
    """Let the worker run this file too: it takes no `sitecustomize` of PYTHONPATH."""
    at = words.index("-c") + 1
    words[at] = f"import runpy; runpy.run_path({__file__!r}); {words[at]}"


def _install() -> None:
    role, _, number = os.environ.get("KILL_AT", "").partition(":")
    folders = os.environ.get("KILL_BELOW")
    if folders:
        counter = _Counter(
            folders.split(os.pathsep), os.environ.get("KILL_LOG"), int(number or 0) if role == ROLE else 0
        )
        sys.addaudithook(counter.heard)


_install()
