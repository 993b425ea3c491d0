"""What the broker remembers of a refresh token between processes, and what it believes of clocks."""

import gzip
import zlib
from dataclasses import replace

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.flows import Failing, PassingClock, always, at, lock_of, machine_profile, profile_of, refreshes
from tests.support.sessions import end_of
from tokenctl.adapters.transport import Transport
from tokenctl.broker import renewal, worker
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.model.renewal_job import Grant
from tokenctl.model.session import Session
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore

# -- what the journal knows ------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "wait"), [("100", 100), ("100000", 300), ("0", 0), ("nonsense", 0)])
def test_retry_after_is_honoured_five_minutes_at_most(
    demo_server: FaultyServer, session: Session, store: MemoryStore, asked: str, wait: int
) -> None:
    """Until then nobody asks, not even by request."""
    profile, start = profile_of(demo_server), end_of(session)
    demo_server.overrides["/token"] = always(Reply(status=503, headers={"Retry-After": asked}))
    with pytest.raises(Unreachable):
        broker.current(at(start, store), profile)
    demo_server.overrides.clear()
    for work in (broker.current, broker.renew) if wait else ():
        with pytest.raises(Unreachable, match="asked again"):
            work(at(start + wait - 1, store), profile)
    assert refreshes(demo_server) == 1
    assert broker.current(at(start + wait + 1, store), profile).generation == 2


def test_a_clock_that_was_set_back_after_a_failure_stops_nobody(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """A failure that seems to be yet to come is no answer that anybody waited for."""
    demo_server.overrides["/token"] = always(Reply(status=503, headers={"Retry-After": "60"}))
    with pytest.raises(Unreachable):
        broker.renew(at(end_of(session), store), profile_of(demo_server))
    demo_server.overrides.clear()
    assert broker.renew(at(end_of(session) - 7200, store), profile_of(demo_server)).generation == 2


@pytest.mark.parametrize(
    "lost", [Reply(drop_before=True), Reply(status=502), Reply(status=504), Reply(status=200, body=b"<h1>Pay")]
)
def test_an_answer_that_is_lost_is_asked_for_again_after_growing_pauses(
    demo_server: FaultyServer, session: Session, store: MemoryStore, lost: Reply
) -> None:
    """Twice at once, then after 1, 2, 4 seconds and so on, for five minutes at most; nobody has to sign in."""
    profile, now = profile_of(demo_server), end_of(session) + 10
    demo_server.overrides["/token"] = always(lost)
    with pytest.raises(Unreachable) as caught:
        broker.current(at(now, store), profile)
    assert (caught.value.exit_status, refreshes(demo_server)) == (6, 2)
    for presented, pause in enumerate((1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300), 2):
        for work in (broker.current, broker.renew):
            with pytest.raises(Unreachable, match=f"did not answer the last {presented} requests"):
                work(at(now + pause - 1, store), profile)
        assert refreshes(demo_server) == presented
        now += pause
        with pytest.raises(Unreachable):
            broker.current(at(now, store), profile)
        assert refreshes(demo_server) == presented + 1
    demo_server.overrides.clear()
    assert broker.current(at(now + 301, store), profile).generation == 2


@pytest.mark.parametrize("defect", [b'"x": NaN', b'"x": 1, "x": 1', b'"expires_in": "soon"'])
def test_an_answer_with_a_defect_is_asked_for_once_and_costs_no_session(
    demo_server: FaultyServer, session: Session, store: MemoryStore, defect: bytes
) -> None:
    """It has used up the refresh token, so the one that it brings is kept and works at the next renewal."""
    profile, now = profile_of(demo_server), end_of(session) + 10

    def spoilt(request: Received) -> Reply:
        reply = demo_server.answer(request)
        return replace(reply, body=b"{" + defect + b", " + reply.body.replace(b'"expires_in"', b'"life"')[1:])

    demo_server.overrides["/token"] = spoilt
    with pytest.raises(Refused):
        broker.current(at(now, store), profile)
    assert refreshes(demo_server) == 1
    demo_server.overrides.clear()
    assert broker.current(at(now + 301, store), profile).refresh_token != session.refresh_token
    assert (refreshes(demo_server), demo_server.reuse_detections) == (2, 0)


@pytest.mark.parametrize(
    ("later", "status"),
    [
        (Reply(status=503), 6),
        (json_reply({"error": "invalid_client"}, 401), 5),
        (json_reply({"error": "invalid_client"}), 5),
        (json_reply({}), 5),
    ],
)
def test_a_whole_answer_settles_a_lost_one(
    demo_server: FaultyServer, session: Session, store: MemoryStore, later: Reply, status: int
) -> None:
    """It shows that the server still knows the refresh token: nothing is in doubt any more, and nobody has to wait."""
    profile, moments = profile_of(demo_server), iter(range(end_of(session), 2**40, 10))
    answers = iter([Reply(drop_before=True)])
    demo_server.overrides["/token"] = lambda _: next(answers, later)
    for presented in (2, 3, 4):
        with pytest.raises((Unreachable, Refused)) as caught:
            broker.current(at(next(moments), store), profile)
        assert (caught.value.exit_status, refreshes(demo_server)) == (status, presented)
    demo_server.overrides.clear()
    assert broker.current(at(next(moments), store), profile).generation == 2


@pytest.mark.parametrize("status", [201, 203, 206])
@pytest.mark.parametrize("coding", ["", "gzip", "plain gzip", "deflate", "raw deflate"])
def test_a_rotated_token_counts_in_every_success(
    demo_server: FaultyServer, session: Session, store: MemoryStore, status: int, coding: str
) -> None:
    """The server has rotated, so another 2xx status, a compressed answer or one that only says so must not cost the session."""

    def compressed(request: Received) -> Reply:
        body = demo_server.answer(request).body
        packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "raw deflate": zlib.compress(body)[2:-4]}
        headers = {"Content-Type": "application/json"}
        headers |= {"Content-Encoding": coding.rpartition(" ")[2]} if coding else {}
        return Reply(status=status, headers=headers, body=packed.get(coding, body))

    demo_server.overrides["/token"] = compressed
    profile = profile_of(demo_server)
    assert broker.renew(at(end_of(session), store), profile).generation == 2
    demo_server.overrides.clear()
    assert broker.renew(at(end_of(session) + 10, store), profile).generation == 3
    assert demo_server.reuse_detections == 0


