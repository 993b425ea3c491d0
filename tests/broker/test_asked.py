"""A token within some time: `--wait` outlives a server that is down, and asks it no more often than it may."""

import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support.demo_server import Make
from tests.support.flows import PassingClock, SetClock, machine_profile, profile_of, refreshes
from tests.support.sessions import end_of
from tokenctl.broker import asked
from tokenctl.errors import Busy, LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.memory_store import MemoryStore

DOWN = Unreachable("the server is down")
SECRET = {"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}


class Meanwhile(PassingClock):
    """A clock that moves by sleeping alone, since boot too; `happens` is done when so much time has passed."""

    def __init__(self, time: float, after: float = 0, happens: Callable[[], object] | None = None) -> None:
        super().__init__(time)
        self._begun = time
        self._after, self._happens = after, happens

    def since_boot(self) -> float:
        return self.time - self._begun

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self._happens is not None and self.since_boot() >= self._after:
            happens, self._happens = self._happens, None
            happens()


def within(seconds: int, profile: Profile, clock: SetClock, store: MemoryStore | None = None, **rest: Any) -> Session:
    """Do what `token --wait` does."""
    environ = {"TOKENCTL_STATE_DIR": os.environ["TOKENCTL_STATE_DIR"], **SECRET} if profile.by_machine else {}
    runtime = Runtime(environ or None, store=store or MemoryStore(), clock=clock, **rest)
    return asked.token_within(runtime, vaults.open(runtime, profile), {}, None, seconds)


@pytest.mark.parametrize(
    ("seconds", "tried_at"),
    [(0, [0]), (1, [0, 1]), (20, [0, 1, 3, 7, 15, 20]), (150, [0, 1, 3, 7, 15, 31, 61, 91, 121, 150])],
)
@pytest.mark.parametrize("error", [DOWN, Busy("another process has the lock")], ids=["unreachable", "busy"])
def test_the_pauses_double_to_half_a_minute(
    demo_server: FaultyServer, seconds: int, tried_at: list[int], error: TokenctlError
) -> None:
    """The last try is at the end of the time, and its error is the one."""
    clock, tries = Meanwhile(1_800_000_000.0), []

    def send(request: Request) -> Response:
        tries.append(round(clock.since_boot()))
        raise error

    with pytest.raises(type(error)) as caught:
        within(seconds, machine_profile(demo_server), clock, send=send)
    assert tries == tried_at and caught.value is error


def test_a_suspended_machine_does_not_wait_longer(demo_server: FaultyServer) -> None:
    """The time since boot counts, sleep of the machine included, and not the wall clock, which somebody sets."""
    clock, tries = Meanwhile(1_800_000_000.0), []

    def send(request: Request) -> Response:
        tries.append(clock.since_boot())
        clock.time += 1_000
        raise DOWN

    with pytest.raises(Unreachable):
        within(600, machine_profile(demo_server), clock, send=send)
    assert tries == [0]


@pytest.mark.parametrize("first", [False, True], ids=["renewal", "first token"])
def test_a_server_that_comes_back(
    make_server: Make, session: Session, store: MemoryStore, demo_server: FaultyServer, first: bool
) -> None:
    """A session is renewed, and a machine gets its first token, as soon as the server answers again."""
    server = demo_server if not first else make_server()
    server.stop()
    clock = Meanwhile(float(end_of(session) + 10), 40, server.start)
    if first:
        found = within(120, machine_profile(server), clock)
        assert found.flow == "client-credentials"
    else:
        found = within(120, profile_of(server), clock, store)
        assert found.generation == 2 and server.reuse_detections == 0
    assert 40 <= clock.since_boot() <= 70


@pytest.mark.parametrize("first", [False, True], ids=["renewal", "first token"])
@pytest.mark.parametrize(("asks", "tried_at"), [(7, [0, 7, 14, 21]), (31, [0])])
def test_the_servers_own_pause_is_kept(
    demo_server: FaultyServer, session: Session, store: MemoryStore, first: bool, asks: int, tried_at: list[int]
) -> None:
    """No request is sent in it, and a pause that ends after the time is not waited for: the error comes at once."""
    clock, asked_at = Meanwhile(float(end_of(session) + 10)), []

    def overloaded(_: Received) -> Reply:
        asked_at.append(round(clock.since_boot()))
        return Reply(status=503, headers={"Retry-After": str(asks)})

    demo_server.overrides["/token"] = overloaded
    with pytest.raises(Unreachable, match="overloaded"):
        within(25, machine_profile(demo_server) if first else profile_of(demo_server), clock, None if first else store)
    assert asked_at == tried_at and clock.since_boot() == tried_at[-1]


def test_a_refresh_token_without_an_answer_is_not_presented_more_often(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Twice at once, then in the journal's pauses: a caller that comes again is any caller."""
    clock, presented = Meanwhile(float(end_of(session) + 10)), []

    def lost(_: Received) -> Reply:
        presented.append(round(clock.since_boot()))
        return Reply(drop_before=True)

    demo_server.overrides["/token"] = lost
    with pytest.raises(Unreachable, match="requests"):
        within(60, profile_of(demo_server), clock, store)
    gaps = [later - earlier for earlier, later in itertools.pairwise(presented[1:])]
    assert presented[:2] == [0, 1] and all(gap >= 2**index for index, gap in enumerate(gaps)) and len(gaps) >= 4
    demo_server.overrides.clear()
    clock.time += 300
    assert within(0, profile_of(demo_server), clock, store).generation == 2


def test_another_processs_pause_is_waited_for(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """The journal says how long, and the first request is sent after that."""
    demo_server.overrides["/token"] = lambda _: Reply(status=503, headers={"Retry-After": "20"})
    with pytest.raises(Unreachable):
        within(0, profile_of(demo_server), Meanwhile(float(end_of(session) + 10)), store)
    demo_server.overrides.clear()
    clock = Meanwhile(float(end_of(session) + 12))
    assert within(60, profile_of(demo_server), clock, store).generation == 2
    assert clock.since_boot() == 18 and refreshes(demo_server) == 2


@pytest.mark.parametrize(
    ("document", "error"), [({"error": "invalid_grant"}, LoginRequired), ({"error": "invalid_scope"}, Refused)]
)
def test_what_time_does_not_mend_ends_it(
    demo_server: FaultyServer, session: Session, store: MemoryStore, document: object, error: type[TokenctlError]
) -> None:
    """A session that is dead, and a refusal, are told at once."""
    demo_server.overrides["/token"] = lambda _: json_reply(document, 400)
    clock = Meanwhile(float(end_of(session) + 10))
    with pytest.raises(error):
        within(60, profile_of(demo_server), clock, store)
    assert refreshes(demo_server) == 1 and clock.since_boot() == 0


def test_the_reason_is_told_with_verbose(demo_server: FaultyServer, capsys: pytest.CaptureFixture[str]) -> None:
    """With -v each pause has a line: why, and how long. Without it a job's log has the first one; stdout has none."""

    def send(request: Request) -> Response:
        raise DOWN

    for verbose in (True, False):
        with pytest.raises(Unreachable):
            within(3, machine_profile(demo_server), Meanwhile(1_800_000_000.0), send=send, verbose=verbose)
        said = capsys.readouterr()
        told = [line for line in said.err.splitlines() if "trying again in" in line]
        assert said.out == "" and len(told) == (2 if verbose else 1)
        assert all(line.startswith("tokenctl: the server is down; trying again in ") for line in told)


def test_a_session_that_another_process_stored_meanwhile_is_used(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Each try looks anew, so a login elsewhere ends the wait."""
    demo_server.overrides["/token"] = lambda _: Reply(status=503)
    moment = end_of(session) + 10
    newer = replace(
        session, access_token="newer", generation=5, obtained_at=moment, expires_at=moment + 900, booted_at_ms=None
    )
    clock = Meanwhile(float(moment), 3, lambda: store.write("t", newer))
    assert within(60, profile_of(demo_server), clock, store).access_token == "newer"
