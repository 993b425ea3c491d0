"""The whole life of a session over a slow network: `python -m tests.bench.slow_network --help`.

A real authorization server (npm oidc-provider) stands behind a relay that delays every part of every connection, and
now and then holds one back as a lost segment is held back until TCP sends it again. (`tc netem` would do the same below
TCP, but needs a kernel that has it and the right to use it.) In each round a person signs in, a fresh token is printed,
several processes meet an expired token at once, the session is renewed, and it is revoked. Prints the seconds of each
step; exit status 1 when a command failed, or the server saw a refresh token twice.
"""

import argparse
import queue
import random
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Self

from tests.servers.oidc_provider import OidcProvider
from tests.servers.person import sign_in
from tests.support.commandline import Home, Result

FIRST_RETRY = 1.0
"""Seconds until TCP repeats a lost SYN (RFC 6298 section 2)."""
LIFE = 8
"""Seconds that an access token lives."""


class SlowRelay:
    """A relay on a loopback port; `delay` is seconds in each direction, `loss` the share of lost parts."""

    def __init__(self, target: int, delay: float, loss: float) -> None:
        self._target, self._delay, self._loss = target, delay, loss
        self._random = random.Random(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        self.connections = self.parts = self.lost = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._connect, args=(connection,), daemon=True).start()

    def _is_lost(self) -> bool:
        self.parts += 1
        lost = self._random.random() < self._loss
        self.lost += lost
        return lost

    def _connect(self, connection: socket.socket) -> None:
        time.sleep(2 * self._delay + (FIRST_RETRY if self._is_lost() else 0))  # what a handshake costs
        server = socket.create_connection(("127.0.0.1", self._target))
        for source, target in ((connection, server), (server, connection)):
            parts: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            threading.Thread(target=self._read, args=(source, parts), daemon=True).start()
            threading.Thread(target=self._write, args=(target, parts), daemon=True).start()

    def _read(self, source: socket.socket, parts: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        part = b"x"
        while part:
            part = b""
            with suppress(OSError):
                part = source.recv(1400)  # about what a segment holds
            # TCP repeats a segment after the round trip and four times its variation, 200 ms at least.
            repeated = 2 * self._delay + max(0.2, self._delay) if self._is_lost() else 0
            parts.put((time.monotonic() + self._delay + repeated, part))

    def _write(self, target: socket.socket, parts: "queue.SimpleQueue[tuple[float, bytes]]") -> None:
        with suppress(OSError):
            while True:
                due, part = parts.get()
                time.sleep(max(0, due - time.monotonic()))
                if not part:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(part)


class Life:
    """Rounds of commands against one server, the seconds of each step, and what went wrong."""

    def __init__(self, home: Home, issuer: str, callers: int) -> None:
        self._home, self._issuer, self._callers = home, issuer, callers
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.failures: list[str] = []

    def round(self) -> None:
        """Sign in, use the session, and sign out."""
        begun = time.monotonic()
        login = self._home.login(self._issuer, client="native", visit=sign_in)
        self._note("login (person and command)", begun, login)
        received = time.monotonic()
        self._run("token (fresh)", "token")
        time.sleep(max(0, received + LIFE - time.monotonic()))
        begun = time.monotonic()
        results = self._home.race(self._callers, "token", "-p", "t")
        for result in results:
            self._note(f"token (expired, {self._callers} at once)", begun, result)
        if len({result.stdout for result in results}) != 1:
            self.failures.append("the callers got different tokens")
        self._run("refresh", "refresh")
        self._run("show", "show")
        self._run("revoke", "revoke")

    def _run(self, step: str, *words: str) -> None:
        begun = time.monotonic()
        self._note(step, begun, self._home.run(*words, "-p", "t"))

    def _note(self, step: str, begun: float, result: Result) -> None:
        self.seconds[step].append(time.monotonic() - begun)
        if result.status:
            self.failures.append(f"{step}: exit {result.status}: {result.stderr.strip()}")


def main(words: Sequence[str] | None = None) -> int:
    """Run the rounds, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.2, help="seconds, in each direction (0.2)")
    parser.add_argument("--loss", type=float, default=0.02, help="share of lost segments (0.02)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--callers", type=int, default=4, help="processes that meet an expired token at once")
    options = parser.parse_args(words)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with ExitStack() as stack:
        relay = stack.enter_context(SlowRelay(port, options.delay, options.loss))
        issuer = f"http://127.0.0.1:{relay.port}"
        server = stack.enter_context(OidcProvider(port=port, issuer=issuer, access_token_ttl=LIFE))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenctl-slow-"))
        life = Life(Home(Path(folder)), server.issuer, options.callers)
        for _ in range(options.rounds):
            life.round()
        refreshes = server.count(grant_type="refresh_token")
        refused = server.count(grant_type="refresh_token", status=400)
    print(f"delay {options.delay * 1000:.0f} ms each way, loss {options.loss:.1%}, {options.rounds} rounds")
    print(f"{relay.connections} connections, {relay.parts} segments, {relay.lost} lost")
    for step, seconds in life.seconds.items():
        print(f"{step:30} median {median(seconds):5.2f} s   longest {max(seconds):5.2f} s   ({len(seconds)})")
    print(f"refresh requests {refreshes}, refused {refused}")
    failures = [*life.failures, *(["a refresh token was refused"] if refused else [])]
    print("\n".join(failures) or "every command ended with 0")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