def test_what_the_answer_has_as_null_is_absent(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """An error of null or of no text beside tokens is none."""
    for error in (None, ""):

        def with_null(request: Received, error: str | None = error) -> Reply:
            return json_reply(demo_server.answer(request).document | {"error": error, "scope": None})

        demo_server.overrides["/token"] = with_null
        broker.renew(Runtime(store=store), profile_of(demo_server))
    assert demo_server.reuse_detections == 0


def test_a_machines_own_credentials_that_are_redirected_leave_the_doubt(demo_server: FaultyServer) -> None:
    """What is presented beside the refresh token says nothing of a presentation of that which was not answered."""
    store, profile = MemoryStore(), machine_profile(demo_server)
    runtime = Runtime({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}, store=store)
    session = replace(sign_in(runtime, profile, client_secret="demo-ci-secret"), refresh_token="r")
    store.write("t", session)
    journal = broker.vault(runtime, profile).journal
    journal.write(replace(journal.read(session), tries=1))
    demo_server.overrides["/token"] = always(Reply(status=302, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(Refused):
        broker.renew(runtime, profile, again=True)
    assert journal.read(session).tries == 1


def test_an_old_refusal_is_not_the_answer_to_a_new_failure(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Who waits for a server that cannot be reached now is told that, and not what it said an hour ago."""
    profile, start = profile_of(demo_server), end_of(session) - 30
    demo_server.overrides["/token"] = always(json_reply({"error": "invalid_client"}, 401))
    with pytest.raises(Refused):
        broker.renew(at(start - 600, store), profile)

    def no_route(request: Request) -> Response:
        raise Unreachable("no route", sent=False)

    with pytest.raises(Unreachable):
        broker.renew(at(start, store, send=no_route), profile)
    assert broker.current(at(start, store), profile) == session  # at the same moment: as one that has waited


def test_other_answers_may_come_as_often_as_they_like(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """A server that is overloaded for hours, or refuses its client for a while, costs no session."""
    profile, moments = profile_of(demo_server), iter(range(end_of(session), 2**40, 10))
    for reply in (Reply(status=503), json_reply({"error": "invalid_client"}, 401)):
        demo_server.overrides["/token"] = always(reply)
        for _ in range(4):
            with pytest.raises((Unreachable, Refused)):
                broker.current(at(next(moments), store), profile)
    assert refreshes(demo_server) == 8
    demo_server.overrides.clear()
    assert broker.current(at(next(moments), store), profile).generation == 2


@pytest.mark.parametrize(
    ("reply", "error", "state"),
    [
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired, "dead"),
        (Reply(drop_before=True), Unreachable, "in_doubt"),
    ],
)
def test_what_is_known_of_a_refresh_token_outlives_its_late_copy_to_the_keyring(
    demo_server: FaultyServer, session: Session, reply: Reply, error: type[TokenctlError], state: str
) -> None:
    """A keyring that comes back must not make a dead token, or one in doubt, look unused."""
    store, profile = Failing(), profile_of(demo_server)
    store.write("t", session)
    store.broken = True
    broker.renew(at(end_of(session), store), profile)
    demo_server.overrides["/token"] = always(reply)
    later = 2 * end_of(session)
    with pytest.raises(error):
        broker.current(at(later, store), profile)
    before = refreshes(demo_server)
    store.broken = False
    with pytest.raises(error):  # a dead one is not presented, and for the other one it is too early
        broker.current(at(later, store), profile)
    renewed = store.read("t")
    assert renewed is not None and renewed.generation == 2 and refreshes(demo_server) == before
    assert broker.vault(at(later, store), profile).journal.read(renewed).state == state


def test_a_disk_that_fails_at_the_commit_leaves_the_keyring(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """The room that was reserved cannot be opened any more: what the server gave goes to the keyring all the same."""

    def send(request: Request) -> Response:
        reserved = lock_of().with_name("redo.next")
        if reserved.is_file():  # not again when the keys are fetched
            reserved.unlink()
            reserved.mkdir()  # stands for a disk that went read-only: it cannot be opened, not even by root
        return Transport().send(request)

    renewed = broker.renew(Runtime(store=store, send=send), profile_of(demo_server))
    assert store.read("t") == renewed and renewed.generation == 2


@pytest.mark.parametrize("why", ["the lock's file is gone", "another file is in its place", "the time is over"])
def test_a_worker_that_may_no_longer_send_leaves_no_mark(
    demo_server: FaultyServer, session: Session, store: MemoryStore, why: str
) -> None:
    """It says that nothing was sent, and that is so."""
    runtime, profile = Runtime(store=store), profile_of(demo_server)
    vault = broker.vault(runtime, profile)
    with vault.exclusive() as lock:
        job = renewal.new_job(runtime, vault, session, Grant.REFRESH_TOKEN, lock, "asked")
        vault.reserve(session)
        if why == "the time is over":
            job = replace(job, ends_at=runtime.since_boot() - 1)
        else:
            lock_of().unlink()
        if why == "another file is in its place":
            lock_of().touch(0o600)
        with pytest.raises(Unreachable) as caught:
            worker.work(runtime, vault, job)
        assert not caught.value.sent and refreshes(demo_server) == 0
        assert vault.journal.read(session).state == "good" and vault.journal.read(session).tries == 0
    assert broker.renew(runtime, profile).generation == 2


# -- clocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [-86400, -3 * 3600, 0, 3 * 3600, 86400 * 5])
@pytest.mark.parametrize(("passed", "renews"), [(100, 0), (890, 1), (5000, 1)])
def test_a_clock_that_is_set_costs_one_renewal_at_most_and_hides_none(
    demo_server: FaultyServer, session: Session, step: int, passed: int, renews: int
) -> None:
    """Where the two clocks disagree the token is renewed once, and then they agree about its successor."""
    renews = 1 if step else renews
    bound = replace(session, boot_id="boot", booted_at_ms=session.obtained_at * 1000 - 10**6)
    store, profile = MemoryStore(), profile_of(demo_server)
    store.write("t", bound)
    clock = PassingClock(session.obtained_at + passed + step, up=("boot", 10**6 + passed * 1000))
    runtime = Runtime(store=store, clock=clock, send=clock.send)
    given = [broker.current(runtime, profile) for _ in range(3)]
    assert refreshes(demo_server) == renews
    assert {each.generation for each in given} == {1 + renews}
    assert {each.remaining(runtime.time_of(each)) for each in given} == {900 if renews else 900 - passed}
