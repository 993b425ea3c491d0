"""What one run of the program uses: environment, clock, terminal, browser, transport; each opened on first use."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tokenctl.adapters import private_process
from tokenctl.adapters.clock import Clock
from tokenctl.adapters.terminal import Terminal
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.model.store import Store

if TYPE_CHECKING:
    from tokenctl.adapters.browser import Browser
    from tokenctl.adapters.claim import Claim
    from tokenctl.adapters.pools import Connections
    from tokenctl.config.config_file import Config
    from tokenctl.oauth.wire import Request, Response

Send = Callable[["Request"], "Response"]


class Runtime:
    """One run of the program.

    A program that uses this one, such as a test, may pass its own `send`, `clock`, `browser`, `terminal`, and `store`,
    which then keeps every profile's session. `environ` None means the environment of this process.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        config_file: str | None = None,
        verbose: bool = False,
        send: Send | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        browser: "Browser | None" = None,
        terminal: Terminal | None = None,
    ) -> None:
        self.environ = private_process.environment() if environ is None else environ
        self.config_file = config_file
        self.terminal = terminal or Terminal(self.environ, verbose=verbose)
        self.entropy = os.urandom
        self._clock = clock or Clock()
        self._send = send
        self._ends_at: float | None = None
        self._connections: Connections | None = None
        self._browser = browser
        self.store = store
        self._warned = False
        self.keeps_events = True
        """Whether this run writes the event log."""
        self.events_failed_at: float | None = None
        """When the event log could not be written, in seconds since boot: this run or its worker has warned."""
        self.looks_only = False
        """Whether this run changes nothing; see `look_only`."""

    def look_only(self) -> None:
        """Change nothing from here on: write no event, make no folder, take no lock, open no window of a keyring."""
        self.looks_only, self.keeps_events = True, False

    @property
    def is_default(self) -> bool:
        """Tell whether a worker process would have the same transport and store, because none was passed."""
        return self._send is None and self.store is None

    def now(self) -> int:
        """The time: integer epoch seconds."""
        return int(self._clock.now())

    def clock(self) -> float:
        """The time to the millisecond, to tell what came first: epoch seconds."""
        return float(self._clock.now())

    def since_boot(self) -> float:
        """Return the seconds since this machine booted: for deadlines that two processes share."""
        return self._clock.since_boot()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._clock.sleep(seconds)

    def uptime(self) -> tuple[str, int] | None:
        """Name this boot, and tell the milliseconds since; None where the platform cannot tell both."""
        return self._clock.uptime()

    def time_of(self, session: Session) -> int:
        """Tell the time to judge a session's access token by, in epoch seconds; see `Session.time`."""
        boot_id, uptime = self._clock.uptime() or (None, 0)
        return session.time(self.now(), boot_id, uptime)

    def earliest_time_of(self, session: Session) -> int:
        """Tell the earlier time of the two clocks, in epoch seconds: what it says has passed, whichever clock is wrong."""
        boot_id, uptime = self._clock.uptime() or (None, 0)
        now = self.now()
        return min(now, session.time_by_uptime(now, boot_id, uptime))

    def moment(self) -> dict[str, Any]:
        """Read both clocks, as members of a response: when its request was sent, and in which boot."""
        boot_id, uptime = self._clock.uptime() or (None, 0)
        now = self._clock.now()  # read once and last: so the boot is never too early, and no token looks younger
        booted_at = int(now * 1000) - uptime if boot_id else None
        return {"sent_at": int(now), "boot_id": boot_id, "booted_at_ms": booted_at}

    @cached_property
    def config(self) -> "Config":
        """The config file, read once."""
        from tokenctl.config import config_file  # a worker has its profile from its caller

        return config_file.load(self.environ, self.config_file)

    def profile(self, name: str | None) -> Profile:
        """Pick the profile that `-p`, the environment or the config file means."""
        from tokenctl.config import environment

        profile = environment.choose(self.config, self.environ, name)
        self.warn_of_variables(profile, name)
        return profile

    def profile_for(self, name: str | None, origin: str) -> Profile:
        """Pick the profile that may give its token to the origin; see `environment.choose_for`."""
        from tokenctl.config import environment

        profile = environment.choose_for(self.config, self.environ, name, origin)
        self.warn_of_variables(profile, profile.name)
        return profile

    def asked(self, profile: Profile) -> dict[str, Any]:
        """Return the target that the environment asks for within the session of the profile; see `environment.asked`."""
        from tokenctl.config import environment

        return environment.asked(self.environ, profile)

    def warn_of_variables(self, profile: Profile, name: str | None) -> None:
        """Warn once of `TOKENCTL_*` variables that have no effect."""
        if not self._warned:
            from tokenctl.config import environment, variables

            self._warned = True
            ad_hoc = environment.is_ad_hoc(self.config, self.environ, name)
            for text in variables.warnings(self.environ, profile, ad_hoc=ad_hoc):
                self.terminal.warning(text)

    def send(self, profile: Profile, request: "Request", claim: "Claim | None" = None) -> "Response":
        """Send a request, trusting the profile's CA beside the system's; see `Transport.send`.

        The response says when the request was sent, by both clocks of this run.
        """
        moment, started = self.moment(), time.monotonic()
        response: Response | None = None
        try:
            response = self._answer(profile, request, claim)
        finally:  # also when there is no response
            self.terminal.detail(_report(request, response, time.monotonic() - started))
        return replace(response, **moment)

    def _answer(self, profile: Profile, request: "Request", claim: "Claim | None") -> "Response":
        if self._send is not None:
            if claim is not None:
                claim.take()
            return self._send(request)
        from tokenctl.adapters.transport import TOTAL, Transport

        left = TOTAL if self._ends_at is None else max(0.0, min(TOTAL, self._ends_at - self.since_boot()))
        with self.terminal.delayed_progress(f"tokenctl: waiting for {request.url.split('/')[2]} "):
            return Transport(profile.ca_file, left, self.environ, self._connections).send(request, claim)

    @contextmanager
    def requests_end_at(self, moment: float | None) -> Iterator[None]:
        """Let every request of the block end by a moment, in seconds since boot."""
        before, self._ends_at = self._ends_at, moment
        try:
            yield
        finally:
            self._ends_at = before

    @contextmanager
    def sharing_connections(self) -> Iterator[None]:
        """Let a request of the block that presents nothing use a connection that an earlier one opened."""
        from tokenctl.adapters.pools import Connections

        with closing(Connections()) as self._connections:
            try:
                yield
            finally:
                self._connections = None

    @cached_property
    def asked_by(self) -> str | None:
        """The base name of the program that started this one; None when it is not known."""
        from tokenctl.adapters import parent_process

        return parent_process.name()

    @cached_property
    def browser(self) -> "Browser":
        """The person's browser."""
        from tokenctl.adapters.browser import Browser

        return self._browser or Browser(self.environ)


def _report(request: "Request", response: "Response | None", seconds: float) -> str:
    """Tell what became of a request: method, URL without its query, status, time, reason; never a secret."""
    status = "no response" if response is None else f"HTTP {response.status}"
    parts = [f"{request.method} {request.url.partition('?')[0]}: {status} after {seconds:.2f} s"]
    if request.reason:
        parts[0] += f" ({request.reason})"
    if response is not None and response.proxy:
        parts.append(f"through the proxy {response.proxy}")
    if response is not None and response.retry_after is not None:
        parts.append(f"it asks to wait {response.retry_after} s")
    return ", ".join(parts)
