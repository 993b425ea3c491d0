"""A soak: many processes, short tokens, and whatever can go wrong. `python -m tests.bench.soak --help`.

Loops of real `tokenctl token` processes share one session, whose access tokens live for seconds, while callers are
killed and answers are lost. It ends after `--seconds` and prints what happened; exit status 1 means that a promise was
broken: a reuse detection or a lost session although nothing was lost on the way, or a token served after its expiry.

Two figures need a definition. An *expiry* is met when the server makes a token for a refresh request at a time when the
newest token was due to be renewed: at its `exp`, less what a caller still wants of it. Without faults there is one
token for each expiry; what is beyond that was made too early, as the second of two is whose first answer was lost.
A token is *served after expiry* when it had lived `expires_in` seconds, counted from when the server made it, before
the process began that printed it; the whole seconds of its `exp` claim, which may be up to one less, are shown beside.
"""

import argparse
import base64
import json
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.servers.faulty_server import FaultyServer, Received, Reply
from tests.servers.keepassxc import KeePassXC
from tests.servers.keyrings import KEYRINGS, RealKeyring
from tests.support.commandline import LONG, Home
from tests.support.paths import ROOT

MOST_WANTED = 75
"""The `min_ttl` of a profile and the window before it, in seconds: never more than half of a token's life."""
KILLED = {-signal.SIGTERM, -signal.SIGKILL}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a soak does. `kill` is a signal's name; `lost` and `errors` are shares of the refresh requests."""

    seconds: float = 60
    processes: int = 12
    life: int = 2
    grace: float = 0
    kill: str | None = None
    kills: int = 300
    lost: float = 0
    errors: float = 0
    store: str = "ring"
    ends: int = 0
    """How often the keyring is killed and started again."""


@dataclass(kw_only=True)
class Figures:
    """What happened in a soak."""

    statuses: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    tokens: int = 0
    expiries: int = 0
    reuse_detections: int = 0
    lost_sessions: int = 0
    doubted: int = 0  # ended with 4, and `tokenctl refresh` brought it back, as the hint says
    lost_answers: int = 0
    lost_requests: int = 0
    errors: int = 0
    late: list[float] = field(default_factory=list)  # seconds
    past_exp: list[float] = field(default_factory=list)  # seconds
    killed_renewing: int = 0
    keyring_ends: int = 0
    slowest_answer: float = 0
    slowest_call: float = 0
    said: Counter[str] = field(default_factory=Counter)

    @property
    def killed(self) -> int:
        """How many callers a signal really ended."""
        return sum(self.statuses[status] for status in KILLED)

    def broken(self) -> list[str]:
        """Name the promises that were broken."""
        found = []
        if self.reuse_detections and not self.lost_answers:
            found.append("a refresh token was used twice")
        if (self.lost_sessions or self.doubted) and not (self.lost_answers or self.lost_requests):
            found.append("a session was lost")
        if self.late:
            found.append("a token was served after its expiry")
        without_keyring = {3} if self.keyring_ends else set()
        if unexpected := set(self.statuses) - {0, 4, 6} - KILLED - without_keyring:
            found.append(f"exit statuses that nobody expects: {sorted(unexpected)}")
        return found

    def lines(self) -> list[str]:
        """Write the figures for a person."""
        statuses = ", ".join(f"{int(status)}: {count}" for status, count in sorted(self.statuses.items()))
        early = self.tokens - self.expiries
        return [
            f"calls                    {self.statuses.total()}  (slowest {self.slowest_call:.1f} s)",
            f"exit statuses            {statuses}",
            f"callers killed           {self.killed}  ({self.killed_renewing} held the lock, with a renewal under way)",
            f"ends of the keyring      {self.keyring_ends}",
            f"refreshes at the server  {self.requests}  (slowest answer {self.slowest_answer * 1000:.0f} ms)",
            f"tokens made              {self.tokens}  ({early} too early)",
            f"expiries met             {self.expiries}",
            f"lost before / after      {self.lost_requests} / {self.lost_answers}, answered 503: {self.errors}",
            f"reuse detections         {self.reuse_detections}",
            f"lost sessions (exit 4)   {self.lost_sessions}, and {self.doubted} brought back by 'tokenctl refresh'",
            f"served after expiry      {_times(self.late)}; after the exp claim {_times(self.past_exp)}",
            *(f"  said {count} x {line}" for line, count in self.said.most_common(8)),
        ]


