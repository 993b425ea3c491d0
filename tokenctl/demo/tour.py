"""The tour: the real commands begin a session, use it, renew it and end it, in a few seconds.

The authorization server is the demo's own. Config, state and the encrypted store are in a temporary folder, which is
deleted at the end. The tour does not touch the person's own keyring, config and environment.
"""

import contextlib
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.commands import Commands, request_status, say, temporary_environment
from tokenctl.demo.http_server import DemoServer
from tokenctl.demo.sessions import Sessions
from tokenctl.errors import TokenctlError
from tokenctl.storage.lock import exclusive

PROFILE = ("-p", "demo")
SHORTEST_LIFETIME = 3
"""Seconds that an access token of the tour lives, at least. The tour waits until one has expired."""
PROCESSES = 4

_HELLO = """\
import os, urllib.request
request = urllib.request.Request(os.environ["API"], headers={"Authorization": "Bearer " + os.environ["ACCESS_TOKEN"]})
print("the API answers:", urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read().decode().strip())
"""


def run(*, bold: bool) -> None:
    """Run the tour once. `bold` marks headings and commands. Raises TokenctlError when a command fails."""
    began = time.monotonic()
    sessions = Sessions()
    with (
        tempfile.TemporaryDirectory(prefix="tokenctl-demo-") as name,
        _renewal_awaited(folder := Path(name)),
        DemoServer(AuthorizationServer(sessions)) as server,
    ):
        for file, text in (("config.toml", ""), ("passphrase", os.urandom(16).hex()), ("hello.py", _HELLO)):
            (folder / file).write_text(text)
        api = f"{server.issuer}/api/hello"
        commands = Commands(folder, temporary_environment(os.environ, folder) | {"API": api}, bold=bold)
        sessions.access_token_lifetime = _lifetime(commands)
        say(
            f"An authorization server for this demo runs at {server.issuer}."
            f" Its access tokens live {sessions.access_token_lifetime} seconds."
        )
        _sign_in_and_use(commands, server.issuer)
        _renew(commands, sessions)
        _sign_out(commands, api)
    print()
    say(
        f"The demo took {time.monotonic() - began:.0f} seconds. It left nothing behind, and it did not touch your own keyring."
    )
    print("To try the commands by hand, run 'tokenctl demo --serve'.")
    print("To sign in at your own server,\nrun 'tokenctl login -p work --issuer URL --client-id ID'.")


def _lifetime(commands: Commands) -> int:
    """Choose how long access tokens live: on a busy machine a program takes seconds to start, and then uses its token."""
    began = time.monotonic()
    commands.outputs("--version")
    return max(SHORTEST_LIFETIME, math.ceil(18 * (time.monotonic() - began)))


@contextlib.contextmanager
def _renewal_awaited(folder: Path) -> Iterator[None]:
    """When the tour fails or is ended, wait for a renewal that still runs: it would write into the folder again."""
    try:
        yield
    except BaseException:
        lock = folder / "state" / PROFILE[1] / "lock"
        with contextlib.suppress(TokenctlError), exclusive(lock) if lock.exists() else contextlib.nullcontext():
            pass
        raise


def _sign_in_and_use(commands: Commands, issuer: str) -> None:
    commands.step(
        "1. Sign in, once",
        "The command prints an address for your browser. In this demo no browser opens: the demo visits the address"
        " itself and approves. The server sends a code back to this machine, and tokenctl exchanges it for tokens.",
    )
    client = ("--issuer", issuer, "--client-id", "tokenctl-demo", "--scope", "openid offline_access api")
    commands.sign_in(issuer, "login", *PROFILE, *client, "--no-browser")
    commands.step(
        "2. Look at the session",
        "You see who is signed in, where, and for how long. A token is never shown, only its fingerprint.",
    )
    commands.run("show", *PROFILE)
    commands.step(
        "3. Give a program a token",
        "exec puts a fresh access token into the program's environment. The program never gets the refresh token.",
    )
    commands.run("exec", *PROFILE, "--", sys.executable, "hello.py")


def _renew(commands: Commands, sessions: Sessions) -> None:
    commands.step(
        f"4. Let the access token expire, then ask from {PROCESSES} processes at once",
        "A refresh token works once. If two processes use the same one, the server ends the session."
        " So one process renews, and the others wait and get the same new access token.",
    )
    time.sleep(sessions.access_token_lifetime)
    before = sessions.rotations
    commands.show("token", *PROFILE)
    tokens = commands.outputs("token", *PROFILE, processes=PROCESSES)
    print(f"processes: {PROCESSES}; different access tokens: {len(set(tokens))}")
    renewals, reused = sessions.rotations - before, sessions.reuse_detections
    print(f"renewals at the server: {renewals}; refresh tokens used twice: {reused}")


def _sign_out(commands: Commands, api: str) -> None:
    commands.step(
        "5. Sign out",
        "The server revokes the refresh token and the access token. Then tokenctl deletes them on this machine.",
    )
    (token,) = commands.outputs("token", *PROFILE)
    commands.run("revoke", *PROFILE)
    status = request_status(api, access_token=token)
    print(f"the API answers {status} to the last access token (401 means: refused)")
    print("nobody is signed in now, so the next command fails:")
    commands.run("token", *PROFILE, expected=4)
