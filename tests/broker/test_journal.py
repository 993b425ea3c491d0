"""What the broker remembers of a refresh token between processes, and what it believes of clocks."""

from dataclasses import replace

import pytest

from tests.servers.faulty_server import FaultyServer, Reply, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.flows import Failing, PassingClock, always, at, lock_of, machine_profile, profile_of, refreshes
from tokenctl.adapters.transport import Transport
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
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
    profile, start = profile_of(demo_server), session.expires_at
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
        broker.renew(at(session.expires_at, store), profile_of(demo_server))
    demo_server.overrides.clear()
    assert broker.renew(at(session.expires_at - 7200, store), profile_of(demo_server)).generation == 2


def test_after_two_lost_answers_only_a_person_may_try(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """`token` says what to do and asks nobody; each `refresh` presents the refresh token once more."""
    profile, moments = profile_of(demo_server), iter(range(session.expires_at, 2**40, 10))
    demo_server.overrides["/token"] = always(Reply(drop_before=True))
    with pytest.raises(Unreachable):
        broker.current(at(next(moments), store), profile)
    assert refreshes(demo_server) == 2
    for presented in (3, 4):
        with pytest.raises(LoginRequired) as caught:
            broker.current(at(next(moments), store), profile)
        assert caught.value.exit_status == 4 and "tokenctl refresh -p t" in (caught.value.hint or "")
        assert refreshes(demo_server) == presented - 1
        with pytest.raises(Unreachable):
            broker.renew(at(next(moments), store), profile)
        assert refreshes(demo_server) == presented
    demo_server.overrides.clear()
    assert broker.renew(at(next(moments), store), profile).generation == 2


@pytest.mark.parametrize(
    "later", [Reply(status=503), json_reply({"error": "invalid_client"}, 401), Reply(status=200, body=b"<h1>Pay")]
)
def test_a_lost_answer_is_followed_by_one_presentation_whatever_comes_of_it(
    demo_server: FaultyServer, session: Session, store: MemoryStore, later: Reply
) -> None:
    """What is said to the second presentation does not tell what became of the first: there is no third by itself."""
    profile, moments = profile_of(demo_server), iter(range(session.expires_at, 2**40, 10))
    answers = iter([Reply(drop_before=True)])
    demo_server.overrides["/token"] = lambda _: next(answers, later)
    with pytest.raises((Unreachable, Refused)):
        broker.current(at(next(moments), store), profile)
    for _ in range(3):
        with pytest.raises(LoginRequired):
            broker.current(at(next(moments), store), profile)
    assert refreshes(demo_server) == 2
    demo_server.overrides.clear()
    assert broker.renew(at(next(moments), store), profile).generation == 2


@pytest.mark.parametrize("body", [b"<h1>Pay", b'{"token_type": "bearer"}'])
def test_an_answer_of_200_without_tokens_leaves_a_doubt(
    demo_server: FaultyServer, session: Session, store: MemoryStore, body: bytes
) -> None:
    """The server may have taken the refresh token for it: it is presented twice, and not for ever."""
    profile, moments = profile_of(demo_server), iter(range(session.expires_at, 2**40, 10))
    demo_server.overrides["/token"] = always(Reply(status=200, body=body))
    for error in (Refused, Refused, LoginRequired, LoginRequired):
        with pytest.raises(error):
            broker.current(at(next(moments), store), profile)
    assert refreshes(demo_server) == 2


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
    profile, start = profile_of(demo_server), session.expires_at - 30
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
    profile, moments = profile_of(demo_server), iter(range(session.expires_at, 2**40, 10))
    for reply in (Reply(status=503), json_reply({"error": "invalid_client"}, 401)):
        demo_server.overrides["/token"] = always(reply)
        for _ in range(4):
            with pytest.raises((Unreachable, Refused)):
                broker.current(at(next(moments), store), profile)
    assert refreshes(demo_server) == 8
    demo_server.overrides.clear()
    assert broker.current(at(next(moments), store), profile).generation == 2


@pytest.mark.parametrize(
    ("reply", "presented", "error"),
    [(json_reply({"error": "invalid_grant"}, 400), 1, LoginRequired), (Reply(drop_before=True), 2, Unreachable)],
)
def test_what_is_known_of_a_refresh_token_outlives_its_late_copy_to_the_keyring(
    demo_server: FaultyServer, session: Session, reply: Reply, presented: int, error: type[TokenctlError]
) -> None:
    """A keyring that comes back must not make a dead token, or one in doubt, look unused."""
    store, profile = Failing(), profile_of(demo_server)
    store.write("t", session)
    store.broken = True
    broker.renew(at(session.expires_at, store), profile)
    demo_server.overrides["/token"] = always(reply)
    later = 2 * session.expires_at
    with pytest.raises(error):
        broker.current(at(later, store), profile)
    before = refreshes(demo_server)
    store.broken = False
    for moment in (later + 10, later + 20):
        with pytest.raises(LoginRequired):
            broker.current(at(moment, store), profile)
    assert (before, refreshes(demo_server)) == (1 + presented, 1 + presented)


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


# -- clocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [-86400, -3 * 3600, 0, 3 * 3600, 86400 * 5])
@pytest.mark.parametrize(("passed", "renews"), [(100, 0), (890, 1), (5000, 1)])
def test_a_clock_that_is_set_costs_no_renewal_and_hides_none(
    demo_server: FaultyServer, session: Session, step: int, passed: int, renews: int
) -> None:
    """By the uptime a token is as old as it is: none is handed out stale, and none is renewed twice."""
    bound = replace(session, boot_id="boot", booted_at_ms=session.obtained_at * 1000 - 10**6)
    store, profile = MemoryStore(), profile_of(demo_server)
    store.write("t", bound)
    clock = PassingClock(session.obtained_at + passed + step, up=("boot", 10**6 + passed * 1000))
    runtime = Runtime(store=store, clock=clock, send=clock.send)
    given = [broker.current(runtime, profile) for _ in range(3)]
    assert refreshes(demo_server) == renews
    assert {each.generation for each in given} == {1 + renews}
    assert {each.remaining(runtime.time_of(each)) for each in given} == {900 if renews else 900 - passed}
