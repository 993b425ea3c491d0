"""Simulated lives: machines with clocks, keyrings and programs, in a world whose time passes at once.

Only the time, the network and the keyring are stand-ins. Broker, vault, redo log, journal and event log are the real
ones, in one process, so that a quarter of a year takes seconds. What happens is a generator, which yields the
seconds until it goes on: so several machines live side by side.
"""

import contextlib
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from tests.servers.rotating_server import CLIENT, ISSUER, RotatingServer
from tests.support import memory_rings
from tests.support.memory_rings import Killed
from tokenctl.adapters.clock import Clock
from tokenctl.adapters.terminal import Terminal
from tokenctl.audit.anomaly import END, Anomaly
from tokenctl.audit.kinds import KINDS
from tokenctl.broker import asked, lifecycle
from tokenctl.broker import login as logins
from tokenctl.errors import LoginRequired, Refused, TokenctlError
from tokenctl.flows import sign_in
from tokenctl.model.event import Event
from tokenctl.model.profile import Profile, from_members
from tokenctl.model.session import Session
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage import machine as machines
from tokenctl.storage import vault as vaults
from tokenctl.storage.event_log import FOLDER, EventLog
from tokenctl.storage.keyring_store import KeyringStore
from tokenctl.storage.patience import Patience
from tokenctl.storage.vault import Vault

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
MONDAY = 1_800_230_400.0
"""The beginning of a Monday, UTC."""

Steps = Iterator[float]
"""What happens, step by step; each item is the seconds until the next step."""
Outcome = Session | TokenctlError | Killed


class World:
    """The time, and who lives in it."""

    def __init__(self, folder: Path, time: float = MONDAY) -> None:
        self.folder = folder
        self.time = time
        self.server = RotatingServer(time=lambda: self.time, let_pass=self.let_pass)
        self._names = itertools.count(1)

    def let_pass(self, seconds: float) -> None:
        """Let the time pass."""
        self.time += seconds

    def machine(self, state: str | None = None) -> "Machine":
        """Make a machine. It has a keyring of its own, and a state directory of its own or the one that is named."""
        name = f"Machine{next(self._names)}"
        return Machine(self, name, self.folder / (state or name))

    def run(self, *lives: Steps) -> None:
        """Let the lives go on side by side until each of them ends."""
        order = itertools.count()
        waiting = [(self.time, next(order), life) for life in lives]
        while waiting:
            at, _, life = heappop(waiting)
            self.time = max(self.time, at)
            with contextlib.suppress(StopIteration):
                pause = next(life)
                heappush(waiting, (self.time + pause, next(order), life))


class MachineClock(Clock):
    """A machine's two clocks: the wall clock is `offset` seconds ahead of the world's, and uptime can stand still."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._boots = itertools.count(1)
        self.offset = 0.0
        self.knows_uptime = True
        self.dies = False
        """Whether the process ends when it next reads the uptime."""
        self.boot()

    def boot(self) -> None:
        """Begin a new boot."""
        self._boot_id = f"boot-{next(self._boots)}-{id(self):x}"
        self._booted_at, self._stood_still = self._world.time, 0.0

    def resume(self, seconds: float) -> None:
        """Be a virtual machine that was suspended for the last seconds: both its clocks stood still."""
        self._stood_still += seconds
        self.offset -= seconds

    def gain(self, seconds: float) -> None:
        """Run too fast: both clocks have gained seconds."""
        self._stood_still -= seconds
        self.offset += seconds

    def now(self) -> float:
        """Tell the wall clock's time."""
        return self._world.time + self.offset

    def since_boot(self) -> float:
        """Return the seconds since the boot."""
        return self._world.time - self._booted_at - self._stood_still

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self._world.let_pass(seconds)

    def uptime(self) -> tuple[str, int] | None:
        """Name the boot and tell the milliseconds since."""
        if self.dies:
            self.dies = False
            raise Killed
        if not self.knows_uptime:
            return None
        return self._boot_id, int((self._world.time - self._booted_at - self._stood_still) * 1000)