class Soak:
    """One soak on its stage: a server, a HOME, and threads that call, kill and count."""

    def __init__(self, plan: Plan, home: Home, server: FaultyServer, keyring: RealKeyring | None) -> None:
        self.plan = plan
        self._keyring = keyring
        self.figures = Figures()
        self._home = home
        self._server = server
        self._state = Path(home.environ["TOKENCTL_STATE_DIR"]) / "t"
        self._lock = threading.Lock()  # of what follows, and of the figures
        self._alive: dict[int, subprocess.Popen[str]] = {}
        self._made: dict[str, float] = {}  # access token -> when the server made it
        self._renew_at = 0.0
        self._repairing = threading.Lock()
        self._repairs = 0
        self._failures: list[Exception] = []

    def run(self) -> Figures:
        """Sign in, and let it rain for the planned time; raises what went wrong in the soak itself."""
        self._server.overrides["/token"] = self._answer
        self._sign_in()
        ends = time.monotonic() + self.plan.seconds
        work = [self._call] * self.plan.processes + [self._kill] * bool(self.plan.kill)
        work += [self._end_keyring] * bool(self.plan.ends)
        threads = [threading.Thread(target=self._repeat, args=(each, ends)) for each in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        self._call()  # whatever the last ones left behind, a healthy one gets over it
        self.figures.reuse_detections = self._server.reuse_detections
        return self.figures

    def _repeat(self, work: Callable[[], None], ends: float) -> None:
        try:
            while time.monotonic() < ends and not self._failures:
                work()
        except Exception as error:
            self._failures.append(error)

    def _call(self) -> None:
        repairs, began, started = self._repairs, time.monotonic(), time.time()
        with self._home.start("token", "-p", "t") as process:
            with self._lock:
                self._alive[process.pid] = process
            try:
                stdout, stderr = process.communicate(timeout=LONG)
            except BaseException:
                process.kill()
                raise
            with self._lock:
                del self._alive[process.pid]
        with self._lock:
            figures = self.figures
            figures.statuses[process.returncode] += 1
            figures.slowest_call = max(figures.slowest_call, time.monotonic() - began)
            figures.said.update(re.sub(r"\d+", "N", line) for line in stderr.splitlines() if "hint" not in line)
            if process.returncode == 0:
                token = stdout.strip()
                figures.late += _positive(started - self._made[token] - self.plan.life)
                figures.past_exp += _positive(started - _exp(token))
        if process.returncode == 4:
            self._repair(repairs)

    def _repair(self, seen: int) -> None:
        """Sign in again, once for all who met the same end; a session in doubt comes back without."""
        with self._repairing:
            if seen != self._repairs:
                return
            if self._home.run("refresh", "-p", "t").status == 0:
                self.figures.doubted += 1
            else:
                self.figures.lost_sessions += 1
                self._sign_in()
            self._repairs += 1

    def _sign_in(self) -> None:
        login = self._home.login(self._server.issuer)
        if login.status:
            raise RuntimeError(f"the soak cannot sign in: {login.stderr}")
        if isinstance(self._keyring, KeePassXC):
            self._keyring.sync()  # it writes to the disk a moment later

    def _kill(self) -> None:
        """Hit somebody, every other time the one who holds the lock."""
        time.sleep(random.uniform(0.4, 1.2) * self.plan.seconds / self.plan.kills)
        with self._lock:
            enough = self.figures.killed >= self.plan.kills
            victims = [] if enough else list(self._alive.values())
            holder = self._alive.get(self._holder())
        if victims:
            victim = holder if holder is not None and random.random() < 0.5 else random.choice(victims)
            renewing = victim is holder and (self._state / "redo.next").exists()
            if victim.poll() is None:
                victim.send_signal(signal.Signals[f"SIG{self.plan.kill}"])
                self.figures.killed_renewing += renewing

    def _end_keyring(self) -> None:
        """Kill the keyring, with what it has in memory only, and start it again."""
        time.sleep(random.uniform(0.4, 1.2) * self.plan.seconds / self.plan.ends)
        if self._keyring is not None:
            self._keyring.kill()
            self._keyring.restart()
            self.figures.keyring_ends += 1

    def _holder(self) -> int:
        try:
            return int((self._state / "lock").read_text()[:11])
        except (OSError, ValueError):
            return 0

    def _answer(self, request: Received) -> Reply:
        if request.form.get("grant_type") != "refresh_token":
            return self._remembered(self._server.answer(request), time.time())
        luck, began, made = random.random(), time.monotonic(), time.time()
        with self._lock:
            self.figures.requests += 1
            if luck < self.plan.errors:
                self.figures.errors += 1
                return Reply(status=503)
            luck -= self.plan.errors
            if luck < self.plan.lost / 2:
                self.figures.lost_requests += 1
                return Reply(drop_before=True)
        reply = self._server.answer(request)
        with self._lock:
            if reply.status == 200:
                self.figures.tokens += 1
                self.figures.expiries += made >= self._renew_at
            self.figures.slowest_answer = max(self.figures.slowest_answer, time.monotonic() - began)
            if luck < self.plan.lost:
                self.figures.lost_answers += 1
                reply = replace(reply, drop_after=True)
        return self._remembered(reply, made)

    def _remembered(self, reply: Reply, made: float) -> Reply:
        """Note until when the token in a reply is good; returns the reply."""
        if reply.status == 200:
            token = reply.document["access_token"]
            with self._lock:
                self._made[token] = made
                self._renew_at = _exp(token) - max(0, min(MOST_WANTED, self.plan.life // 2) - 1)
        return reply


def soak(plan: Plan, folder: Path) -> Figures:
    """Run a soak in a folder of its own, with its own server and store."""
    with ExitStack() as stack:
        server = stack.enter_context(
            FaultyServer(auto_approve=True, access_token_lifetime=plan.life, reuse_grace=plan.grace)
        )
        keyring = stack.enter_context(KEYRINGS[plan.store]()) if plan.store in KEYRINGS else None
        ring = {"TEST_RING": str(folder / "ring.json"), "PYTHONPATH": str(ROOT)}
        environ = keyring.environ if keyring else ring
        home = Home(folder / "home", environ, store="file" if plan.store == "file" else "keyring")
        backend = keyring.backend if keyring else "tests.support.ring.Ring"
        home.write_config(
            f'[profiles.t]\nissuer = "{server.issuer}"\nclient_id = "tokenctl-demo"\n'
            f'scope = "openid offline_access"\nkeyring_backend = "{backend}"\n'
        )
        return Soak(plan, home, server, keyring).run()


def _exp(token: str) -> int:
    claims = token.split(".")[1]
    return int(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])


def _positive(seconds: float) -> list[float]:
    return [seconds] if seconds > 0 else []


def _times(seconds: list[float]) -> str:
    return f"{len(seconds)} (at worst by {max(seconds):.2f} s)" if seconds else "0"


def main() -> int:
    """Read the options, run, print."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=(__doc__ or "").partition("\n")[0])
    for name in ("processes", "life", "kills", "ends"):
        parser.add_argument(f"--{name}", type=int, default=getattr(plan, name))
    for name in ("seconds", "grace", "lost", "errors"):
        parser.add_argument(f"--{name}", type=float, default=getattr(plan, name))
    parser.add_argument("--kill", choices=("TERM", "KILL"))
    parser.add_argument("--store", choices=("ring", "file", *KEYRINGS), default=plan.store)
    plan = Plan(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="tokenctl-soak-") as folder:
        figures = soak(plan, Path(folder))
    print(plan, *figures.lines(), sep="\n")
    for promise in figures.broken():
        print(f"BROKEN: {promise}")
    return bool(figures.broken())


if __name__ == "__main__":
    raise SystemExit(main())
