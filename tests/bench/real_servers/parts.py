"""What the servers share: what a server is, how one is installed, started and stopped."""

import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from tests.support.processes import marked

LOGIN = "alice"
PASSWORD = "correct-horse-battery-7"
SECRET = "a b+c%&é:/"
"""What careless encoding breaks."""
ASCII_SECRET = "a b+c%&e:/=?~"
"""For servers that take nothing else."""
SECONDS = 15
"""The life of an access token, in seconds, where the server lets us choose."""
STARTS_IN = 40.0


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client as the server knows it; `port` where the redirect URI is registered to the character."""

    client_id: str
    secret: str | None = None
    port: int | None = None
    scope: str = "openid offline_access"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A started server: what a person who wants to sign in there is told, and how one signs in."""

    issuer: str
    clients: Mapping[str, Client]
    """By what they are for: `public`, `confidential`, `device`, `machine`."""
    sign_in: Callable[[str], object]
    lives: int | None = SECONDS
    """How long an access token lives, in seconds; None where that cannot be chosen."""
    explains: bool = True
    """Whether the server says why it refuses a refresh token: else a dead session is exit 5, with what to do."""
    revokes: bool = True
    """Whether the server has a revocation endpoint: else `revoke` says so, and `--local` is what is left."""
    only_secrets_revoke: bool = False
    """Whether the server lets no public client revoke: the same then."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to have a server: install it into a cache folder, and start it with a folder of its own."""

    name: str
    install: Callable[[Path], str]
    """Returns the version."""
    start: Callable[[Path, Path], AbstractContextManager[Server]]
    """Takes the cache folder and a new folder for what the server writes."""


def python_packages(cache: Path, name: str, *requirements: str) -> Path:
    """Install packages into a virtual environment of the server's own, with pip as it is configured here."""
    folder = cache / name
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
        (folder / "complete").touch()
    return python


def python_version(python: Path, package: str) -> str:
    """Tell which version of a package that environment has."""
    return run([str(python), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"]).strip()


def node_packages(cache: Path, name: str, *packages: str) -> Path:
    """Install packages into a folder of the server's own, with npm as it is configured here."""
    folder = cache / name
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], cwd=folder)
        (folder / "complete").touch()
    return folder


def node_version(folder: Path, package: str) -> str:
    """Tell which version of a package that folder has."""
    script = f"console.log(JSON.parse(fs.readFileSync('node_modules/{package}/package.json')).version)"
    return run(["node", "-e", script], cwd=folder).strip()


def debian_packages(*packages: str) -> str:
    """Install packages of the system and tell the version of the first; they start nothing by themselves."""
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}\n", *packages]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    if answer.returncode or "not-installed" in answer.stdout:
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages], environ=environ)
    return run([*query[:4], packages[0]]).split()[1]


def run(
    words: Sequence[str], *, cwd: Path | None = None, environ: Mapping[str, str] | None = None, stdin: str = ""
) -> str:
    """Run a command of an installation; raises RuntimeError with what it said."""
    answer = subprocess.run(words, cwd=cwd, env=environ, input=stdin, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise RuntimeError(f"{' '.join(words)}: {answer.stdout[-2000:]}{answer.stderr[-2000:]}")
    return answer.stdout


def free_port() -> int:
    """Find a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def started(
    words: Sequence[str], folder: Path, answers: str, *, environ: Mapping[str, str] | None = None, status: int = 200
) -> Iterator[None]:
    """Start a server, wait until that address answers with that status, and stop the server at the end."""
    log = folder / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            words,
            cwd=folder,
            env={**(environ or {}), **marked()},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            _wait(process, answers, status, log)
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _wait(process: "subprocess.Popen[bytes]", answers: str, status: int, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    end = time.monotonic() + STARTS_IN
    while time.monotonic() < end and process.poll() is None:
        try:
            with opener.open(answers, timeout=5) as answer:
                got = answer.status
        except HTTPError as refused:
            got = refused.code
        except OSError:
            got = 0
        if got == status:
            return
        time.sleep(0.2)
    raise RuntimeError(f"{answers} does not answer with {status}:\n{log.read_text(errors='replace')[:3000]}")


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