class Machine:
    """A machine, with one profile `work`. Each command opens everything anew, as a process does."""

    def __init__(self, world: World, name: str, state: Path) -> None:
        self.world, self.name, self.state = world, name, state
        self.server = world.server
        self.clock = MachineClock(world)
        self.outcomes: list[Outcome] = []
        self.dies_with_answer = self.dies_after_commit = False
        self.opens_store = False
        """Whether each command opens the store that the store choice names; else it gets the keyring, which is faster."""
        self.said = io.StringIO()
        self._environ = {"TOKENCTL_STATE_DIR": str(state), "HOME": str(world.folder), "TOKENCTL_PASSPHRASE": "p"}
        memory_rings.forget(name)
        self.ring = memory_rings.of(name)
        self._id_file = world.folder / f"{name}.id"
        self._id_file.write_text(name)

    @property
    def profile(self) -> Profile:
        """The profile, whose store is the keyring of this machine."""
        backend = memory_rings.path_of(self.name)
        members = {"issuer": ISSUER, "client_id": CLIENT, "flow": "device", "keyring_backend": backend}
        return from_members("work", members | {"scope": "openid offline_access api mail"}, "test")

    @property
    def document(self) -> dict[str, Any]:
        """The session in the keyring."""
        found: dict[str, Any] = json.loads(self.ring.entries["tokenctl:work", "session"])
        return found

    def edit(self, **members: Any) -> None:
        """Change the entry in the keyring, as another program can."""
        self.ring.entries["tokenctl:work", "session"] = json.dumps(self.document | members)

    # -- commands --------------------------------------------------------------------------------------

    def ask(self, program: str = "git", **target: Any) -> Outcome:
        """Do what `token` does, or `token --scope S`. The person signs in again where nothing else helps."""
        refused = target.pop("refused", None)
        found = self.run(program, lambda runtime, vault: asked.token(runtime, vault, target, None, refused))
        if isinstance(found, LoginRequired) or [*map(type, self.outcomes[-3:])] == 3 * [Refused]:
            self.login()
        return found

    def refresh(self, program: str = "zsh") -> Outcome:
        """Do what `refresh` does."""
        from tokenctl.broker.renewal import renew_now

        return self.run(program, renew_now)

    def login(self) -> Outcome:
        """Do what `login` does; the person approves. It opens the store itself, so that the store choice is written."""
        before, self.opens_store = self.opens_store, True
        try:
            return self.run("zsh", self._login)
        finally:
            self.opens_store = before

    def _login(self, runtime: Runtime, vault: Vault) -> Session:
        vault = vaults.open_for_login(runtime, self.profile)
        logins.check(vault)
        return logins.login(runtime, vault, sign_in.prepare(runtime, self.profile), switch_account=False)

    def revoke(self) -> Outcome:
        """Do what `revoke` does."""

        def revoke(runtime: Runtime, vault: Vault) -> Session:
            session = vault.newest()
            lifecycle.revoke(runtime, vault)
            assert session is not None
            return session

        return self.run("zsh", revoke)

    def migrate(self, **settings: Any) -> Outcome:
        """Do what `store migrate` does: to the profile's keyring, or to what the settings say."""
        profile = replace(self.profile, **settings)

        def migrate(runtime: Runtime, vault: Vault) -> Session:
            lifecycle.migrate(runtime, profile)
            session = vaults.open(runtime, self.profile).newest()
            assert session is not None
            return session

        return self.run("zsh", migrate)

    def run(self, program: str, command: Callable[[Runtime, Vault], Session]) -> Outcome:
        """Run a command as a new process that this program started; return what it ends with."""
        runtime = Runtime(
            self._environ,
            send=self._send,
            clock=self.clock,
            terminal=Terminal(self._environ, err=self.said),
            store=None if self.opens_store else KeyringStore(self.ring(), patience=Patience(seconds=None)),
        )
        runtime.asked_by = program
        found: Outcome
        try:
            with self._being_this_machine():
                found = command(runtime, vaults.open(runtime, self.profile))
        except (TokenctlError, Killed) as error:
            found = error
        self.outcomes.append(found)
        return found

    @contextlib.contextmanager
    def _being_this_machine(self) -> Iterator[None]:
        """Let the system's file with the machine's id be this machine's: machines that share a home differ by it."""
        real = machines._MACHINE_ID_FILES
        machines._MACHINE_ID_FILES = (str(self._id_file),)  # type: ignore[assignment]
        machines.machine_id.cache_clear()
        try:
            yield
        finally:
            machines._MACHINE_ID_FILES = real
            machines.machine_id.cache_clear()

    def _send(self, request: Request) -> Response:
        response = self.server.send(request, self.clock.now)
        if self.dies_with_answer:
            self.dies_with_answer = False
            raise Killed
        self.clock.dies, self.dies_after_commit = self.dies_after_commit, False
        return response

    # -- what is known of it ---------------------------------------------------------------------------

    @property
    def log(self) -> EventLog:
        """The event log."""
        return EventLog(self.state / FOLDER)

    def events(self, *kinds: str) -> list[Event]:
        """Read the events of these kinds; all without any."""
        return [each for each in self.log.read() if not kinds or each.event in kinds]

    def anomalies(self) -> list[Anomaly]:
        """Do what `audit` does now."""
        return anomalies(self.log.read(), self.clock.now())


def anomalies(events: Iterable[Event], now: float) -> list[Anomaly]:
    """Find the anomalies in events, at a time."""
    ended = (*events, Event(event=END, profile="", at=now))
    return [found for kind in KINDS for each in kind.detect(ended) for found in each]
