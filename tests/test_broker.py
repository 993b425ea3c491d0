"""The broker: one renewal at a time, nothing lost, and nothing but revoke deletes a session."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.commandline import Home
from tests.conftest import Make
from tests.flows import Clock, Person, always, machine_profile, profile_of, rewritten, signed_in
from tokenctl import broker, moving
from tokenctl.demo.http_server import DemoServer, Received, Reply, json_reply
from tokenctl.errors import LoginRequired, Refused, StoreError, StoreUnavailable, TokenctlError, Unreachable, UsageError
from tokenctl.flows.sign_in import sign_in
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.session import Session
from tokenctl.storage.lock import exclusive
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.transport import Transport


@pytest.fixture
def session(demo_server: DemoServer) -> Session:
    """A session of the demo server."""
    return signed_in(demo_server)


@pytest.fixture
def store(session: Session) -> MemoryStore:
    """A store that has the session."""
    store = MemoryStore()
    store.write("t", session)
    return store


def refreshes(server: DemoServer) -> int:
    """How often a refresh token was presented."""
    return server.count("/token", "refresh_token")


def at(moment: float, store: MemoryStore, **rest: Any) -> Runtime:
    """A runtime whose clock stands at a moment, and that does not sleep."""
    return Runtime(store=store, now=lambda: moment, sleep=lambda _: None, **rest)


def lock_of(profile: str = "t") -> Path:
    """Where the profile's lock is."""
    return Path(os.environ["TOKENCTL_STATE_DIR"]) / profile / "lock"


# -- current ---------------------------------------------------------------------------------------


def test_a_fresh_token_takes_no_lock_and_no_network(
    demo_server: DemoServer, session: Session, store: MemoryStore
) -> None:
    """What is fresh is returned, while others hold the lock or while the server is away."""
    profile = profile_of(demo_server)
    demo_server.stop()
    assert broker.current(Runtime(store=store), profile) == session
    assert not lock_of().exists()


def test_a_stale_token_is_renewed_once(demo_server: DemoServer, session: Session, store: MemoryStore) -> None:
    """With less than `min_ttl` left it is renewed, and the successor kept."""
    profile = profile_of(demo_server)
    late = at(session.expires_at - 59, store)
    successor = broker.current(late, profile)
    assert successor.access_token != session.access_token
    assert store.read("t") == successor
    assert (successor.generation, refreshes(demo_server)) == (2, 1)


@pytest.mark.parametrize(
    ("left", "min_ttl", "renews"),
    [
        (75, None, 0),
        (74, None, 1),
        (115, 100, 0),
        (114, 100, 1),
        (450, 10_000, 0),
        (449, 10_000, 1),
        (15, 0, 0),
        (0, 0, 1),
    ],
)
def test_min_ttl_decides(
    demo_server: DemoServer, session: Session, store: MemoryStore, left: int, min_ttl: int | None, renews: int
) -> None:
    """At least `min_ttl` and 15 s must be left, or half of the token's own life; expired is never enough."""
    broker.current(at(session.expires_at - left, store), profile_of(demo_server), min_ttl)
    assert refreshes(demo_server) == renews


@pytest.mark.parametrize(("step", "renews"), [(-30, 0), (-61, 1), (-86400, 1)])
def test_a_clock_that_was_set_back_is_not_believed(
    demo_server: DemoServer, session: Session, store: MemoryStore, step: int, renews: int
) -> None:
    """A token from the future may be older than it seems, except for a small step."""
    broker.current(at(session.obtained_at + step, store), profile_of(demo_server))
    assert refreshes(demo_server) == renews


def test_refresh_always_renews(demo_server: DemoServer, session: Session, store: MemoryStore) -> None:
    """By request a fresh token is renewed too."""
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).generation == 2
    assert refreshes(demo_server) == 1


def test_what_another_process_renewed_meanwhile_is_taken(
    demo_server: DemoServer, session: Session, store: MemoryStore
) -> None:
    """Whoever waited for the lock takes the newer generation, however short it lives."""
    now = session.expires_at - 5
    newer = replace(session, generation=2, access_token="newer")  # as stale as ours, and not expired
    results: list[Session] = []
    waiting = threading.Thread(target=lambda: results.append(broker.current(at(now, store), profile_of(demo_server))))
    with exclusive(_made(lock_of())):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        store.write("t", newer)
    waiting.join(10)
    assert [each.access_token for each in results] == ["newer"]
    assert refreshes(demo_server) == 0


