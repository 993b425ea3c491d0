"""How fast tokenctl is beside its peers, as ratios: `python -m tests.bench.speed` prints a table; see `--help`.

Every round runs each case once, in a new order, against a real keyring and the demo server. So each ratio is one of
runs that were made side by side. No shell and no shim stands between: each command is started by its path, and a
console script by the interpreter in its first line. Nothing is asserted: the figures are for people.
"""

import argparse
import json
import marshal
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.bench.figures import BARE, Run, Target, line, tables, verdicts
from tests.bench.peers import PATIENCE, PEERS, Absent, Case, Stage, refresh_token
from tests.servers.faulty_server import FaultyServer
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home
from tests.support.real_parts import Missing

THROWN_AWAY = 2
"""Rounds that are run first and not counted."""
LONG, SHORT = 10**6, 2
"""Seconds that an access token lives: longer than the measuring takes; and so short that each run has to renew."""
NO_CACHE = {"TOKENCTL_CACHE": "0"}

GIT, GIT_UNBOUND = "git-credential-tokenctl get", "git-credential-tokenctl get, unbound host"
DOCKER = "docker-credential-tokenctl get"
ORIGINS = ("https://git.example.com", "https://registry.example.com:5000")

TARGETS = (
    Target(case="tokenctl token", peer=BARE, limit=1.6),
    Target(case="tokenctl exec -- true", peer=BARE, limit=1.6),
    Target(case=GIT, peer="tokenctl token", limit=1.2),
    Target(case=GIT_UNBOUND, peer="tokenctl token", limit=1.0),
    Target(case=DOCKER, peer="tokenctl token", limit=1.2),
    Target(case="tokenctl token", peer="gh auth token", limit=0.5),
    Target(case="tokenctl exec -- true", peer="gh auth token", limit=0.5),
    Target(case="tokenctl token, no cache", peer="keyring get", limit=0.8),
    Target(case="tokenctl token, no cache", peer="keyring get, told its backend", limit=0.8),
    Target(case="tokenctl token, expired", peer="httpx script", limit=1.6),
    Target(case="tokenctl token, expired, with an ID token", peer="httpx script", limit=1.6),
    Target(case="tokenctl --help", peer="import click", limit=1.5),
    Target(case="tokenctl token --help", peer="import click", limit=1.5),
    Target(case="tokenctl tokne", peer="import click", limit=1.5),
)


def cases(stage: Stage, venv: Path, expired: Mapping[str, Mapping[str, str]], renewing: FaultyServer) -> Iterator[Case]:
    """Name every case but the peers of other makers.

    `expired` has an environment with a short-lived session for each name. One session gets an ID token at each renewal,
    which tokenctl verifies; the httpx script does not.
    """
    environ, tokenctl = stage.environ, str(venv / "bin" / "tokenctl")

    def own(words: str, status: int = 0, *, cache: bool = True) -> Case:
        name = f"tokenctl {words}" + ("" if cache else ", no cache")
        argv = (tokenctl, *words.replace(" true", f" {shutil.which('true')}").split())
        return Case(name=name, words=argv, environ=environ if cache else {**environ, **NO_CACHE}, status=status)

    yield Case(name=BARE, words=(stage.python, "-c", "pass"), environ=environ)
    yield Case(name="import click", words=(stage.python, "-c", "import click"), environ=environ)
    for words in ("token", "exec -- true", "token --format header"):
        yield own(words)
        yield own(words, cache=False)
    for words in ("show --json", "--version", "--help", "token --help"):
        yield own(words)
    yield own("tokne", status=2)
    for name, program, asked in (
        (GIT, "git-credential-tokenctl", "protocol=https\nhost=git.example.com\n\n"),
        (GIT_UNBOUND, "git-credential-tokenctl", "protocol=https\nhost=github.example.com\n\n"),
        (DOCKER, "docker-credential-tokenctl", "registry.example.com:5000\n"),
    ):
        (stage.folder / name).write_text(asked)
        yield Case(name=name, words=(str(venv / "bin" / program), "get"), environ=environ, stdin=stage.folder / name)
    for name, home in expired.items():
        yield Case(name=f"tokenctl token, {name}", words=(tokenctl, "token"), environ=home, rest=SHORT + 0.1)
    request = {
        "TOKEN_ENDPOINT": f"{renewing.issuer}/token",
        "CLIENT_ID": "tokenctl-demo",
        "REFRESH_TOKEN": refresh_token(renewing),
    }
    script = str(Path(__file__).with_name("httpx_script.py"))
    yield Case(name="httpx script", words=(stage.python, script), environ={**environ, **request})
    keyring = (str(venv / "bin" / "keyring"), "get", "tokenctl:t", "session")
    yield Case(name="keyring get", words=keyring, environ=environ)
    one = {"PYTHON_KEYRING_BACKEND": SecretService.backend}
    yield Case(name="keyring get, told its backend", words=keyring, environ={**environ, **one})


