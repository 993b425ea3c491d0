"""A real git, a server of repositories that checks what git sends, and a HOME that is signed in and set up for both."""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.faulty_server import FaultyServer
from tests.servers.loopback import Connection, Listener, Served
from tests.support.commandline import LONG, Home, Result
from tests.support.flows import refreshes
from tests.support.real_parts import Missing, program
from tokenctl.handoff.clients import git
from tokenctl.handoff.clients.wanted import Wanted

HELPER = Path(sys.executable).with_name("git-credential-tokenctl")
_HEAD = "0123456789012345678901234567890123456789"
_FILES = {"/r.git/info/refs": f"{_HEAD}\trefs/heads/main\n", "/r.git/HEAD": "ref: refs/heads/main\n"}
_ASKED = (
    '#!/bin/sh\necho "askpass: $*" >&2\ncase $1 in Username*) echo askpass-user;; *) echo askpass-password;; esac\n'
)


class Repositories(Served):
    """A server of one repository, by the dumb protocol, for who has a token that the authorization server knows.

    `sent` has what came as `Authorization`: the token as it is, or the user name and the token.
    """

    def __init__(self, server: FaultyServer) -> None:
        self.sent: list[str] = []
        repositories = self

        class Asking(Connection):
            def do_GET(self) -> None:
                scheme, _, value = self.headers.get("Authorization", "").partition(" ")
                sent = b64decode(value).decode() if scheme == "Basic" else value
                if sent:
                    repositories.sent.append(sent)
                user, _, token = sent.partition(":")
                known = server.sessions.access_claims(token) is not None and user == "oauth2"
                content = _FILES.get(self.path.partition("?")[0], "") if known else ""
                self.send_response(200 if content else 404 if known else 401)
                if not known:
                    self.send_header("WWW-Authenticate", 'Basic realm="repositories"')
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content.encode())

        self.listener = Listener(Asking)
        self.host = f"127.0.0.1:{self.listener.server_port}"


class GitWorld:
    """Profile `t` is bound to the repositories, and git asks it; then git asks a helper that gives what nobody takes.

    `passed_on` is the log of that one: a line for each call.
    """

    def __init__(self, home: Home, server: FaultyServer, repositories: Repositories) -> None:
        self.home = home
        self.server = server
        self.host, self.sent = repositories.host, repositories.sent
        self.url = f"http://{self.host}/r.git"
        self.next = self._script(
            "next", f'#!/bin/sh\necho "$1" >> {home.folder}/passed-on\n[ "$1" != get ] || echo quit=1\n'
        )
        self.askpass = self._script("askpass", _ASKED)
        config = home.folder / ".gitconfig"
        config.write_text(f"[credential]\n\thelper = store\n[core]\n\taskPass = {self.askpass}")
        wanted = Wanted(
            origin=f"http://{self.host}",
            profile="t",
            program=HELPER.with_name("tokenctl"),
            folder=home.folder,
            file=config,
        )
        config.write_text(git.added(config.read_text(), wanted))
        self.environ = {name: value for name, value in home.environ.items() if not name.startswith("GIT_")} | {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def _script(self, name: str, content: str) -> Path:
        path = self.home.folder / name
        path.write_text(content)
        path.chmod(0o700)
        return path

    @property
    def refreshes(self) -> int:
        """How often the refresh token was presented."""
        return refreshes(self.server)

    @property
    def passed_on(self) -> list[str]:
        """What the next helper was asked."""
        log = self.home.folder / "passed-on"
        return log.read_text().split() if log.exists() else []

    def forget(self) -> None:
        """Forget what was sent, and what was passed on."""
        self.sent.clear()
        (self.home.folder / "passed-on").unlink(missing_ok=True)

    def git(self, *words: str) -> Result:
        """Run git to its end."""
        return self.run(["git", "-c", f"credential.helper={self.next}", *words])

    def credential(self, verb: str, stdin: str, *options: str) -> Result:
        """Run `git credential`, with our helper alone, as git's own tests of helpers do."""
        only = ["-c", "credential.helper=", "-c", f"credential.helper={HELPER}", *options]
        return self.run(["git", *only, "credential", verb], stdin, {"GIT_CONFIG_GLOBAL": "/dev/null"})

    def helper(self, verb: str, stdin: str) -> Result:
        """Run our helper as git does."""
        return self.run([str(HELPER), verb], stdin)

    def run(self, command: list[str], stdin: str = "", more: Mapping[str, str] = {}) -> Result:
        """Run a command in this world."""
        environ = self.environ | {"GIT_ASKPASS": str(self.askpass)} | dict(more)
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=environ, cwd=self.home.folder, timeout=LONG
        )
        return Result(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    @property
    def token(self) -> str:
        """The token of the profile."""
        return self.home.run("token", "-p", "t").stdout.strip()


@contextmanager
def git_world(home: Home, server: FaultyServer) -> Iterator[GitWorld]:
    """Sign in, bind the repositories, and set git up. Raises Missing."""
    program("git")
    if not HELPER.exists():
        raise Missing(f"no {HELPER.name} beside the interpreter")
    with Repositories(server) as repositories:
        assert home.login(server.issuer).status == 0
        bound = home.run("profile", "set", "t", f"hosts+=http://{repositories.host}")
        assert bound.status == 0, bound.stderr
        yield GitWorld(home, server, repositories)
