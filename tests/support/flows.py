"""Flows in one process: a person who is quick, a clock that moves when told, a profile of the demo server."""

import io
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.servers.faulty_server import FaultyServer, Override, Received, Reply, json_reply
from tests.support.broker import sign_in
from tests.support.broker import vault as open_vault
from tests.support.fetch import fetch
from tokenctl import flows
from tokenctl.adapters.browser import Browser
from tokenctl.adapters.clock import Clock
from tokenctl.adapters.transport import Transport
from tokenctl.broker.worker import work
from tokenctl.errors import StoreUnavailable
from tokenctl.flows import clients
from tokenctl.model.profile import Profile, from_members
from tokenctl.model.renewal_job import Grant, RenewalJob
from tokenctl.model.session import Session
from tokenctl.model.store import Store
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.memory_vault import MemoryVault

SCOPE = "openid offline_access api"


class SetClock(Clock):
    """A wall clock that tells what `tell` answers; nobody sleeps, and nobody knows the time since boot."""

    def __init__(self, tell: Callable[[], float]) -> None:
        self._tell = tell
        self.slept: list[float] = []

    def now(self) -> float:
        """Tell the time that was set."""
        return self._tell()

    def sleep(self, seconds: float) -> None:
        """Remember it, and go on at once."""
        self.slept.append(seconds)

    def uptime(self) -> tuple[str, int] | None:
        """Know nothing."""
        return None


class PassingClock(SetClock):
    """A clock that moves only by sleeping, and remembers the sleeps; `up` is the boot and the milliseconds since."""

    def __init__(self, time: float = 1_800_000_000.0, up: tuple[str, int] | None = None) -> None:
        super().__init__(lambda: self.time)
        self.time = time
        self.up = up

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        super().sleep(seconds)
        self.time += seconds

    def uptime(self) -> tuple[str, int] | None:
        """Tell what was set."""
        return self.up

    def send(self, request: Request) -> Response:
        """Send for real, and say that the answer came at this clock's time."""
        return replace(Transport().send(request), received_at=int(self.time))


class Screen(io.StringIO):
    """A terminal that remembers what was written."""

    def isatty(self) -> bool:
        """Be one."""
        return True


class QuickBrowser(Browser):
    """A browser that is always there, and remembers the addresses that it opens."""

    present = True  # fixed here, found out there

    def __init__(self, visit: Callable[[str], object], opened: list[str]) -> None:
        super().__init__({})
        self._visit = visit
        self._opened = opened

    def open(self, url: str) -> None:
        """Remember the address, and go there."""
        self._opened.append(url)
        threading.Thread(target=self._visit, args=(url,), daemon=True).start()


def here(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Add the test's own state directory: without it the one of the person who runs the tests would be used."""
    return {"TOKENCTL_STATE_DIR": os.environ["TOKENCTL_STATE_DIR"], **environ}


class Person(Runtime):
    """A runtime with a person at the browser, who opens every address at once."""

    def __init__(
        self,
        environ: Mapping[str, str] = {},
        *,
        visit: Callable[[str], object] = fetch,
        store: Store | None = None,
        **rest: Any,
    ) -> None:
        self.opened: list[str] = []
        browser = QuickBrowser(visit, self.opened)
        super().__init__(here(environ), store=store or MemoryStore(), browser=browser, **rest)


def profile_of(server: FaultyServer, **members: Any) -> Profile:
    """Make a profile of the demo's public client; None leaves a member out."""
    known = {"issuer": server.issuer, "client_id": "tokenctl-demo", "scope": SCOPE, "flow": "browser", **members}
    return from_members("t", {name: value for name, value in known.items() if value is not None}, "test")


def machine_profile(server: FaultyServer, **members: Any) -> Profile:
    """Make a profile of the demo's machine."""
    machine = {"client_id": "tokenctl-demo-ci", "scope": "api", "flow": "client-credentials"}
    return profile_of(server, **{**machine, **members})


def signed_in(server: FaultyServer, **members: Any) -> Session:
    """Sign in by the browser, and return the session."""
    return sign_in(Person(), profile_of(server, **members))


def renew(runtime: Runtime, profile: Profile, session: Session) -> Session:
    """Ask for the session's successor, and keep it nowhere that lasts."""
    grant = Grant.CREDENTIALS if session.refresh_token is None else Grant.REFRESH_TOKEN
    secret = clients.secret_of_session(runtime, open_vault(runtime, profile), session)
    job = RenewalJob(profile=profile, session=session, grant=grant, secret=secret)
    flows.of(session.flow).check_renewable(job)
    return work(runtime, MemoryVault(Runtime(), profile), job).session


def rewritten(server: FaultyServer, **members: Any) -> Override:
    """Make an override that answers as usual, but with these members; None takes one out."""

    def override(request: Received) -> Reply:
        document = server.answer(request).document | members
        return json_reply({name: value for name, value in document.items() if value is not None})

    return override


def change_metadata(server: FaultyServer, **members: Any) -> None:
    """Let both documents of the server's metadata have these members; None takes one out."""
    for name in ("openid-configuration", "oauth-authorization-server"):
        server.overrides[f"/.well-known/{name}"] = rewritten(server, **members)


def always(reply: Reply) -> Override:
    """Make an override that answers every request with one reply."""
    return lambda request: reply


def refreshes(server: FaultyServer) -> int:
    """How often a refresh token was presented."""
    return server.count("/token", "refresh_token")


def at(moment: float, store: MemoryStore, **rest: Any) -> Runtime:
    """A runtime whose clock stands at a moment, and that does not sleep."""
    return Runtime(store=store, clock=SetClock(lambda: moment), **rest)


def lock_of(profile: str = "t") -> Path:
    """Where the profile's lock is; its folder is made."""
    path = Path(os.environ["TOKENCTL_STATE_DIR"]) / profile / "lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


class Failing(MemoryStore):
    """A store that can be read and, once `broken`, not written."""

    broken = False

    def write(self, profile: str, session: Session) -> None:
        """Fail, or keep."""
        if self.broken:
            raise StoreUnavailable("the keyring went away")
        super().write(profile, session)
