"""The broker: one renewal at a time, nothing lost, and nothing but revoke deletes a session."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.flows import (
    Failing,
    SetClock,
    always,
    at,
    lock_of,
    machine_profile,
    profile_of,
    refreshes,
    rewritten,
)
from tests.support.sessions import end_of
from tokenctl.broker import current as currents
from tokenctl.errors import Busy, LoginRequired, Refused, TokenctlError, Unreachable, UsageError
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.lock import exclusive
from tokenctl.storage.memory_store import MemoryStore
from tokenctl.storage.memory_vault import MemoryVault

# -- current ---------------------------------------------------------------------------------------


def test_a_fresh_token_takes_no_lock_and_no_network(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """What is fresh is returned, while others hold the lock or while the server is away."""
    profile = profile_of(demo_server)
    demo_server.stop()
    assert broker.current(Runtime(store=store), profile) == session
    assert not lock_of().exists()


def test_a_stale_token_is_renewed_once(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """With less than `min_ttl` left it is renewed, and the successor kept."""
    profile = profile_of(demo_server)
    late = at(end_of(session) - 59, store)
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
    demo_server: FaultyServer, session: Session, store: MemoryStore, left: int, min_ttl: int | None, renews: int
) -> None:
    """At least `min_ttl` and 15 s must be left, or half of the token's own life; expired is never enough."""
    broker.current(at(end_of(session) - left, store), profile_of(demo_server), min_ttl)
    assert refreshes(demo_server) == renews


@pytest.mark.parametrize(("left", "min_ttl", "needed"), [(60, None, 0), (59, None, 1), (101, 100, 0), (99, 100, 1)])
@pytest.mark.parametrize(
    ("setting", "seen", "early"),
    [
        (None, None, 1),
        (None, "kept", 1),
        (None, "ended", 0),
        (True, None, 0),
        (True, "kept", 0),
        (False, "ended", 1),
    ],
)
def test_nothing_is_renewed_early_where_a_renewal_ends_the_older_token(
    demo_server: FaultyServer,
    session: Session,
    store: MemoryStore,
    setting: bool | None,
    seen: str | None,
    early: int,
    left: int,
    min_ttl: int | None,
    needed: int,
) -> None:
    """Others still use it: what the profile says counts, else what was seen. `min_ttl` rules all the same."""
    profile = profile_of(demo_server, renewal_ends_access_token=setting)
    store.write("t", replace(session, older_access_tokens=seen))
    found = broker.current(at(end_of(session) - left, store), profile, min_ttl)
    assert refreshes(demo_server) == max(early, needed)
    assert found.older_access_tokens == seen, "what was seen is kept"


@pytest.mark.parametrize(("step", "renews"), [(0, 0), (-1, 1), (-61, 1), (-86400, 1)])
def test_a_clock_that_was_set_back_is_not_believed(
    demo_server: FaultyServer, session: Session, store: MemoryStore, step: int, renews: int
) -> None:
    """A token from the future may be older than it seems."""
    broker.current(at(session.obtained_at + step, store), profile_of(demo_server))
    assert refreshes(demo_server) == renews


def test_refresh_always_renews(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """By request a fresh token is renewed too."""
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).generation == 2
    assert refreshes(demo_server) == 1


