"""A keyring that stops answering, at every message in turn: `python -m tests.bench.hung_bus`.

Each command runs against a real gnome-keyring behind a bus that delivers its first k messages and no more, for k = 0
and up until the command gets through. A line of the table is a run: the command, the message that was never delivered,
the seconds, the exit status. Exit status 1 when any of them did what it must not. It takes about three minutes.
"""

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.faulty_server import FaultyServer
from tests.servers.hung_bus import StallingBus
from tests.servers.secret_service import SecretService
from tests.support.commandline import Home, Result
from tests.support.fetch import fetch

COMMANDS = ("token (fresh)", "token (expired)", "show", "first login", "login", "refresh", "revoke")
LONGEST = 120.0
"""Seconds until a command must have ended by itself: a keyring call has 3, there are a few in a row, and the machine may be busy."""
SAFE = "the session was renewed and is safe, but it is not in the keyring yet"
UNANSWERED = "the keyring did not answer within 3 s"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: `number` messages were delivered, and `stalled_at` was the first that was not, if any was."""

    command: str
    number: int | None
    stalled_at: str | None
    messages: int
    seconds: float
    result: Result
    complaints: tuple[str, ...]

    def line(self) -> str:
        """Write a line of the table."""
        outcome = "; ".join(self.complaints) or ("ok" if self.result.status else "ok, renewed and safe")
        return (
            f"{self.command:16} {self.number:3} {self.stalled_at or '-':14} {self.seconds:5.1f} s  exit"
            f" {self.result.status}  {outcome if self.stalled_at else 'done'}"
        )


class Stage:
    """A HOME that is signed in, a server and a real keyring; commands are run with a bus that stalls."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.server = stack.enter_context(FaultyServer(auto_approve=True))
            self.keyring = stack.enter_context(SecretService())
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenctl-stage-"))
            self.home = Home(Path(folder) / "home", self.keyring.environ, store="keyring")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def attempt(self, command: str, number: int | None = None) -> Run:
        """Run a command with a bus that stalls after `number` messages, then see what a healthy one finds."""
        self._prepare(command)
        renewals = self._renewals
        profile = f"n{time.monotonic_ns()}" if command == "first login" else "t"
        with StallingBus(self.keyring.environ["DBUS_SESSION_BUS_ADDRESS"], number) as bus:
            began = time.monotonic()
            if "login" in command:
                result = self._login(profile, bus.environ)
            else:
                result = self.home.run(command.split()[0], "-p", profile, environ=bus.environ)
            seconds, stalled_at, messages = time.monotonic() - began, bus.stalled_at, len(bus.sent)
        complaints = [*_judge(result, stalled_at, seconds, renewed=self._renewals > renewals)]
        after = self._after_login(profile) if "login" in command else self._after(command, result)
        return Run(
            command=command,
            number=number,
            stalled_at=stalled_at,
            messages=messages,
            seconds=seconds,
            result=result,
            complaints=(*complaints, *after),
        )

    @property
    def _renewals(self) -> int:
        return self.server.count("/token", "refresh_token")

    def _kept(self, profile: str = "t") -> dict[str, Any] | None:
        found = self.keyring.lookup(f"tokenctl:{profile}", "session")
        return None if found is None else dict(json.loads(found))

    def _login(self, profile: str, environ: dict[str, str]) -> Result:
        def visit(url: str) -> None:
            with suppress(OSError):  # a login that fails may be gone before its page is read
                fetch(url)

        return self.home.login(self.server.issuer, profile=profile, visit=visit, environ=environ)

    def _prepare(self, command: str) -> None:
        if self._kept() is None:
            self._healthy("login")
        if command == "token (expired)":
            self.server.change(access_token_lifetime=1)
            self._healthy("refresh")
            self.server.change(access_token_lifetime=900)
            kept = self._kept()
            assert kept is not None
            time.sleep(max(0.0, kept["expires_at"] - time.time()) + 0.1)

    def _healthy(self, command: str) -> None:
        result = self._login("t", {}) if command == "login" else self.home.run(command, "-p", "t")
        if result.status:
            raise RuntimeError(f"{command} fails with a healthy keyring: {result.stderr}")

    def _after(self, command: str, result: Result) -> list[str]:
        """What a healthy command then finds: the same session, or for revoke that it can be ended still."""
        if command == "revoke":
            again = self.home.run("revoke", "-p", "t").status
            return [] if again == 4 or (again == 0 and result.status) else [f"revoke again: {again}"]
        renewals = self._renewals
        healthy = self.home.run("token", "-p", "t")
        found = [] if healthy.status == 0 else [f"a healthy token: {healthy.status} {healthy.stderr}"]
        if command.startswith("token") and result.status == 0 and healthy.stdout != result.stdout:
            found.append("a healthy token is another one")
        if (result.status == 0 or command != "token (expired)") and self._renewals > renewals:
            found.append("a healthy token had to renew")
        kept = self._kept()
        if kept is None or kept["access_token"] != healthy.stdout.strip():
            found.append("the keyring has another session")
        if self.server.reuse_detections:
            found.append("a refresh token was used twice")
        return found

    def _after_login(self, profile: str) -> list[str]:
        """What stands after a login: the old session or the new one works; and the next login does."""
        found = []
        if profile == "t" and (status := self.home.run("token", "-p", "t").status):
            found.append(f"a healthy token: {status}")
        if (again := self._login(profile, {})).status or self.home.run("token", "-p", profile).status:
            found.append(f"a healthy login: {again.status} {again.stderr}")
        return found


def _judge(result: Result, stalled_at: str | None, seconds: float, *, renewed: bool) -> list[str]:
    """Name what is wrong with how a command ended."""
    found = [] if seconds < LONGEST else ["took too long"]
    if "Traceback" in result.stderr or "unexpected" in result.stderr:
        found.append(f"crashed: {result.stderr}")
    if stalled_at is None:
        return found if result.status == 0 else [*found, f"fails: {result.stderr}"]
    if result.status == 0 and (SAFE not in result.stderr or UNANSWERED not in result.stderr):
        found.append("nothing was said")
    if result.status == 0 and not renewed:
        found.append("exit 0, and nothing was done")
    if result.status == 3 and renewed:
        found.append("renewed, and failed all the same")
    if result.status == 3 and (UNANSWERED not in result.stderr or result.stdout):
        found.append(f"does not say that the keyring did not answer: {result.stderr}")
    if result.status not in (0, 3):
        found.append(f"says: {result.stderr}")
    return found


def every_message(command: str) -> list[Run]:
    """Run a command with every message in turn the first that is not delivered, until it gets through."""
    runs: list[Run] = []
    with Stage() as stage:
        while not runs or runs[-1].stalled_at is not None:
            runs.append(stage.attempt(command, len(runs)))
    return runs


def main() -> int:
    """Run all of them, and print the table."""
    with ThreadPoolExecutor(len(COMMANDS)) as pool:
        runs = [run for each in pool.map(every_message, sys.argv[1:] or COMMANDS) for run in each]
    for run in runs:
        print(run.line())
    bad = sum(bool(run.complaints) for run in runs)
    print(f"{len(runs)} runs, the longest {max(run.seconds for run in runs):.1f} s, {bad} with complaints")
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main())