@contextmanager
def prepared(venv: Path) -> Iterator[tuple[list[Case], dict[str, str]]]:
    """Sign in, set the peers up, and give the cases, and by name the reasons of those that cannot be measured."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenctl-speed-")))
        keyring = stack.enter_context(SecretService())
        server = stack.enter_context(FaultyServer(auto_approve=True, access_token_lifetime=LONG))
        # The httpx script does not keep the new refresh token: the server forgives that it presents the old one.
        renewing = stack.enter_context(
            FaultyServer(auto_approve=True, access_token_lifetime=SHORT, reuse_grace=float(LONG))
        )
        environ = _signed_in(folder / "home", keyring, server, "t")
        bind = ("profile", "set", "t", f"hosts={' '.join(ORIGINS)}")
        subprocess.run((str(venv / "bin" / "tokenctl"), *bind), env=environ, check=True, capture_output=True)
        expired = {
            "expired": _signed_in(folder / "expired", keyring, renewing, "expired", "--scope", "offline_access"),
            "expired, with an ID token": _signed_in(folder / "verified", keyring, renewing, "verified"),
        }
        python = str(venv / "bin" / "python")
        stage = Stage(python=python, folder=folder, environ=environ, server=server, stack=stack)
        found, absent = list(cases(stage, venv, expired, renewing)), {}
        for name, peer in PEERS.items():
            try:
                found.append(peer(stage))
            except Absent as reason:
                absent[name] = str(reason)
        yield found, absent


def _signed_in(folder: Path, keyring: SecretService, server: FaultyServer, profile: str, *words: str) -> dict[str, str]:
    """Sign in as the only profile of a HOME, and return the environment of its commands."""
    home = Home(folder, keyring.environ, store="keyring")
    login = home.login(server.issuer, *words, profile=profile)
    if login.status:
        raise SystemExit(f"cannot sign in: {login.stderr}")
    return {name: value for name, value in home.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def chosen(found: Sequence[Case], only: Sequence[str]) -> list[Case]:
    """Keep the cases whose name has one of the texts, with what their targets are compared with; no text keeps all."""
    names = {each.name for each in found if not only or any(text in each.name for text in only)}
    names |= {BARE, *(each.peer for each in TARGETS if each.case in names)}
    return [each for each in found if each.name in names]


def check(case: Case) -> None:
    """Run a case once and see that it does what it is measured for."""
    with case.stdin.open() as stdin:
        done = subprocess.run(
            case.words, env=case.environ, stdin=stdin, capture_output=True, text=True, timeout=PATIENCE
        )
    if done.returncode != case.status:
        raise SystemExit(f"{case.name}: exit status {done.returncode}\n{done.stderr}")


def measure(found: Sequence[Case], rounds: int) -> dict[str, dict[int, Run]]:
    """Run the cases in turn; return the runs of each, by round."""
    runs: dict[str, dict[int, Run]] = {each.name: {} for each in found}
    ended = {each.name: time.monotonic() for each in found}
    with _starter() as starter:
        for number in range(-THROWN_AWAY, rounds):
            if sys.stderr.isatty():
                print(f"\rround {number + 1} of {rounds} ", end="", file=sys.stderr)
            for case in random.sample(found, len(found)):
                if number % case.every:
                    continue
                time.sleep(max(0, ended[case.name] + case.rest - time.monotonic()))
                run = _run(starter, case)
                ended[case.name] = time.monotonic()
                if number >= 0:
                    runs[case.name][number] = run
    return runs


@contextmanager
def _starter() -> Iterator["subprocess.Popen[bytes]"]:
    program = str(Path(__file__).with_name("starter.py"))
    with subprocess.Popen(
        [sys.executable, "-I", "-S", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process


def _run(starter: "subprocess.Popen[bytes]", case: Case) -> Run:
    assert starter.stdin is not None and starter.stdout is not None
    marshal.dump((list(case.words), dict(case.environ), str(case.stdin)), starter.stdin)
    starter.stdin.flush()
    wall, cpu, peak, status = marshal.load(starter.stdout)
    if status != case.status:
        raise SystemExit(f"{case.name}: exit status {status} while it was measured")
    return Run(wall=wall * 1000, cpu=cpu * 1000, peak=peak / 1024)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.speed", description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="rounds that count (60)")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="only cases whose name has this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument(
        "--venv",
        type=Path,
        default=Path(sys.prefix),
        help="the virtual environment whose tokenctl and Python are measured (the one that runs this)",
    )
    asked = parser.parse_args()
    venv = asked.venv.absolute()
    version = subprocess.run([venv / "bin" / "python", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        with prepared(venv) as (found, absent):
            kept = chosen(found, asked.only)
            for case in kept:
                check(case)
            runs = measure(kept, asked.runs)
    except Missing as reason:
        raise SystemExit(f"cannot measure: {reason}") from None
    lines = {name: line(runs, name) for name in runs}
    absent = {name: reason for name, reason in absent.items() if not asked.only or name in {t.peer for t in TARGETS}}
    judged = verdicts(runs, TARGETS)
    print(f"{version}, {asked.runs} rounds, {os.cpu_count()} cores\n\n{tables(lines, absent, judged)}")
    if asked.json:
        document = {
            "python": version,
            "rounds": asked.runs,
            "cases": {name: asdict(one) for name, one in lines.items()},
            "absent": absent,
            "targets": [asdict(each) for each in judged],
        }
        asked.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
