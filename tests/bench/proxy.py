"""How fast the proxy is beside a plain pass-through: `python -m tests.bench.proxy` prints tables; see `--help`.

Requests go to the same server in three ways: directly, through a pass-through that a person would write with uvicorn and
httpx (`plain_proxy.py`), and through `tokenctl proxy`. Every round takes each way once, in a new order, so each ratio is
one of loads that were made side by side. Each proxy has one core, and everything else the other ones. Afterwards a large
body goes up and down through each, and the memory of its process at the peak is compared with that before. Nothing is
asserted: the figures are for people.
"""

import argparse
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.load import Server, many, transfer
from tests.bench.proxy_figures import (
    DIRECT,
    OURS,
    PLAIN,
    Measured,
    Moved,
    Rounds,
    goals_table,
    large_table,
    small_table,
)
from tests.servers.child import Child
from tests.servers.faulty_server import FaultyServer
from tests.support.commandline import Home, Started

CLIENTS = (1, 10, 50)
LONG = 10**6
"""Seconds that the access token lives: longer than the measuring takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to the server; the process of the proxy on it, if there is one."""

    server: Server
    process: int | None = None


@contextmanager
def ways() -> Iterator[dict[str, Way]]:
    """Start the server and both proxies, and sign in."""
    every = sorted(os.sched_getaffinity(0))
    alone, others = every[:1], every[1:] or every
    with ExitStack() as stack:
        stack.enter_context(_pinned(others))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenctl-proxy-")))
        upstream = stack.enter_context(Child([sys.executable, "-m", "tests.bench.fast_upstream"]))
        authority = stack.enter_context(FaultyServer(auto_approve=True, access_token_lifetime=LONG))
        origin = f"http://127.0.0.1:{upstream.hello['port']}"
        home = Home(folder / "home")
        login = home.login(authority.issuer)
        if login.status:
            raise SystemExit(f"cannot sign in: {login.stderr}")
        with _pinned(alone):
            plain = stack.enter_context(Child([sys.executable, "-m", "tests.bench.plain_proxy", origin]))
            secret = folder / "secret"
            ours = stack.enter_context(_proxy(home, origin, secret))
        yield {
            DIRECT: Way(server=Server(port=upstream.hello["port"], headers={})),
            PLAIN: Way(server=Server(port=plain.hello["port"], headers={}), process=plain.pid),
            OURS: Way(server=_guarded(_port(ours), secret), process=ours.pid),
        }


@contextmanager
def _pinned(cores: Sequence[int]) -> Iterator[None]:
    """Run on these cores, and start processes that do."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _proxy(home: Home, origin: str, secret: Path) -> Iterator[Started]:
    with home.start("proxy", origin, "-p", "t", "--bind", "--secret-file", str(secret)) as process:
        yield process
        process.terminate()
        process.communicate()


def _port(process: Started) -> int:
    """Read where the proxy listens, from its first line."""
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    if found is None:
        raise SystemExit(f"the proxy did not start: {line}{process.stderr.read()}")
    return int(found[1])


def _guarded(port: int, secret: Path) -> Server:
    return Server(port=port, headers={"Authorization": f"Bearer {secret.read_text().strip()}"})


# -- measuring -------------------------------------------------------------------------------------------


def small(found: dict[str, Way], rounds: int, requests: int, clients: Sequence[int] = CLIENTS) -> Rounds:
    """Send small requests in turn; the first round is not counted."""
    measured: list[dict[tuple[str, int], Measured]] = []
    for number in range(rounds + 1):
        if sys.stderr.isatty():
            print(f"\rround {number} of {rounds} ", end="", file=sys.stderr)
        cases = [(way, count) for way in found for count in clients]
        measured.append({case: _small(found[case[0]], requests, case[1]) for case in random.sample(cases, len(cases))})
    return measured[1:]


def _small(way: Way, requests: int, clients: int) -> Measured:
    before = _cpu(way.process)
    load = many(way.server, "/small", requests, clients)
    return Measured(load=load, cpu=(_cpu(way.process) - before) * 1000 / requests)


def large(way: Way, size: int, *, upload: bool) -> Moved:
    """Move one body of so many bytes."""
    assert way.process is not None
    Path(f"/proc/{way.process}/clear_refs").write_text("5")  # the peak begins anew
    before = _memory(way.process, "VmRSS")
    seconds = transfer(way.server, size, upload=upload)
    return Moved(speed=size / 2**20 / seconds, before=before, peak=_memory(way.process, "VmHWM"))


def _cpu(process: int | None) -> float:
    """Read the CPU time of a process, in seconds."""
    if process is None:
        return 0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: int, name: str) -> float:
    """Read a line of a process's status that is in KiB, as MiB."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count (7)")
    parser.add_argument("--requests", type=int, default=2000, help="small requests of each load (2000)")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the large body (1024)")
    asked = parser.parse_args(words)
    with ways() as found:
        rounds = small(found, asked.rounds, asked.requests)
        moved = {
            (direction, way): large(found[way], asked.size << 20, upload=direction == "up")
            for direction in ("up", "down")
            for way in (PLAIN, OURS)
        }
    print(
        f"Python {sys.version.split()[0]}, {asked.rounds} rounds of {asked.requests} requests, {os.cpu_count()} cores\n"
    )
    print(small_table(rounds), large_table(moved), goals_table(rounds, moved), sep="\n\n")


if __name__ == "__main__":
    main()
