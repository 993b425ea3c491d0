"""The play: the whole life of a session in a few seconds, by the real commands, in a throw-away store.

The server is ours, on loopback; config, state and the encrypted store are in a temporary folder that
goes when the play ends. The person's own keyring, config and environment are not touched.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from tokenctl.adapters.signals import postponed
from tokenctl.demo.http_server import DemoServer
from tokenctl.errors import TokenctlError
from tokenctl.storage.lock import exclusive

PROFILE = "demo"
ACCESS_TOKEN_LIFETIME = 3
RACERS = 4
WIDTH = 78
_COMMAND = (sys.executable, "-P", "-m", "tokenctl")  # -P: a file in the current directory must not take its place

_HELLO = """\
import os, urllib.request
request = urllib.request.Request(os.environ["API"], headers={"Authorization": "Bearer " + os.environ["ACCESS_TOKEN"]})
print("the API answers:", urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read().decode().strip())
"""


class Play:
    """The stage: a server, a throw-away folder, and a way to show a command and run it."""

    def __init__(self, server: DemoServer, folder: Path, colour: bool) -> None:
        self.server = server
        self._folder = folder
        self._colour = colour
        for name, text in (("config.toml", ""), ("passphrase", os.urandom(16).hex()), ("hello.py", _HELLO)):
            (folder / name).write_text(text)
        self._environ = throw_away_environment(os.environ, folder) | {"API": f"{server.issuer}/api/hello"}

    def say(self, heading: str, text: str) -> None:
        """Say what comes next, and why."""
        print(f"\n{self._bold(heading)}\n{textwrap.fill(text, WIDTH)}", flush=True)

    def show(self, *words: str) -> None:
        """Show a command as one would type it."""
        print(self._bold(f"$ {shlex.join(words)}"), flush=True)

    def run(self, *words: str, expected: int = 0) -> None:
        """Show a command and run it, its output as it comes."""
        self.show("tokenctl", *words)
        with self._started(*words) as process:
            process.wait()
        self._expect(process.returncode, expected)

    def read(self, *words: str, processes: int = 1) -> list[str]:
        """Run a command in several processes at once and return what each printed."""
        with contextlib.ExitStack() as stack:
            started = [stack.enter_context(self._started(*words, stdout=subprocess.PIPE)) for _ in range(processes)]
            printed = [process.communicate(timeout=60)[0].strip() for process in started]
        for process in started:
            self._expect(process.returncode, 0)
        return printed

    def sign_in(self, *words: str) -> None:
        """Run a login, and be the browser: open the address it prints, and follow where it leads."""
        self.show("tokenctl", *words)
        with self._started(*words, stderr=subprocess.PIPE) as login:
            assert login.stderr is not None
            for line in login.stderr:
                print(line, end="", flush=True)
                if line.startswith(self.server.issuer):
                    fetch(line.strip())
        self._expect(login.returncode, 0)

    @contextlib.contextmanager
    def _started(
        self, *words: str, stdout: int | None = None, stderr: int | None = None
    ) -> Iterator["subprocess.Popen[str]"]:
        """Start a command; should the block fail, or the demo be ended in it, the command does not go on alone."""
        with contextlib.ExitStack() as stack:
            with postponed():  # not between its start and our knowing of it
                process = stack.enter_context(
                    subprocess.Popen(
                        [*_COMMAND, *words],
                        env=self._environ,
                        cwd=self._folder,
                        stdin=subprocess.DEVNULL,
                        stdout=stdout,
                        stderr=stderr,
                        text=True,
                    )
                )
                stack.push(lambda kind, *_: process.kill() if kind else None)
            yield process

    def _expect(self, status: int, expected: int) -> None:
        if status != expected:
            print(flush=True)  # when nobody reads any more, that is the reason, and said here
            raise TokenctlError(
                f"the demo's command ended with {status}, not {expected}",
                hint="please report this: the demo must always work",
            )

    def _bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self._colour else text


def throw_away_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Make an environment in which tokenctl meets nothing of the person's own."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("TOKENCTL_", "PYTHON_KEYRING", "KEYRING_", "_TOKENCTL"))
    }
    return kept | {
        "TOKENCTL_CONFIG": str(folder / "config.toml"),
        "TOKENCTL_STATE_DIR": str(folder / "state"),
        "TOKENCTL_STORE": "file",
        "TOKENCTL_PASSPHRASE_FILE": str(folder / "passphrase"),
    }


def fetch(url: str, access_token: str | None = None) -> int:
    """Get a page, as a browser would or with a bearer token, and return its status."""
    headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
    try:
        with build_opener(ProxyHandler({})).open(Request(url, headers=headers), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def perform(colour: bool) -> None:
    """Play the whole life once. Raises TokenctlError should a scene not go as it must."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="tokenctl-demo-") as name,
        _until_settled(Path(name)),
        DemoServer(access_token_lifetime=ACCESS_TOKEN_LIFETIME, auto_approve=True) as server,
    ):
        play = Play(server, Path(name), colour)
        print(
            f"An authorization server of our own runs at {server.issuer}; its access tokens live {ACCESS_TOKEN_LIFETIME} seconds."
        )
        _scenes(play, server)
    print(
        f"\nThat was all of it, in {time.monotonic() - began:.0f} seconds. Nothing was left behind; your own keyring was not touched."
    )
    print("Next: 'tokenctl demo --serve' to try it by hand,\nor 'tokenctl login -p work --issuer URL --client-id ID'.")


