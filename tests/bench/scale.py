"""Scale, as ratios: `python -m tests.bench.scale` measures 1,000 profiles and many processes at once.

Each figure is beside that of a bare interpreter of the same Python, which runs in turn with it. No test asserts them.
"""

import argparse
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.faulty_server import FaultyServer
from tests.servers.private_bus import PrivateBus
from tests.servers.secret_service import SecretService
from tests.support.aging import age_in
from tests.support.commandline import Home
from tests.support.many import sign_in_too

WARM, COLD = 200, 100
"""Processes at once: with a fresh session, and with an expired one."""
NO_CACHE = {"TOKENCTL_CACHE": "0"}


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a command took, in seconds."""

    wall: float
    cpu: float


def run(words: Sequence[str], environ: Mapping[str, str], *, terminal: bool = False) -> Spent:
    """Run a command to its end, at a terminal or with its output thrown away."""
    start = time.perf_counter()
    if terminal:
        process, screen = pty.fork()
        if not process:
            os.execve(words[0], [*words], dict(environ))
        with os.fdopen(screen, "rb", buffering=0) as reader:
            while _more(reader.fileno()):
                pass
    else:
        actions = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        process = os.posix_spawn(words[0], [*words], environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    assert status == 0, f"{' '.join(words)} ended with {status}"
    return Spent(wall=time.perf_counter() - start, cpu=usage.ru_utime + usage.ru_stime)


def _more(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # nobody has the terminal open any more
        return b""


def interleaved(cases: Mapping[str, "Case"], rounds: int) -> dict[str, list[Spent]]:
    """Run the cases in turn, and return what each of them took; the first round does not count."""
    found: dict[str, list[Spent]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            spent = run(case.words, case.environ, terminal=case.terminal)
            found[name] += [spent] if number else []
    return found


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command, and where it runs."""

    words: Sequence[str]
    environ: Mapping[str, str]
    terminal: bool = False


@dataclass(frozen=True, kw_only=True)
class Herd:
    """What many processes took: the time of all of them, and the CPU time of all and of the keyring's."""

    wall: float
    cpu: float
    idle: float
    """CPU seconds that no process of the machine had a use for: while these waited, and no other program was busy."""
    answers: set[tuple[int, bytes]]

    @property
    def outcome(self) -> str:
        """The exit statuses, and how many different answers there were."""
        return f"exit {sorted({status for status, _ in self.answers})}, {len(self.answers)} answer"

    @property
    def ratio(self) -> float:
        """The time, in parts of what the processors need at least."""
        return self.wall * len(os.sched_getaffinity(0)) / self.cpu


def herd(processes: int, words: Sequence[str], environ: Mapping[str, str], service: PrivateBus) -> Herd:
    """Run a command in many processes at once."""
    before, idle, start = _cpu(service), _idle(), time.perf_counter()
    with ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
            for _ in range(processes)
        ]
        said = [each.communicate() for each in started]
    wall = time.perf_counter() - start
    answers = {(each.returncode, answer) for each, (answer, _) in zip(started, said, strict=True)}
    return Herd(wall=wall, cpu=_cpu(service) - before, idle=_idle() - idle, answers=answers)


def _cpu(service: PrivateBus) -> float:
    """CPU seconds of the processes that have ended, and of the bus and the keyring."""
    spent = os.times()
    return spent.children_user + spent.children_system + sum(map(_cpu_of, service.pids))


def _idle() -> float:
    idle, waiting = Path("/proc/stat").read_text().split()[4:6]
    return (int(idle) + int(waiting)) / os.sysconf("SC_CLK_TCK")


