"""A client of a helper: it calls the real program, and sees what it wrote, how it ended and what it had to load."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.commandline import LONG, Home

_PROBE = """
import os, sys
def leave(status, leave=os._exit):
    with open(os.environ["PROBE"], "w") as file:
        file.write(" ".join(sys.modules))
    leave(status)
os._exit = leave
from tokenctl.__main__ import main
main()
"""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a helper answered; `modules` are those that it had loaded in the end."""

    status: int
    out: bytes
    err: str
    modules: frozenset[str]

    @property
    def is_quick(self) -> bool:
        """Tell whether the fast way gave the answer: no part of the ordinary way is loaded."""
        return not self.modules & {"tokenctl.cli.main", "tokenctl.runtime", "tokenctl.config", "click", "keyring"}


def call(home: Home, *words: str, stdin: bytes = b"", environ: Mapping[str, str] = {}) -> Answered:
    """Call `tokenctl helper` with the words."""
    report = home.folder / f"modules.{os.urandom(4).hex()}"
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", _PROBE, "helper", *words],
        env={**home.environ, **environ, "PROBE": str(report)},
        cwd=home.folder,
        input=stdin,
        capture_output=True,
        timeout=LONG,
        check=False,
    )
    modules = frozenset(report.read_text().split()) if report.exists() else frozenset[str]()
    report.unlink(missing_ok=True)
    return Answered(status=done.returncode, out=done.stdout, err=done.stderr.decode(), modules=modules)


def git(host: str, *more: str, scheme: str = "https") -> bytes:
    """What git asks: `more` are further lines."""
    return "".join(f"{line}\n" for line in (f"protocol={scheme}", f"host={host}", *more, "")).encode()
