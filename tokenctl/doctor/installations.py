"""Check: every `tokenctl` on PATH, and which one runs."""

import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import tokenctl
from tokenctl.doctor.case import Case
from tokenctl.doctor.finding import Finding
from tokenctl.model.secret_variables import without_secrets

NAME = "installations"
PROGRAM = "tokenctl.exe" if sys.platform == "win32" else "tokenctl"
SECONDS = 10
"""Seconds in which all of them together have to say their versions."""
_VERSION = re.compile(r"\d[\w.+!-]{0,39}", re.ASCII)
"""What is shown of another program's answer (PEP 440 and more)."""


def look(case: Case) -> Iterator[Finding]:
    """Compare the versions: two of them take turns in a script and at the terminal, without a word."""
    environ = case.runtime.environ
    ends = time.monotonic() + SECONDS
    found = {path: _version(path, environ, ends) for path in on_path(environ.get("PATH", os.defpath))}
    listed = ", ".join(f"{path} ({version or 'version unknown'})" for path, version in found.items())
    more = {"on_path": {str(path): version for path, version in found.items()}}
    others = {version for version in found.values() if version not in (None, tokenctl.__version__)}
    if not found:
        yield Finding(check=NAME, status="ok", sentence="PATH has no tokenctl", more=more)
    elif others:
        yield Finding(
            check=NAME,
            status="warning",
            sentence=f"PATH has several versions, and the first one runs: {listed}",
            remedy="remove the ones that you do not need",
            more=more,
        )
    else:
        yield Finding(check=NAME, status="ok", sentence=f"PATH has {listed}", more=more)


def on_path(path: str) -> list[Path]:
    """List the commands of this name in the order of PATH; each file once. The current directory is left out."""
    found: dict[Path, Path] = {}
    for folder in path.split(os.pathsep):
        each = Path(folder) / PROGRAM
        if os.path.isabs(folder) and os.path.isfile(each) and os.access(each, os.X_OK):
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _version(path: Path, environ: Mapping[str, str], ends: float) -> str | None:
    """Ask a command for its version; None when it says none, or when somebody else could have put it there.

    `ends` is the deadline, in monotonic seconds.
    """
    if not all(map(_is_safe, (path.resolve(), path.resolve().parent, path.parent))):
        return None
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            (str(path), "--version"),
            env={**without_secrets(environ), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=max(0, ends - time.monotonic()),
            check=True,
        )
        name, _, version = done.stdout.decode(errors="replace").strip().partition(" ")
        return version if name == "tokenctl" and _VERSION.fullmatch(version) else None
    return None


def _is_safe(path: Path) -> bool:
    """Tell whether only this user and root can change what is at a path."""
    if os.name != "posix":
        return True
    with suppress(OSError):
        found = path.stat()
        return found.st_uid in (0, os.geteuid()) and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return False