@contextlib.contextmanager
def _until_settled(folder: Path) -> Iterator[None]:
    """When the play is cut off, wait for a renewal that outlives its command: it would write into the folder again."""
    try:
        yield
    except BaseException:
        lock = folder / "state" / PROFILE / "lock"
        with contextlib.suppress(TokenctlError), exclusive(lock) if lock.exists() else contextlib.nullcontext():
            pass
        raise


def _scenes(play: Play, server: DemoServer) -> None:
    play.say(
        "1. Sign in, once",
        "The address opens in your browser; in this demo we are the browser. Code and PKCE come back to this machine.",
    )
    play.sign_in(
        "login",
        "-p",
        PROFILE,
        "--issuer",
        server.issuer,
        "--client-id",
        "tokenctl-demo",
        "--scope",
        "openid offline_access api",
        "--no-browser",
    )

    play.say("2. Look at the session", "Who, where, and for how long. A token is only ever shown as a fingerprint.")
    play.run("show", "-p", PROFILE)

    play.say(
        "3. Give a program a token",
        "exec puts a fresh access token into the program's environment, and never the refresh token.",
    )
    play.run("exec", "-p", PROFILE, "--", sys.executable, "hello.py")

    play.say(
        f"4. Let the token expire, then ask from {RACERS} processes at once",
        "Refresh tokens work once: two processes that use the same one lose the session. Here they take turns.",
    )
    time.sleep(ACCESS_TOKEN_LIFETIME)
    before = server.count("/token", "refresh_token")
    play.show("tokenctl", "token", "-p", PROFILE)
    tokens = play.read("token", "-p", PROFILE, processes=RACERS)
    refreshes = server.count("/token", "refresh_token") - before
    print(
        f"{RACERS} processes, {len(set(tokens))} token(s), {refreshes} refresh(es) at the server, {server.reuse_detections} reuse alarms"
    )

    play.say("5. Sign out", "The refresh token and the access token are revoked at the server, then forgotten here.")
    token = play.read("token", "-p", PROFILE)[0]
    play.run("revoke", "-p", PROFILE)
    print(
        f"the API, called with the last access token, answers {fetch(f'{server.issuer}/api/hello', token)} (401: refused)"
    )
    play.run("token", "-p", PROFILE, expected=4)
