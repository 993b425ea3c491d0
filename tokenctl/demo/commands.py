"""How the tour runs the real commands: shown as a person would type them, in a temporary folder.

What a command writes to stderr goes to stdout here: the whole tour is the answer of `demo`, in one order.
"""

import contextlib
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from tokenctl.adapters.signals import postponed
from tokenctl.errors import TokenctlError

WIDTH = 78  # columns
TIMEOUT = 60  # seconds
_COMMAND = (sys.executable, "-P", "-m", "tokenctl")  # -P: no file in the current directory can replace the package


class Commands:
    """Commands in one folder and environment. Each raises TokenctlError when it ends with an unexpected exit status."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *, bold: bool) -> None:
        self._folder = folder
        self._environ = environ
        self._bold = bold

    def step(self, heading: str, text: str) -> None:
        """Print what comes next, and why."""
        print()
        self._heading(heading)
        say(text)

    def show(self, *words: str) -> None:
        """Print a command as a person would type it, each long option on a line of its own."""
        self._heading("$ " + re.sub(r" (?=--\w)", r" \\\n    ", shlex.join(["tokenctl", *words])))

    def run(self, *words: str, expected: int = 0) -> None:
        """Show a command and run it. Its output appears as it comes."""
        self.show(*words)
        with self._started(*words, stderr=sys.stdout.fileno()) as process:
            process.wait()
        _expect(words, process.returncode, expected)

    def outputs(self, *words: str, processes: int = 1) -> list[str]:
        """Run a command in several processes at the same time, and return what each one printed."""
        with contextlib.ExitStack() as stack:
            one = partial(self._started, *words, stdout=subprocess.PIPE, stderr=sys.stdout.fileno())
            started = [stack.enter_context(one()) for _ in range(processes)]
            printed = [process.communicate(timeout=TIMEOUT)[0].strip() for process in started]
        for process in started:
            _expect(words, process.returncode, 0)
        return printed

    def sign_in(self, issuer: str, *words: str) -> None:
        """Show a login and run it. Open the address that it prints and approve there, as a person would."""
        self.show(*words)
        with self._started(*words, stderr=subprocess.PIPE) as login:
            for line in login.stderr or ():
                print(line, end="", flush=True)
                if line.startswith(issuer):
                    request_status(line.strip(), form={"decision": "approve"})
        _expect(words, login.returncode, 0)

    def _heading(self, text: str) -> None:
        print(f"\x1b[1m{text}\x1b[0m" if self._bold else text, flush=True)

    @contextlib.contextmanager
    def _started(
        self, *words: str, stdout: int | None = None, stderr: int | None = None
    ) -> Iterator["subprocess.Popen[str]"]:
        """Start a command. When the block fails, or a signal ends the demo in it, the command is killed."""
        with contextlib.ExitStack() as stack:
            with postponed():  # a signal between the start and the next line would leave the command running
                process = subprocess.Popen(
                    [*_COMMAND, *words],
                    env=self._environ,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    text=True,
                )
                stack.enter_context(process)
                stack.push(lambda kind, *_: process.kill() if kind else None)
            yield process


def _expect(words: tuple[str, ...], status: int, expected: int) -> None:
    if status != expected:
        print(flush=True)  # raises when the reader of stdout has gone: that is the reason then
        raise TokenctlError(
            f"'tokenctl {words[0]}' ended with exit status {status}, not {expected}",
            hint="please report this: the demo must always work",
        )


def say(text: str) -> None:
    """Print a paragraph."""
    print(textwrap.fill(text, WIDTH), flush=True)


def temporary_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Make an environment in which tokenctl uses only a folder, which needs a file `passphrase`; no keyring."""
    foreign = ("TOKENCTL_", "PYTHON_KEYRING", "KEYRING_", "_TOKENCTL")
    # With CI set no person's session is given without its name, and the demo's person is not the job's.
    return {name: value for name, value in environ.items() if name != "CI" and not name.startswith(foreign)} | {
        "TOKENCTL_CONFIG": str(folder / "config.toml"),
        "TOKENCTL_STATE_DIR": str(folder / "state"),
        "TOKENCTL_STORE": "file",
        "TOKENCTL_PASSPHRASE_FILE": str(folder / "passphrase"),
    }


def request_status(url: str, *, form: Mapping[str, str] | None = None, access_token: str | None = None) -> int:
    """Send a GET request, or post a form, with an access token or without; follow redirects; return the status."""
    headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
    body = urlencode(form).encode() if form is not None else None
    try:
        with build_opener(ProxyHandler({})).open(Request(url, body, headers), timeout=TIMEOUT) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
