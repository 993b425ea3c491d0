"""The person's browser: find out whether there is one, and open a URL in it."""

import shutil
import subprocess
import sys
from collections.abc import Mapping

from tokenctl.model.secret_variables import without_secrets


class Browser:
    """The browser of the person at this machine."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    @property
    def present(self) -> bool:
        """Tell whether a browser that the person sees can be opened from here."""
        return self.why_absent is None

    @property
    def why_absent(self) -> str | None:
        """Say why no browser can be opened from here; None where one can."""
        environ = self._environ
        if environ.get("BROWSER"):
            return None
        for name in ("CI", "SSH_CONNECTION", "SSH_TTY"):
            if environ.get(name):
                return f"{name} is set"
        if sys.platform in ("win32", "darwin"):
            return None
        found = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY") or shutil.which("wslview")
        return None if found else "there is no display"

    def open(self, url: str) -> None:
        """Open the URL. A failure is not reported: the URL is on the terminal too.

        The browser starts from its own process, so it can write to stdout, and run for long, without disturbing this
        one. `-I` isolates that process, so that Python loads no `webbrowser.py` from the current directory.
        """
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "webbrowser", url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=without_secrets(self._environ),
            start_new_session=True,
        )
        process.returncode = 0  # Popen would warn about a process that still runs: a browser can run for days