def test_what_another_process_renewed_meanwhile_is_taken(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Whoever waited for the lock takes the newer generation, however short it lives."""
    now = end_of(session) - 5
    newer = replace(session, generation=2, access_token="newer")  # as stale as ours, and not expired
    results: list[Session] = []
    waiting = threading.Thread(target=lambda: results.append(broker.current(at(now, store), profile_of(demo_server))))
    with exclusive(lock_of()):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        store.write("t", newer)
    waiting.join(10)
    assert [each.access_token for each in results] == ["newer"]
    assert refreshes(demo_server) == 0


def test_tokens_that_die_at_once_are_renewed_once_a_second(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Whatever a server says of expires_in, it is not asked in a loop."""
    demo_server.overrides["/token"] = rewritten(demo_server, expires_in=1)
    clock = SetClock(lambda: getattr(store.read("t"), "obtained_at", 0))
    runtime = Runtime(store=store, clock=clock)
    for _ in range(3):
        found = store.read("t")
        assert found is not None
        store.write("t", replace(found, expires_at=found.obtained_at))
        broker.current(runtime, profile_of(demo_server))
    assert clock.slept == [2, 2, 2], "answers are timed in whole seconds, so one may be almost two away"


# -- failures --------------------------------------------------------------------------------------


def test_a_lock_that_stays_taken_does_not_withhold_a_token_that_lives(
    demo_server: FaultyServer, session: Session, store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever waits for another process waits no longer than the token at hand lives, and hands it out with a warning."""
    runtime, profile = at(end_of(session) - 1, store), profile_of(demo_server)
    with exclusive(lock_of()):
        assert broker.current(runtime, profile) == session
    assert "warning: could not renew" in capsys.readouterr().err and refreshes(demo_server) == 0


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=503), Reply(status=429), Reply(drop_before=True)])
def test_a_passing_failure_serves_the_token_at_hand(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply, capsys: pytest.CaptureFixture[str]
) -> None:
    """While the older token lives it is handed out with a warning; after that it is exit 6, and all is kept."""
    demo_server.overrides["/token"] = always(reply)
    profile = profile_of(demo_server)
    assert broker.current(at(end_of(session) - 20, store), profile) == session
    assert "warning: could not renew" in capsys.readouterr().err
    if not reply.drop_before:  # a lost answer is another matter: it is not tried for ever
        with pytest.raises(Unreachable):
            broker.current(at(end_of(session), store), profile)
    with pytest.raises(Unreachable):
        broker.renew(at(end_of(session) - 10, store), profile)
    assert store.read("t") == session


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (json_reply({"error": "invalid_grant"}, 400), "tokenctl login"),
        (json_reply({"error": "invalid_client"}, 401), "check client_id"),
        (json_reply({"access_token": "a\nb", "token_type": "Bearer"}), "the session is kept"),
    ],
)
def test_a_refusal_does_not_end_the_access_token(
    demo_server: FaultyServer,
    session: Session,
    store: MemoryStore,
    reply: Reply,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dead refresh token does not end the access token: it is handed out with a warning and the next step, until it expires."""
    demo_server.overrides["/token"] = always(reply)
    profile = profile_of(demo_server)
    for left in (50, 20, 1):
        assert broker.current(at(end_of(session) - left, store), profile) == session
        warning, hint = capsys.readouterr().err.splitlines()
        assert warning.startswith("tokenctl: warning: could not renew") and f"lives {left} s more" in warning
        assert hint.startswith("tokenctl: hint: ") and said in hint
    with pytest.raises((LoginRequired, Refused)):
        broker.current(at(end_of(session), store), profile)


def test_a_session_without_a_refresh_token_serves_its_token_to_the_end(
    demo_server: FaultyServer, session: Session, store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing can renew it, and it is good until it expires."""
    endless = replace(session, refresh_token=None)
    store.write("t", endless)
    assert broker.current(at(end_of(session) - 50, store), profile_of(demo_server)) == endless
    said = capsys.readouterr().err
    assert "lives 50 s more" in said and "offline_access" in said
    with pytest.raises(LoginRequired):
        broker.current(at(end_of(session), store), profile_of(demo_server))


@pytest.mark.parametrize("become", [None, {"issuer": "https://another.example"}, {"client_id": "another"}])
def test_a_token_that_is_the_profiles_no_longer_is_not_handed_out(
    demo_server: FaultyServer, session: Session, store: MemoryStore, become: dict[str, str] | None
) -> None:
    """Somebody signed out, or in elsewhere, while the renewal was on its way: what is stored now counts."""

    def meanwhile(request: Received) -> Reply:
        if become is None:
            store.delete("t")
        else:
            store.write("t", replace(session, **become))  # type: ignore[arg-type]  # members that are texts
        return Reply(status=503)

    demo_server.overrides["/token"] = meanwhile
    with pytest.raises(LoginRequired):
        broker.current(at(end_of(session) - 20, store), profile_of(demo_server))


def test_a_token_that_expires_while_another_process_renews_is_waited_for(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """Once the stored token cannot be handed out, whoever waits has as long as the others, and gets the new one."""
    newer = replace(session, generation=2, access_token="newer", expires_at=end_of(session) + 900)
    expired, over = threading.Event(), threading.Event()
    results: list[Session] = []

    def tell() -> float:
        return end_of(session) + 1 if expired.is_set() else end_of(session) - 1

    waits = Runtime(store=store, clock=SetClock(tell))
    waiting = threading.Thread(target=lambda: results.append(broker.current(waits, profile_of(demo_server))))

    def hold() -> None:
        with exclusive(lock_of()):
            waiting.start()
            expired.wait(0.1)
            expired.set()
            over.wait(1.5)  # much longer than half of the second that was left
            store.write("t", newer)

    hold()
    waiting.join(30)
    assert results == [newer] and refreshes(demo_server) == 0


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired),
        (json_reply({"error": "invalid_request"}, 400), Refused),
        (json_reply({"error": "invalid_client"}, 401), Refused),
        (Reply(status=400), Refused),
        (Reply(status=200, body=b"{}"), Refused),
        (Reply(status=200, headers={"Content-Type": "text/html"}, body=b"<h1>Maintenance</h1>"), Unreachable),
        (json_reply({"access_token": "a\nb", "token_type": "Bearer"}), Refused),
    ],
)
def test_a_refusal_keeps_the_record(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply, error: type[TokenctlError]
) -> None:
    """`invalid_grant` is exit 4 and everything else exit 5; the session stays as it was."""
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(error) as caught:
        broker.current(at(end_of(session), store), profile_of(demo_server))
    assert caught.value.exit_status == {LoginRequired: 4, Refused: 5, Unreachable: 6}[error]
    assert store.read("t") == session


def test_a_killed_session_is_kept_too(demo_server: FaultyServer, session: Session, store: MemoryStore) -> None:
    """A session that the server ended stays in the store until somebody signs in or revokes."""
    demo_server.kill_session()
    with pytest.raises(LoginRequired):
        broker.renew(Runtime(store=store), profile_of(demo_server))
    assert store.read("t") == session


@pytest.mark.parametrize("by_request", [False, True])
def test_after_invalid_grant_a_newer_generation_counts(
    demo_server: FaultyServer, session: Session, store: MemoryStore, by_request: bool
) -> None:
    """Where somebody without the lock was faster, their session is the answer."""
    newer = replace(session, generation=2, access_token="theirs", obtained_at=end_of(session), expires_at=2**40)

    def overtaken(request: Received) -> Reply:
        store.write("t", newer)
        return json_reply({"error": "invalid_grant"}, 400)

    demo_server.overrides["/token"] = overtaken
    work: Callable[[Runtime, Any], Session] = broker.renew if by_request else broker.current
    assert work(at(end_of(session), store), profile_of(demo_server)) == newer
    assert refreshes(demo_server) == 1


@pytest.mark.parametrize("change", [{"issuer": "https://evil.example"}, {"client_id": "another"}])
@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_a_changed_profile_asks_for_a_new_sign_in(
    demo_server: FaultyServer, session: Session, store: MemoryStore, change: dict[str, str], work: Any
) -> None:
    """A profile that now means another server or client gets no token of the old one, and nobody is asked, or waited for."""
    before = len(demo_server.requests)
    with exclusive(lock_of()), pytest.raises(LoginRequired, match="TOKENCTL_CLIENT_ID, now says"):
        work(at(end_of(session), store), profile_of(demo_server, **change))
    assert len(demo_server.requests) == before
    assert store.read("t") == session


@pytest.mark.parametrize("work", [broker.current, broker.renew])
def test_without_a_session_a_person_has_to_sign_in(demo_server: FaultyServer, work: Any) -> None:
    """Not signed in is exit 4, and nothing is asked."""
    with pytest.raises(LoginRequired, match="not signed in"):
        work(Runtime(store=MemoryStore()), profile_of(demo_server))
    assert demo_server.requests == []


def test_a_renewal_that_the_keyring_does_not_take_is_kept_for_the_next_run(
    demo_server: FaultyServer, session: Session, capsys: pytest.CaptureFixture[str]
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


def test_a_machine_without_a_store_begins_by_itself(demo_server: FaultyServer) -> None:
    """With the memory store each run gets its own token, once."""
    runtime = Runtime({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}, store=MemoryStore())
    demo = machine_profile(demo_server, store="memory")
    session = sign_in(runtime, demo, client_secret="demo-ci-secret")
    assert runtime.store is not None
    runtime.store.write("t", session)
    assert broker.current(runtime, demo) == session
    assert broker.renew(runtime, demo).access_token != session.access_token
    assert demo_server.count("/token", "client_credentials") == 2


def test_a_person_has_no_memory_store(demo_server: FaultyServer) -> None:
    """What a person signs in to must be kept somewhere."""
    with pytest.raises(UsageError, match="memory"):
        broker.current(Runtime(store=MemoryStore()), profile_of(demo_server, store="memory"))


class HeldVault(MemoryVault):
    """A vault whose lock another process holds for longer than anybody waits. It counts the waits."""

    waits = 0

    def exclusive(self, patience: float | None = None) -> NoReturn:
        """Wait in vain."""
        self.waits += 1
        raise Busy("another tokenctl has been renewing this session for 60 s")


def test_a_lock_that_others_hold_is_waited_for_once(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """For an expired token the first wait is the whole one already."""
    late = at(end_of(session) + 10, store)
    vault = HeldVault(late, profile_of(demo_server))
    with pytest.raises(Busy):
        currents.current(late, vault)
    assert vault.waits == 1
