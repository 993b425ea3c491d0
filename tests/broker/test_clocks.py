"""Two clocks that can both be wrong: the wall clock, which is set, and the time since boot, which a snapshot restores."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.servers.faulty_server import FaultyServer
from tests.support import broker
from tests.support.flows import PassingClock, profile_of, refreshes
from tests.support.sessions import end_of
from tests.support.sessions import session as some_session
from tokenctl.adapters.clock import Clock
from tokenctl.adapters.transport import Transport
from tokenctl.broker.current import SOFT_WINDOW, current
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.memory_vault import MemoryVault


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What all clocks said when the request for a token was sent."""

    true: float
    wall: float
    boot: int
    uptime: float


class World(Clock):
    """A machine with a true time that nobody there knows, and a server that answers every renewal."""

    def __init__(self, life: int, *, has_uptime: bool) -> None:
        self.life, self.has_uptime = life, has_uptime
        self.true, self.offset, self.boot, self.up = 1_800_000_000.0, 0.0, 1, 5000.0
        self.asleep = 0.0  # seconds that the machine will sleep inside the next request
        self.jumps = self.needless = 0
        self.sent: dict[str, Sent] = {}
        self.runtime = Runtime({}, send=self.send, clock=self, store=MemoryStore())
        profile = Profile(name="t", issuer="https://a.example", client_id="c", flow="browser")
        self.vault = MemoryVault(self.runtime, profile)
        self.newest = "at"
        self.sent["at"] = self.now_sent()
        moment = self.runtime.moment()
        obtained_at = moment.pop("sent_at")
        session = some_session(obtained_at=obtained_at, expires_at=obtained_at + life, **moment)
        self.vault.publish(session)

    def now(self) -> float:
        return self.true + self.offset

    def since_boot(self) -> float:
        return self.up

    def uptime(self) -> tuple[str, int] | None:
        return (f"boot-{self.boot}", int(self.up * 1000)) if self.has_uptime else None

    def sleep(self, seconds: float) -> None:
        self.true, self.up = self.true + seconds, self.up + seconds

    def now_sent(self) -> Sent:
        return Sent(true=self.true, wall=self.now(), boot=self.boot, uptime=self.up)

    def send(self, request: Request) -> Response:
        """Renew, and say whether that was needless: the newest token is young, by the true time."""
        self.needless += self.true - self.sent[self.newest].true < self.life - min(SOFT_WINDOW, self.life // 2) - 1
        self.newest = f"at-{len(self.sent)}"
        self.sent[self.newest] = self.now_sent()
        answer = {"access_token": self.newest, "refresh_token": f"rt-{len(self.sent)}", "expires_in": self.life}
        self.sleep(self.asleep)
        self.asleep = 0.0
        return Response(status=200, received_at=int(self.now()), body=json.dumps(answer).encode())

    # -- what happens ------------------------------------------------------------------------------

    def set_clock(self, step: float) -> None:
        """Somebody sets the wall clock."""
        self.offset += step
        self.jumps += 1

    def restore(self, age: float) -> None:
        """Resume a virtual machine from a snapshot: both clocks go on where they were."""
        age = min(age, self.up)
        self.offset, self.up = self.offset - age, self.up - age
        self.jumps += 1

    def reboot(self, _: float) -> None:
        """Boot; the wall clock goes on."""
        self.boot, self.up = self.boot + 1, 3.0

    def sleep_in_request(self, seconds: float) -> None:
        """Close the laptop while the next answer is on its way."""
        self.asleep = seconds
        self.jumps += 1

    def ask(self) -> None:
        """Ask for a token, and judge it by each clock."""
        found = current(self.runtime, self.vault, 0)
        sent = self.sent[found.access_token]
        ages = [self.now() - sent.wall]
        if self.has_uptime and self.boot == sent.boot:
            ages.append(self.up - sent.uptime)
        assert all(-1 < age < self.life for age in ages), "a token was handed out that a clock says is over"
        assert self.needless <= self.jumps, "a jump cost more than one renewal"


Event = tuple[Callable[[World, float], None], float]
EVENTS: list[Event] = [
    *((World.sleep, seconds) for seconds in (0.4, 14.0, 300.0, 700.0, 899.0)),
    *((World.set_clock, step) for step in (-3e7, -200.0, -0.3, 0.3, 200.0, 3e7)),
    *((World.restore, age) for age in (300.0, 700.0)),
    *((World.sleep_in_request, seconds) for seconds in (700.0, 86400.0)),
    (World.reboot, 0.0),
]


@example(900, True, [(World.sleep, 700.0), (World.set_clock, -200.0), (World.sleep, 300.0)])
@example(900, True, [(World.sleep, 700.0), (World.restore, 700.0), (World.set_clock, 1000.0)])
@settings(max_examples=400, deadline=None)
@given(st.sampled_from([31, 900, 900]), st.booleans(), st.lists(st.sampled_from(EVENTS), min_size=5, max_size=25))
def test_no_jump_shows_an_expired_token_as_fresh_or_costs_two_renewals(
    life: int, has_uptime: bool, happens: list[Event]
) -> None:
    """What is handed out lives by both clocks, and each jump or sleep costs one renewal at most."""
    world = World(life, has_uptime=has_uptime)
    for event, amount in happens:
        event(world, amount)
        world.ask()


@pytest.mark.parametrize("step", [365 * 86400, -365 * 86400, 7200, -7200])
def test_after_a_clock_was_set_there_is_one_renewal_and_then_calm(step: int) -> None:
    """No loop, whichever way the clock went, and with expiry times that only the server's clock could tell."""
    world = World(900, has_uptime=True)
    world.set_clock(step)
    for _ in range(5):
        world.ask()
    assert len(world.sent) == 2


def test_a_laptop_that_slept_inside_the_request_has_no_fresh_token(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """The token's life is counted from when the request was sent; one that is used up when it arrives is renewed."""
    clock = PassingClock(end_of(session), up=("boot", 1000))
    nights = iter([8 * 3600, 0])

    def send(request: Request) -> Response:
        response = Transport().send(request)
        clock.time += next(nights) if "/token" in request.url else 0
        return response

    given = broker.current(Runtime(store=store, clock=clock, send=send), profile_of(demo_server))
    assert refreshes(demo_server) == 2
    assert given.obtained_at >= end_of(session) + 8 * 3600 and given.lifetime == 900
