"""The person's browser: whether there is one, and opening it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping


class Browser:
    """The browser of the person at this machine."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def present(self) -> bool:
        """Tell whether a browser that the person sees can be opened from here."""
        environ = self._environ
        if environ.get("BROWSER"):
            return True
        if environ.get("CI") or environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
            return False
        if sys.platform in ("win32", "darwin"):
            return True
        return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY") or shutil.which("wslview"))

    def open(self, url: str) -> None:
        """Open the URL; should it fail, it is on the terminal anyway.

        In a process of its own, so that a browser that writes to stdout or does not come back disturbs
        nothing; isolated (-I), so that a file in the current directory cannot take its place.
        """
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "webbrowser", url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        process.returncode = 0  # nobody waits for it: a browser may run for days