def _made(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True)
    return path


def test_tokens_that_die_at_once_are_renewed_once_a_second(
    demo_server: DemoServer, session: Session, store: MemoryStore
) -> None:
    """Whatever a server says of expires_in, it is not asked in a loop."""
    demo_server.overrides["/token"] = rewritten(demo_server, expires_in=1)
    slept: list[float] = []
    runtime = Runtime(store=store, sleep=slept.append, now=lambda: getattr(store.read("t"), "obtained_at", 0))
    for _ in range(3):
        found = store.read("t")
        assert found is not None
        store.write("t", replace(found, expires_at=found.obtained_at))
        broker.current(runtime, profile_of(demo_server))
    assert slept == [1, 1, 1]


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=503), Reply(status=429), Reply(drop_before=True)])
def test_a_passing_failure_serves_the_token_at_hand(
    demo_server: DemoServer, session: Session, store: MemoryStore, reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the older token lives it is handed out with a warning; after that it is exit 6, and all is kept."""
    demo_server.overrides["/token"] = always(reply)
    profile = profile_of(demo_server)
    assert broker.current(at(session.expires_at - 20, store), profile) == session
    assert "warning: could not renew" in capsys.readouterr().err
    if not reply.drop_before:  # a lost answer is another matter: it is not tried for ever
        with pytest.raises(Unreachable):
            broker.current(at(session.expires_at, store), profile)
    with pytest.raises(Unreachable):
        broker.renew(at(session.expires_at - 10, store), profile)
    assert store.read("t") == session


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired),
        (json_reply({"error": "invalid_request"}, 400), Refused),
        (json_reply({"error": "invalid_client"}, 401), Refused),
        (Reply(status=400), Refused),
        (Reply(status=200, body=b"{}"), Refused),
        (Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Maintenance</h1>"), Refused),
        (json_reply({"access_token": "a\nb", "token_type": "Bearer"}), Refused),
    ],
)
def test_a_refusal_keeps_the_record(
    demo_server: DemoServer, session: Session, store: MemoryStore, reply: Reply, error: type[TokenctlError]
) -> None:
    """`invalid_grant` is exit 4 and everything else exit 5; the session stays as it was."""
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(error) as caught:
        broker.current(at(session.expires_at, store), profile_of(demo_server))
    assert caught.value.exit_status == (4 if error is LoginRequired else 5)
    assert store.read("t") == session


def test_a_killed_session_is_kept_too(demo_server: DemoServer, session: Session, store: MemoryStore) -> None:
    """A session that the server ended stays in the store until somebody signs in or revokes."""
    demo_server.kill_session()
    with pytest.raises(LoginRequired):
        broker.renew(Runtime(store=store), profile_of(demo_server))
    assert store.read("t") == session


@pytest.mark.parametrize("by_request", [False, True])
def test_after_invalid_grant_a_newer_generation_counts(
    demo_server: DemoServer, session: Session, store: MemoryStore, by_request: bool
) -> None:
    """Where somebody without the lock was faster, their session is the answer."""
    newer = replace(session, generation=2, access_token="theirs", obtained_at=session.expires_at, expires_at=2**40)

    def overtaken(request: Received) -> Reply:
        store.write("t", newer)
        return json_reply({"error": "invalid_grant"}, 400)

    demo_server.overrides["/token"] = overtaken
    work: Callable[[Runtime, Any], Session] = broker.renew if by_request else broker.current
    assert work(at(session.expires_at, store), profile_of(demo_server)) == newer
    assert refreshes(demo_server) == 1


@pytest.mark.parametrize("change", [{"issuer": "https://evil.example"}, {"client_id": "another"}])
@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_a_changed_profile_asks_for_a_new_sign_in(
    demo_server: DemoServer, session: Session, store: MemoryStore, change: dict[str, str], work: Any
) -> None:
    """A profile that now means another server or client gets no token of the old one, and nobody is asked."""
    before = len(demo_server.requests)
    with pytest.raises(LoginRequired, match="the profile now says otherwise"):
        work(at(session.expires_at, store), profile_of(demo_server, **change))
    assert len(demo_server.requests) == before
    assert store.read("t") == session


@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_without_a_session_a_person_has_to_sign_in(demo_server: DemoServer, work: Any) -> None:
    """Not signed in is exit 4, and nothing is asked."""
    with pytest.raises(LoginRequired, match="not signed in"):
        work(Runtime(store=MemoryStore()), profile_of(demo_server))
    assert demo_server.requests == []


class Failing(MemoryStore):
    """A store that can be read and, once `broken`, not written."""

    broken = False

    def write(self, profile: str, session: Session) -> None:
        """Fail, or keep."""
        if self.broken:
            raise StoreUnavailable("the keyring went away")
        super().write(profile, session)


def test_a_renewal_that_the_keyring_does_not_take_is_kept_for_the_next_run(
    demo_server: DemoServer, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the keyring fails after the commit, the session is in the redo log, is used, and is copied later."""
    store = Failing()
    store.write("t", session)
    store.broken = True
    profile = profile_of(demo_server)
    renewed = broker.renew(Runtime(store=store), profile)
    assert "not in the keyring yet" in capsys.readouterr().err
    assert store.read("t") == session
    assert broker.current(Runtime(store=store), profile) == renewed
    store.broken = False
    assert broker.current(Runtime(store=store), profile) == renewed
    assert store.read("t") == renewed and refreshes(demo_server) == 1


# -- machines without a store ----------------------------------------------------------------------


def test_a_machine_without_a_store_begins_by_itself(demo_server: DemoServer) -> None:
    """With the memory store each run gets its own token, once."""
    runtime = Runtime({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}, store=MemoryStore())
    demo = machine_profile(demo_server, store="memory")
    session = sign_in(runtime, demo, client_secret="demo-ci-secret")
    runtime.store(demo).write("t", session)
    assert broker.current(runtime, demo) == session
    assert broker.renew(runtime, demo).access_token != session.access_token
    assert demo_server.count("/token", "client_credentials") == 2


def test_a_person_has_no_memory_store(demo_server: DemoServer) -> None:
    """What a person signs in to must be kept somewhere."""
    with pytest.raises(UsageError, match="memory"):
        broker.current(Runtime(store=MemoryStore()), profile_of(demo_server, store="memory"))


# -- login -----------------------------------------------------------------------------------------


def test_a_login_that_cannot_be_kept_leaves_the_older_session(demo_server: DemoServer, session: Session) -> None:
    """A keyring that fails at the end of a sign-in costs the new session, not the old one."""
    store = Failing()
    store.write("t", session)
    store.broken = True
    with pytest.raises(StoreError):
        sign_in(Person(), profile_of(demo_server), keep=_keeping(store, demo_server))
    assert store.read("t") == session
    store.broken = False
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).generation == 2


