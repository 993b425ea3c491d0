"""LiveToken: the token in memory, one who asks for all, and answers that each waiter has for itself."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support.commandline import LONG
from tests.support.flows import SetClock, always, profile_of, refreshes, rewritten
from tests.support.sessions import end_of
from tokenctl.errors import LoginRequired, StoreLocked, TokenctlError, Unreachable
from tokenctl.handoff.live_token import LiveToken
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore


class Counting(MemoryStore):
    """A store that counts how often it is read."""

    reads = 0
    closed = False
    """Whether it cannot be read, as a keyring that is locked."""

    def read(self, name: str) -> Session | None:
        self.reads += 1
        if self.closed:
            raise StoreLocked("the keyring is locked")
        return super().read(name)


class Moving(SetClock):
    """A clock that a test sets; nobody sleeps."""

    def __init__(self, time: float) -> None:
        super().__init__(lambda: self.time)
        self.time = time


class World:
    """A live token of a session that the demo server knows, with a store and a clock of the test's own."""

    def __init__(self, server: FaultyServer, session: Session, **settings: Any) -> None:
        self.server = server
        self.store = Counting()
        self.store.write("t", session)
        self.clock = Moving(session.obtained_at + 1)
        self.live = LiveToken(Runtime(store=self.store, clock=self.clock), profile_of(server), **settings)

    @property
    def refreshes(self) -> int:
        """How often the refresh token was presented."""
        return refreshes(self.server)


@pytest.fixture
def world(demo_server: FaultyServer, session: Session) -> World:
    """A session whose token is fresh."""
    return World(demo_server, session)


def test_a_fresh_token_is_read_once(world: World) -> None:
    """Until it nears its end the store is not looked at, and then it is renewed once."""
    first = world.live.get()
    reads = world.store.reads
    assert [world.live.get() for _ in range(5)] == [first] * 5 and world.store.reads == reads
    assert first.expires_at is not None
    world.clock.time = first.expires_at - 61
    assert world.live.get() == first and world.store.reads == reads
    world.clock.time = first.expires_at - 59
    assert world.live.get() != first and world.refreshes == 1


def test_a_clock_that_is_set_back_costs_a_look_at_the_store(world: World) -> None:
    """The token can be older than it seems."""
    first = world.live.get()
    world.clock.time -= 86400
    assert world.live.get() != first and world.refreshes == 1


def test_a_refused_token_is_replaced_once(world: World) -> None:
    """All who report the same token get the same other one, however late they come."""
    first = world.live.get()
    second = world.live.instead_of(first)
    assert second is not None and second != first
    assert [world.live.instead_of(first) for _ in range(5)] == [second] * 5
    assert asyncio.run(world.live.async_instead_of(first)) == second == asyncio.run(world.live.async_get())
    assert world.refreshes == 1


def test_a_token_that_is_refused_again_is_renewed_a_minute_later(world: World) -> None:
    """A renewal that did not help is not repeated for each request; an old token is another matter."""
    first = world.live.get()
    second = world.live.instead_of(first)
    assert second is not None
    world.clock.time = 2 + max(world.clock.time, Runtime().now())
    world.live.refused_too(second)
    assert world.live.instead_of(second) is None and asyncio.run(world.live.async_instead_of(second)) is None
    assert world.refreshes == 1


def test_an_old_token_that_is_refused_too_is_renewed(world: World) -> None:
    """It is of another process, and nobody has tried a renewal since the API refuses tokens."""
    first = world.live.get()
    world.clock.time += 200
    world.live.refused_too(first)
    assert world.live.instead_of(first) not in (None, first) and world.refreshes == 1


def test_a_server_that_gives_the_same_token_again_is_not_asked_for_each_request(world: World) -> None:
    """Some servers do so while the token lives; the API refuses it, and only time can help."""
    first = world.live.get()
    world.server.overrides["/token"] = rewritten(world.server, access_token=first.value, id_token=None)
    for _ in range(3):
        world.clock.time += 10
        assert world.live.instead_of(first) is None and asyncio.run(world.live.async_instead_of(first)) is None
    assert world.refreshes <= 2


