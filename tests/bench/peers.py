"""Programs like this one, each set up to print a token of its own that is fresh: what `speed.py` compares with.

A peer that is not installed is left out, with the reason. What it needs lies in a folder of its own and ends with the
stack.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.faulty_server import FaultyServer
from tokenctl.demo.sessions import Grant, Session

PATIENCE = 60.0
"""Seconds until a peer must be ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A command to measure.

    It runs in each `every`-th round, and not before `rest` seconds have passed since its last run.
    """

    name: str
    words: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    status: int = 0
    every: int = 1
    rest: float = 0
    stdin: Path = Path(os.devnull)


class Absent(Exception):
    """A peer cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a case may use: an interpreter, a folder, the environment, the server, and a stack that ends things."""

    python: str
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    server: FaultyServer
    stack: ExitStack


def refresh_token(server: FaultyServer) -> str:
    """Make a session at the server and return its refresh token."""
    scope = ("openid", "offline_access")
    grant = Grant(client_id="tokenctl-demo", subject="user-ada", scope=scope, auth_time=int(time.time()))
    token: str = server.sessions.issue_tokens(Session(grant=grant))["refresh_token"]
    return token


def gh(stage: Stage) -> Case:
    """The token is in a plain file."""
    (stage.folder / "gh").mkdir()
    (stage.folder / "gh" / "hosts.yml").write_text("github.com:\n    oauth_token: gho_x\n    user: x\n")
    environ = {**stage.environ, "GH_CONFIG_DIR": str(stage.folder / "gh")}
    return Case(name="gh auth token", words=(_program("gh"), "auth", "token"), environ=environ)


def secret_tool(stage: Stage) -> Case:
    """The entry is tokenctl's own, of its profile `t`."""
    words = (_program("secret-tool"), "lookup", "service", "tokenctl:t", "username", "session")
    return Case(name="secret-tool lookup", words=words, environ=stage.environ)


def oidc_token(stage: Stage) -> Case:
    """An agent of its own has the session in memory and answers through a socket."""
    folder = stage.folder / "oidc-agent"
    folder.mkdir(mode=0o700)
    program, generate = _program("oidc-token"), _program("oidc-gen")
    environ = {**stage.environ, "OIDCDIR": str(folder), "OIDC_SOCK": str(folder / "socket"), "OIDC_ENCRYPTION_PW": "x"}
    agent = subprocess.Popen(
        [_program("oidc-agent"), "--console", f"--socket-path={folder / 'socket'}"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stage.stack.callback(agent.wait)
    stage.stack.callback(agent.terminate)
    ends = time.monotonic() + PATIENCE
    while not (folder / "socket").exists():
        if agent.poll() is not None or time.monotonic() > ends:
            raise Absent("not measured: oidc-agent does not start here")
        time.sleep(0.05)
    words = [generate, "t", "--manual", f"--iss={stage.server.issuer}", "--client-id=tokenctl-demo", "--client-secret="]
    words += ["--scope=openid offline_access", "--redirect-uri=http://localhost:4242", "--rt-env", "--pw-env"]
    made = subprocess.run(
        [*words, "--prompt=none", "--confirm-yes"],
        env=environ | {"OIDC_REFRESH_TOKEN": refresh_token(stage.server)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    if made.returncode:
        raise Absent("not measured: oidc-gen refuses the demo server")
    return Case(name="oidc-token", words=(program, "t"), environ=environ)


def gcloud(stage: Stage) -> Case:
    """The token is in a variable, which costs it least. It takes long, so it runs in few rounds."""
    environ = {
        **stage.environ,
        "CLOUDSDK_CONFIG": str(stage.folder / "gcloud"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "x",
        "CLOUDSDK_PYTHON": stage.python,  # the first one on PATH may be a version manager's
    }
    words = (_program("gcloud"), "auth", "print-access-token")
    return Case(name="gcloud auth print-access-token", words=words, environ=environ, every=5)


PEERS: Mapping[str, Callable[[Stage], Case]] = {
    "gh auth token": gh,
    "secret-tool lookup": secret_tool,
    "oidc-token": oidc_token,
    "gcloud auth print-access-token": gcloud,
}


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Absent("not installed")
    return os.path.realpath(found)