def _cpu_of(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def signed_in(folder: Path, server: FaultyServer, profiles: int) -> Iterator[tuple[SecretService, Home]]:
    """Have a keyring, and a HOME with this many signed-in profiles."""
    with SecretService() as service:
        home = Home(folder, service.environ, store="keyring")
        assert home.login(server.issuer).status == 0
        sign_in_too(home, (f"p{number:04}" for number in range(1, profiles)))
        yield service, home


def ratio(found: Mapping[str, list[Spent]], name: str, peer: str) -> str:
    """Write the medians of a case's ratios to a peer, pair by pair."""
    pairs = list(zip(found[name], found[peer], strict=True))
    wall, cpu = (statistics.median(getattr(a, by) / getattr(b, by) for a, b in pairs) for by in ("wall", "cpu"))
    milliseconds = statistics.median(each.wall for each in found[name]) * 1000
    return f"{name:34} {milliseconds:8.1f} ms {wall:8.2f} {cpu:8.2f}   of {peer}"


def measure(python: str, given: argparse.Namespace, folder: Path) -> Iterator[str]:
    """Measure everything with one Python, and write a line for each figure."""
    tokenctl, bare = (python, "-m", "tokenctl"), (python, "-c", "pass")
    with FaultyServer(auto_approve=True, access_token_lifetime=10**6) as server, ExitStack() as stack:
        one_service, one = stack.enter_context(signed_in(folder / "one", server, 1))
        _, many = stack.enter_context(signed_in(folder / "many", server, given.profiles))
        here, there = ({**os.environ, **home.environ, **NO_CACHE} for home in (one, many))
        yield f"{python}, {given.profiles} profiles{'':13} wall   ratios: wall      cpu"
        cases = {
            "bare": Case(words=bare, environ=here),
            "token, one profile": Case(words=(*tokenctl, "token"), environ=here),
            "token, many profiles": Case(words=(*tokenctl, "token"), environ=there),
        }
        found = interleaved(cases, given.rounds)
        yield ratio(found, "token, one profile", "bare")
        yield ratio(found, "token, many profiles", "token, one profile")
        cases = {
            "bare": Case(words=bare, environ=there),
            "show --all": Case(words=(*tokenctl, "show", "--all"), environ=there),
            "show --all --json": Case(words=(*tokenctl, "show", "--all", "--json"), environ=there),
            "show --all, at a terminal": Case(words=(*tokenctl, "show", "--all"), environ=there, terminal=True),
        }
        found = interleaved(cases, max(3, given.rounds // 4))
        yield from (ratio(found, name, "bare") for name in list(cases)[1:])
        yield from measure_herds((*tokenctl, "token"), bare, one, one_service)
        age_in(one_service)
        before = server.count("/token", "refresh_token")
        several = herd(COLD, (*tokenctl, "token"), here, one_service)
        requests = server.count("/token", "refresh_token") - before
        yield f"{COLD} x token at once, expired: {requests} request; {several.outcome}"


def measure_herds(token: Sequence[str], bare: Sequence[str], home: Home, service: PrivateBus) -> Iterator[str]:
    """Measure many processes at once with a fresh session, beside as many bare interpreters."""
    warm = {**os.environ, **home.environ}
    run(token, warm)  # it leaves a copy in the kernel's keyring, where there is one
    cases = (("bare", bare, warm), ("token", token, warm | NO_CACHE), ("token, with the kernel's copy", token, warm))
    for name, words, environ in cases:
        several = herd(WARM, words, environ, service)
        yield (
            f"{f'{WARM} x {name}':34} {several.wall * 1000:8.1f} ms {several.ratio:8.2f} of CPU time / cores,"
            f" {several.idle:.1f} s idle; {several.outcome}"
        )


def main() -> None:
    """Measure with each Python, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument(
        "--python",
        nargs="*",
        default=[sys.executable],
        help="interpreters that can import tokenctl (the one that runs this)",
    )
    parser.add_argument("--profiles", type=int, default=1000, help="how many profiles are many (1000)")
    parser.add_argument(
        "--rounds", type=int, default=20, help="rounds that count; show --all has a quarter of them (20)"
    )
    given = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each process compiles what it imports
    for python in given.python:
        with tempfile.TemporaryDirectory() as folder:
            for line in measure(python, given, Path(folder)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