def test_the_token_is_used_while_the_store_cannot_be_read(world: World) -> None:
    """A keyring that is locked near the token's end costs nothing until that end; a refused token is not used."""
    first = world.live.get()
    world.store.closed = True
    world.clock.time = (first.expires_at or 0) - 30
    assert world.live.get() == first == asyncio.run(world.live.async_get())
    with pytest.raises(StoreLocked):
        world.live.instead_of(first)
    world.clock.time = (first.expires_at or 0) + 1
    with pytest.raises(StoreLocked):
        world.live.get()
    world.store.closed = False
    assert world.live.get() != first


def test_who_asked_before_the_refusal_does_not_answer_for_it(world: World) -> None:
    """A thread reads the stored token, which an API has just refused: who reported that gets another one."""
    first = world.live.get()
    fresh = LiveToken(Runtime(store=world.store, clock=world.clock), world.live.profile)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(fresh.get)
        assert pool.submit(fresh.instead_of, first).result() not in (None, first)
    assert world.refreshes == 1


@pytest.mark.parametrize(
    ("reply", "kind"), [(json_reply({"error": "invalid_grant"}, 400), LoginRequired), (Reply(status=503), Unreachable)]
)
def test_each_who_waits_gets_an_error_of_its_own(world: World, reply: Reply, kind: type[TokenctlError]) -> None:
    """To raise an error changes it; the copy has the message, the hint and no variable of the broker."""
    world.clock.time = 1 + (world.live.get().expires_at or 0)
    barrier = threading.Barrier(6)

    def late(request: object) -> Reply:
        return replace(reply, delay=0.5)

    world.server.overrides["/token"] = late

    def ask(number: int) -> TokenctlError:
        barrier.wait(LONG)
        with pytest.raises(kind) as caught:
            asyncio.run(world.live.async_get()) if number % 2 else world.live.get()
        files = [entry.path.name for entry in caught.traceback if hasattr(entry.path, "name")]
        assert "current.py" not in files and "renewal.py" not in files
        return caught.value

    with ThreadPoolExecutor(6) as pool:
        errors = list(pool.map(ask, range(6)))
    assert len({id(each) for each in errors}) == 6
    assert len({(each.message, each.hint, str(each), type(each)) for each in errors}) == 1
    assert world.refreshes == 1


def test_it_works_again_after_an_error(world: World) -> None:
    """The server was away; a later caller gets a token."""
    world.clock.time = 1 + (world.live.get().expires_at or 0)
    world.server.overrides["/token"] = always(Reply(status=503))
    with pytest.raises(Unreachable):
        world.live.get()
    world.server.overrides.clear()
    world.clock.time += 600
    world.live.get()


def test_a_token_that_is_shorter_than_wanted_is_used_for_a_while(demo_server: FaultyServer, session: Session) -> None:
    """The server is away, and the token lives: it is not asked again for each request."""
    world = World(demo_server, session)
    world.clock.time = end_of(session) - 30
    world.server.overrides["/token"] = always(Reply(status=503))
    assert len({world.live.get().value for _ in range(5)}) == 1
    assert world.refreshes == 1


@pytest.mark.parametrize("how", ["get", "instead_of"])
def test_many_threads_and_tasks_make_one_renewal(world: World, how: str) -> None:
    """However they ask, and in however many event loops."""
    first = world.live.get()
    ask: Callable[[], Any] = world.live.get
    ask_async: Callable[[], Any] = world.live.async_get
    if how == "get":
        world.clock.time = 1 + (first.expires_at or 0)
    else:
        ask, ask_async = lambda: world.live.instead_of(first), lambda: world.live.async_instead_of(first)

    async def tasks() -> list[Any]:
        return await asyncio.gather(*(ask_async() for _ in range(20)))

    with ThreadPoolExecutor(24) as pool:
        loops = [pool.submit(lambda: asyncio.run(tasks())) for _ in range(4)]
        threads = [pool.submit(ask) for _ in range(20)]
        found = {each.value for loop in loops for each in loop.result()} | {each.result().value for each in threads}
    assert len(found) == 1 and first.value not in found
    assert world.refreshes == 1