def test_a_refused_login_leaves_the_older_session(
    demo_server: DemoServer, store: MemoryStore, session: Session
) -> None:
    """A sign-in that does not end well changes nothing."""
    demo_server.overrides["/token"] = rewritten(demo_server, id_token="a.b.c")
    with pytest.raises(Refused):
        sign_in(Person(), profile_of(demo_server), keep=_keeping(store, demo_server))
    assert store.read("t") == session


def test_a_second_login_is_the_next_generation(demo_server: DemoServer, store: MemoryStore) -> None:
    """Generations count on, so that nobody takes the older session for the newer one."""
    again = sign_in(Person(), profile_of(demo_server), keep=_keeping(store, demo_server))
    assert again.generation == 2 and store.read("t") == again


def test_a_login_as_another_person_is_told(
    demo_server: DemoServer, store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile that changes hands says so."""
    profile = profile_of(demo_server, params={"login_hint": "grace"})
    sign_in(Person(), profile, keep=_keeping(store, demo_server))
    assert "was signed in as ada, and is now grace" in capsys.readouterr().err


def _keeping(store: MemoryStore, server: DemoServer) -> Callable[[Session], Session]:
    return lambda session: moving.login(Runtime(store=store), profile_of(server), session, None)


# -- revoke, by command ----------------------------------------------------------------------------


def test_revoke_keeps_what_the_server_did_not_revoke(home: Home, demo_server: DemoServer) -> None:
    """Overloaded is 6, refused 5, and the session works on; revoked is 0, and then there is none."""
    assert home.login(demo_server.issuer).status == 0
    before = home.snapshot()
    for reply, status in ((Reply(status=503), 6), (Reply(drop_before=True), 6), (Reply(status=401), 5)):
        demo_server.overrides["/revoke"] = always(reply)
        result = home.run("revoke")
        assert (result.status, result.stdout) == (status, "")
        assert home.snapshot() == before
    demo_server.overrides.clear()
    assert home.run("revoke").status == 0
    assert home.run("revoke").status == 4


def test_without_revocation_only_local_forgets(home: Home, demo_server: DemoServer) -> None:
    """A server without the endpoint: exit 5 and kept, and `--local` is the way out."""
    path = "/.well-known/openid-configuration"
    demo_server.overrides[path] = rewritten(demo_server, revocation_endpoint=None)
    assert home.login(demo_server.issuer).status == 0
    result = home.run("revoke")
    assert result.status == 5 and "--local" in result.stderr
    assert home.run("token").status == 0
    assert home.run("revoke", "--local").status == 0
    assert home.run("token").status == 4


def test_every_session_is_revoked(home: Home, demo_server: DemoServer) -> None:
    """`--all` signs out of one profile after the other."""
    for name in ("a", "b"):
        assert home.login(demo_server.issuer, profile=name).status == 0
    assert home.run("revoke", "--all").status == 0


@pytest.mark.parametrize(("reply", "status"), [(Reply(status=503), 6), (Reply(status=401), 5)])
def test_revoke_deletes_only_what_was_revoked(
    demo_server: DemoServer, session: Session, store: MemoryStore, reply: Reply, status: int
) -> None:
    """In one process too: a revocation that fails leaves the session as it was."""
    demo_server.overrides["/revoke"] = always(reply)
    with pytest.raises(TokenctlError) as caught:
        moving.revoke(Runtime(store=store), profile_of(demo_server))
    assert caught.value.exit_status == status
    assert store.read("t") == session


# -- races -----------------------------------------------------------------------------------------


def test_twenty_processes_renew_once(home: Home, make_server: Make) -> None:
    """Twenty processes meet an expired session: the server sees one refresh, and all print the same token."""
    server = make_server(access_token_lifetime=2)
    assert home.login(server.issuer).status == 0
    server.settings.access_token_lifetime = 900
    time.sleep(2)
    results = home.race(20, "token")
    assert {each.status for each in results} == {0}, [each.stderr for each in results]
    assert len({each.stdout for each in results}) == 1
    assert (refreshes(server), server.reuse_detections) == (1, 0)


def test_twenty_refreshes_take_turns(home: Home, demo_server: DemoServer) -> None:
    """By request each process renews, one after the other, and no refresh token is used twice."""
    assert home.login(demo_server.issuer).status == 0
    results = home.race(8, "refresh")
    assert {each.status for each in results} == {0}, [each.stderr for each in results]
    assert (refreshes(demo_server), demo_server.reuse_detections) == (8, 0)
    assert home.run("token").status == 0


def over(home: Home, server: DemoServer, reply: Reply) -> None:
    """Sign in, let the access token's life pass, and have the server answer so from now on."""
    assert home.login(server.issuer).status == 0
    time.sleep(2)
    server.overrides["/token"] = always(reply)


def test_a_herd_at_a_dead_refresh_token_asks_once(home: Home, make_server: Make) -> None:
    """Ten processes meet a session that the server ended: one request, and each says so in one line."""
    server = make_server(access_token_lifetime=2)
    over(home, server, replace(json_reply({"error": "invalid_grant"}, 400), delay=1))
    results = home.race(10, "token")
    assert [(each.status, each.stdout) for each in results] == [(4, "")] * 10, [each.stderr for each in results]
    assert [each.stderr.count("tokenctl: error:") for each in results] == [1] * 10
    assert refreshes(server) == 1
    assert (home.run("token").status, home.run("refresh").status, refreshes(server)) == (4, 4, 1)


def test_a_herd_at_an_overloaded_server_asks_once(home: Home, make_server: Make) -> None:
    """Ten processes meet a server that asks for patience: one request, and all end with exit status 6."""
    server = make_server(access_token_lifetime=2)
    over(home, server, Reply(status=503, headers={"Retry-After": "60"}, delay=1))
    results = home.race(10, "token")
    assert [(each.status, each.stdout) for each in results] == [(6, "")] * 10, [each.stderr for each in results]
    assert [each.stderr.count("tokenctl: error:") for each in results] == [1] * 10
    assert refreshes(server) == 1


# -- the soft window -------------------------------------------------------------------------------


def test_nobody_waits_for_an_early_renewal(demo_server: DemoServer, session: Session, store: MemoryStore) -> None:
    """Shortly before it is needed one process renews, and whoever finds the lock taken has a token that is good."""
    runtime, profile = at(session.expires_at - 70, store), profile_of(demo_server)
    start = time.monotonic()
    with exclusive(_made(lock_of())):
        assert broker.current(runtime, profile) == session
    assert time.monotonic() - start < 5 and refreshes(demo_server) == 0
    assert broker.current(runtime, profile).generation == 2 and refreshes(demo_server) == 1


@pytest.mark.parametrize("reply", [Reply(status=503), json_reply({"error": "invalid_grant"}, 400), Reply(status=400)])
def test_an_early_renewal_may_fail(
    demo_server: DemoServer, session: Session, store: MemoryStore, reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """The token at hand is good enough, and nothing is said."""
    demo_server.overrides["/token"] = always(reply)
    assert broker.current(at(session.expires_at - 70, store), profile_of(demo_server)) == session
    assert refreshes(demo_server) == 1 and capsys.readouterr().err == ""


def test_an_early_renewal_that_takes_too_long_hands_out_no_expired_token(
    demo_server: DemoServer, session: Session, store: MemoryStore
) -> None:
    """What was good enough before a request may be over after it."""
    clock = Clock(session.expires_at - 10)

    def hangs(request: Request) -> Response:
        clock.sleep(30)
        raise Unreachable("timed out", sent=True)

    runtime = Runtime(store=store, now=clock, sleep=clock.sleep, send=hangs)
    with pytest.raises(TokenctlError):
        pytest.fail(f"expired at {broker.current(runtime, profile_of(demo_server), 0).expires_at}, now {clock.time}")


# -- what the journal knows ------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "wait"), [("100", 100), ("100000", 300), ("0", 0), ("nonsense", 0)])
def test_retry_after_is_honoured_five_minutes_at_most(
    demo_server: DemoServer, session: Session, store: MemoryStore, asked: str, wait: int
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
    demo_server: DemoServer, session: Session, store: MemoryStore
) -> None:
    """A failure that seems to be yet to come is no answer that anybody waited for."""
    demo_server.overrides["/token"] = always(Reply(status=503, headers={"Retry-After": "60"}))
    with pytest.raises(Unreachable):
        broker.renew(at(session.expires_at, store), profile_of(demo_server))
    demo_server.overrides.clear()
    assert broker.renew(at(session.expires_at - 7200, store), profile_of(demo_server)).generation == 2


def test_after_two_lost_answers_only_a_person_may_try(
    demo_server: DemoServer, session: Session, store: MemoryStore
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
    ("reply", "presented", "error"),
    [(json_reply({"error": "invalid_grant"}, 400), 1, LoginRequired), (Reply(drop_before=True), 2, Unreachable)],
)
def test_what_is_known_of_a_refresh_token_outlives_its_late_copy_to_the_keyring(
    demo_server: DemoServer, session: Session, reply: Reply, presented: int, error: type[TokenctlError]
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
    demo_server: DemoServer, session: Session, store: MemoryStore
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
    demo_server: DemoServer, session: Session, step: int, passed: int, renews: int
) -> None:
    """By the uptime a token is as old as it is: none is handed out stale, and none is renewed twice."""
    bound = replace(session, boot_id="boot", booted_at_ms=session.obtained_at * 1000 - 10**6)
    store, profile = MemoryStore(), profile_of(demo_server)
    store.write("t", bound)
    clock = Clock(session.obtained_at + passed + step)
    runtime = Runtime(
        store=store, now=clock, sleep=clock.sleep, send=clock.send, uptime=lambda: ("boot", 10**6 + passed * 1000)
    )
    given = [broker.current(runtime, profile) for _ in range(3)]
    assert refreshes(demo_server) == renews
    assert {each.generation for each in given} == {1 + renews}
    assert {each.remaining(runtime.time_of(each)) for each in given} == {900 if renews else 900 - passed}
