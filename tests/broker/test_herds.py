"""Many processes at once: one request, and nobody waits longer than need be."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.killing.scene import wait_until
from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.aging import age
from tests.support.commandline import LONG, Home, Result, Started, open_files
from tests.support.demo_server import Make
from tests.support.flows import PassingClock, always, at, lock_of, profile_of, refreshes
from tests.support.sessions import end_of
from tokenctl.errors import TokenctlError, Unreachable
from tokenctl.model.session import Session
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive
from tokenctl.storage.memory_store import MemoryStore

# -- races -----------------------------------------------------------------------------------------


def test_twenty_processes_renew_once(home: Home, make_server: Make) -> None:
    """Twenty processes meet an expired session: the server sees one refresh, and all print the same token."""
    server = make_server()
    assert home.login(server.issuer).status == 0
    age(home)
    results = home.race(20, "token")
    assert {each.status for each in results} == {0}, [each.stderr for each in results]
    assert len({each.stdout for each in results}) == 1
    assert (refreshes(server), server.reuse_detections) == (1, 0)


def test_twenty_refreshes_take_turns(home: Home, demo_server: FaultyServer) -> None:
    """By request each process renews, one after the other, and no refresh token is used twice."""
    assert home.login(demo_server.issuer).status == 0
    results = home.race(8, "refresh")
    assert {each.status for each in results} == {0}, [each.stderr for each in results]
    assert (refreshes(demo_server), demo_server.reuse_detections) == (8, 0)
    assert home.run("token").status == 0


def herd(home: Home, server: FaultyServer, processes: int, reply: Reply) -> list[Result]:
    """Sign in with a token that has expired, start processes that need one, and answer when all of them wait."""
    assert home.login(server.issuer).status == 0
    age(home)
    waiting = threading.Event()

    def late(request: Received) -> Reply:
        waiting.wait(LONG)
        return reply

    server.overrides["/token"] = late
    lock = Path(home.environ["TOKENCTL_STATE_DIR"]) / "t" / "lock"

    def all_wait(started: Sequence[Started]) -> None:
        wait_until(lambda: all(each.poll() is not None or lock in open_files(each.pid) for each in started))
        waiting.set()

    return home.race(processes, "token", meanwhile=all_wait)


def test_a_herd_at_a_dead_refresh_token_asks_once(home: Home, make_server: Make) -> None:
    """Ten processes meet a session that the server ended: one request, and each says so in one line."""
    server = make_server()
    results = herd(home, server, 10, json_reply({"error": "invalid_grant"}, 400))
    assert [(each.status, each.stdout) for each in results] == [(4, "")] * 10, [each.stderr for each in results]
    assert [each.stderr.count("tokenctl: error:") for each in results] == [1] * 10
    assert refreshes(server) == 1
    assert (home.run("token").status, home.run("refresh").status, refreshes(server)) == (4, 4, 1)


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"error": "invalid_request"}, 400),
        json_reply({"error": "invalid_client"}, 401),
        Reply(status=401),
        Reply(status=403, headers={"Content-Type": "text/html"}, body=b"<h1>No"),
    ],
    ids=["invalid_request", "invalid_client", "empty 401", "HTML 403"],
)
def test_a_herd_that_is_refused_asks_once(home: Home, make_server: Make, reply: Reply) -> None:
    """Six processes meet a server that refuses in its own way: one request, and each is told so, and what to do."""
    server = make_server()
    results = herd(home, server, 6, reply)
    assert [(each.status, each.stdout) for each in results] == [(5, "")] * 6, [each.stderr for each in results]
    assert [each.stderr.count("tokenctl: error:") for each in results] == [1] * 6
    assert all("tokenctl: hint: " in each.stderr for each in results)
    assert refreshes(server) == 1
    server.overrides.clear()
    assert home.run("token").status == 0


def test_a_herd_at_an_overloaded_server_asks_once(home: Home, make_server: Make) -> None:
    """Ten processes meet a server that asks for patience: one request, and all end with exit status 6."""
    server = make_server()
    results = herd(home, server, 10, Reply(status=503, headers={"Retry-After": "60"}))
    assert [(each.status, each.stdout) for each in results] == [(6, "")] * 10, [each.stderr for each in results]
    assert [each.stderr.count("tokenctl: error:") for each in results] == [1] * 10
    assert refreshes(server) == 1


# -- the soft window -------------------------------------------------------------------------------


def test_nobody_waits_for_an_early_renewal(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """Shortly before it is needed one process renews, and whoever finds the lock taken has a token that is good."""
    runtime, profile = at(end_of(session) - 70, store), profile_of(demo_server)
    start = time.monotonic()  # who waits for the lock waits for 60 s
    with exclusive(lock_of()):
        assert broker.current(runtime, profile) == session
    assert time.monotonic() - start < 30 and refreshes(demo_server) == 0
    assert broker.current(runtime, profile).generation == 2 and refreshes(demo_server) == 1


@pytest.mark.parametrize("reply", [Reply(status=503), json_reply({"error": "invalid_grant"}, 400), Reply(status=400)])
def test_an_early_renewal_may_fail(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """The token at hand is good enough, and nothing is said."""
    demo_server.overrides["/token"] = always(reply)
    assert broker.current(at(end_of(session) - 70, store), profile_of(demo_server)) == session
    assert refreshes(demo_server) == 1 and capsys.readouterr().err == ""


def test_an_early_renewal_that_takes_too_long_hands_out_no_expired_token(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """What was good enough before a request may be over after it."""
    clock = PassingClock(end_of(session) - 10)

    def hangs(request: Request) -> Response:
        clock.sleep(30)
        raise Unreachable("timed out", sent=True)

    runtime = Runtime(store=store, clock=clock, send=hangs)
    with pytest.raises(TokenctlError):
        pytest.fail(f"expired at {broker.current(runtime, profile_of(demo_server), 0).expires_at}, now {clock.time}")


@pytest.mark.parametrize(
    "reply",
    [Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Pay"), Reply(status=502), Reply(status=504)],
    ids=["HTML 200", "502", "504"],
)
def test_a_herd_that_gets_no_answer_asks_twice(home: Home, make_server: Make, reply: Reply) -> None:
    """Six processes meet a gateway that answers for the server: one of them asks, twice, and none after it."""
    server = make_server()
    results = herd(home, server, 6, reply)
    assert [(each.status, each.stdout) for each in results] == [(6, "")] * 6, [each.stderr for each in results]
    assert [each.stderr.count("tokenctl: error:") for each in results] == [1] * 6
    assert all("tokenctl: hint: " in each.stderr for each in results)
    assert refreshes(server) == 2
