"""The events of a session's life, as the broker and the vault write them into the event log."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.flows import Failing, always, at, here, machine_profile, profile_of, rewritten
from tests.support.sessions import end_of
from tokenctl.broker.asked import token
from tokenctl.errors import LoginRequired, Refused, StoreError, Unreachable, UsageError
from tokenctl.model.event import Event, fingerprint
from tokenctl.model.session import Session
from tokenctl.oauth.claims import unverified_claims
from tokenctl.runtime import Runtime
from tokenctl.storage.event_log import EventLog
from tokenctl.storage.memory_store import MemoryStore


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    """The event log of the state directory of this test."""
    return EventLog(tmp_path / "state" / ".events")


def only(log: EventLog, kind: str) -> Event:
    """The one event of this kind."""
    (event,) = (each for each in log.read() if each.event == kind)
    return event


def kinds(log: EventLog) -> list[tuple[str, str]]:
    """What happened, in short."""
    return [(each.event, each.result) for each in log.read()]


def test_a_renewal_leaves_both_fingerprints(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """And the generation, the status, the duration, and how long the new tokens live."""
    renewed = broker.renew(at(end_of(session), store), profile_of(demo_server))
    event = only(log, "renewal")
    assert (event.session, event.generation, event.result) == (session.id, 2, "ok")
    assert (event["old_fingerprint"], event.fingerprint) == (
        fingerprint(session.refresh_token or ""),
        fingerprint(renewed.refresh_token or ""),
    )
    assert (event["status"], event["reason"], event["grant"], event["lifetime"]) == (
        200,
        "asked",
        "refresh_token",
        renewed.lifetime,
    )
    assert event["duration"] >= 0 and event.asked_by and event.seq == 1 and event["subject"] == renewed.subject


def test_nothing_is_written_for_a_fresh_token(demo_server: FaultyServer, store: MemoryStore, log: EventLog) -> None:
    """The hot path has no log."""
    broker.current(Runtime(store=store), profile_of(demo_server))
    assert list(log.read()) == []


def test_the_reason_of_a_renewal_is_told(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """The token aged, an API refused it, or a narrower one was asked for."""
    profile = profile_of(demo_server)
    first = broker.current(at(end_of(session), store), profile)
    runtime = at(end_of(session) + 10, store)
    token(runtime, broker.vault(runtime, profile), {}, refused=first.access_token)
    token(runtime, broker.vault(runtime, profile), {"scope": "api"})
    found = [(each["reason"], each["target"] is None) for each in log.read() if each.event == "renewal"]
    assert found == [("stale", True), ("refused", True), ("narrower", False)]


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (json_reply({"error": "invalid_grant"}, 400), "invalid_grant", None),
        (json_reply({"error": "invalid_grant", "error_description": "Stale token"}, 400), "invalid_grant", "reuse"),
        (json_reply({"error": "login_required"}, 400), "login_required", "interaction"),
    ],
)
def test_a_refused_refresh_token_is_told_with_what_the_server_says(
    demo_server: FaultyServer,
    session: Session,
    store: MemoryStore,
    log: EventLog,
    reply: Reply,
    error: str,
    says: str | None,
) -> None:
    """And since when this token was the good one. A second command asks nobody and writes nothing."""
    demo_server.overrides["/token"] = always(reply)
    for later in (0, 60):
        with pytest.raises(LoginRequired):
            broker.current(at(end_of(session) + later, store), profile_of(demo_server))
    event = only(log, "dead")
    assert (event["error"], event["says"], event["unanswered"]) == (error, says, 0)
    assert event["obtained_at"] == session.obtained_at
    assert event["old_fingerprint"] == event.fingerprint == fingerprint(session.refresh_token or "")


def test_a_lost_answer_is_told_and_counted(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """A refresh token that is refused after that was used up by an answer that got lost."""
    profile = profile_of(demo_server)
    demo_server.overrides["/token"] = always(Reply(drop_before=True))
    with pytest.raises(Unreachable):
        broker.current(at(end_of(session), store), profile)
    demo_server.overrides["/token"] = always(json_reply({"error": "invalid_grant"}, 400))
    with pytest.raises(LoginRequired):
        broker.current(at(end_of(session) + 60, store), profile)
    assert (only(log, "unanswered")["tries"], only(log, "dead")["unanswered"]) == (2, 2)


@pytest.mark.parametrize("reply", [Reply(status=503), Reply(status=429)])
def test_a_server_that_is_too_busy_leaves_no_event(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog, reply: Reply
) -> None:
    """It says nothing about the session."""
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(Unreachable):
        broker.current(at(end_of(session), store), profile_of(demo_server))
    assert kinds(log) == []


def test_a_refusal_that_costs_no_session_is_told(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """With the server's code and nothing else that it wrote."""
    secret = session.refresh_token or ""
    demo_server.overrides["/token"] = always(json_reply({"error": "invalid_scope", "error_description": secret}, 400))
    with pytest.raises(Refused):
        broker.current(at(end_of(session), store), profile_of(demo_server))
    assert only(log, "refusal")["error"] == "invalid_scope"
    assert not any(secret.encode() in line for line in log.lines())


def test_a_credential_that_the_server_sends_back_is_not_written(demo_server: FaultyServer, log: EventLog) -> None:
    """Not as the code of the error either, and not in the form in which it was sent."""
    profile, store = machine_profile(demo_server), MemoryStore()
    runtime = Runtime(here({"TOKENCTL_CLIENT_SECRET": "demo-ci-secret"}), store=store)
    store.write("t", sign_in(runtime, profile, client_secret="demo-ci-secret"))
    sent: list[str] = []

    def echo(request: Received) -> Reply:
        sent.append(request.headers["authorization"].removeprefix("Basic "))
        return json_reply({"error": f"no {sent[0]}"}, 400)

    demo_server.overrides["/token"] = echo
    with pytest.raises(Refused):
        broker.renew(runtime, profile)
    assert sent and only(log, "refusal")["error"] == "no ***"


def test_another_persons_id_token_is_told(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """Also the refresh token that rotated all the same."""
    claims = unverified_claims(session.id_token or "") | {"sub": "user-eve", "at_hash": None}
    demo_server.overrides["/token"] = rewritten(demo_server, id_token=demo_server.sign_id_token(claims))
    with pytest.raises(Refused):
        broker.renew(Runtime(store=store), profile_of(demo_server))
    event = only(log, "refusal")
    assert event.result == "subject" and event["old_fingerprint"] != event.fingerprint


def test_what_is_different_about_the_access_token_is_told(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """Scope and lifetime, one event each."""
    demo_server.overrides["/token"] = rewritten(demo_server, scope="api", expires_in=60)
    broker.current(at(end_of(session), store), profile_of(demo_server))
    found = {each["what"]: each["now"] for each in log.read() if each.event == "change"}
    assert found == {"scope": "api", "lifetime": 60}


def test_a_lifetime_that_varies_is_no_change(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """Some servers choose it at random, and some tell the seconds that are left."""
    lifetime = session.lifetime or 0
    for expires_in in (lifetime - 1, lifetime * 3 // 2):
        demo_server.overrides["/token"] = rewritten(
            demo_server, access_token="opaque", id_token=None, expires_in=expires_in
        )
        session = broker.renew(at(session.obtained_at + 60, store), profile_of(demo_server))
        assert session.lifetime == expires_in
    assert kinds(log) == [("renewal", "ok")] * 2


def test_the_same_audiences_in_another_order_are_no_change(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """And what is told of them has no query."""
    for audiences in (["https://b.example?q=1", "a"], ["a", "https://b.example?q=2"]):
        claims = unverified_claims(session.access_token) | {"aud": audiences}
        token = demo_server.sign_id_token(claims)
        demo_server.overrides["/token"] = rewritten(demo_server, access_token=token, id_token=None)
        broker.renew(at(session.obtained_at + 60, store), profile_of(demo_server))
    assert only(log, "change")["now"] == "a https://b.example"


def test_a_login_is_told_before_and_after_it_is_stored(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """So that a login which is killed in between explains what the keyring has."""
    profile = profile_of(demo_server)
    kept = broker.keep(Runtime(store=store), profile, replace(session, id="fedcba9876543210"))
    assert kinds(log) == [("login", "started"), ("login", "ok")]
    event = list(log.read())[-1]
    assert (event.session, event.generation) == (kept.id, kept.generation)
    assert (event["subject"], event["replaces"], event["renewable"]) == (session.subject, session.subject, True)


def test_a_login_that_could_not_be_kept_is_told(demo_server: FaultyServer, session: Session, log: EventLog) -> None:
    """With the failure of the keyring."""
    failing = Failing()
    failing.broken = True
    with pytest.raises(StoreError):
        broker.keep(Runtime(store=failing), profile_of(demo_server), session)
    assert kinds(log)[0] == ("login", "started") and kinds(log)[-1] == ("login", "failed")


def test_an_endpoint_that_a_login_pins_anew_is_told(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """Without its query."""
    older = replace(session, jwks_uri=f"{session.issuer}/old?tenant=s3cr3t")
    store.write("t", older)
    broker.keep(Runtime(store=store), profile_of(demo_server), session)
    event = only(log, "endpoint-change")
    assert (event["what"], event["was"], event["now"]) == ("jwks_uri", f"{session.issuer}/old", session.jwks_uri)


def test_a_sign_out_is_told(demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog) -> None:
    """Whether the server revoked the session, or it was forgotten here alone, or neither."""
    profile = profile_of(demo_server)
    demo_server.overrides["/revoke"] = always(json_reply({"error": "invalid_request"}, 400))
    with pytest.raises(Refused):
        broker.revoke(Runtime(store=store), profile)
    demo_server.overrides.clear()
    broker.revoke(Runtime(store=store), profile)
    store.write("t", session)
    broker.forget(Runtime(store=store), profile)
    assert kinds(log) == [("revocation", "failed"), ("revocation", "ok"), ("revocation", "local")]


def test_a_profile_without_audit_has_no_log(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """Not even the folder."""
    broker.renew(at(end_of(session), store), replace(profile_of(demo_server), audit="off"))
    assert not log.path().parent.exists()


def test_without_audit_no_renewal_is_called_cut_off(
    demo_server: FaultyServer, session: Session, store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log has none of them, and a keyring that stays behind makes each run look for the newest one."""
    profile = replace(profile_of(demo_server), audit="off")
    broker.renew(at(end_of(session), store), profile)
    store.write("t", session)
    vault = broker.vault(Runtime(store=store, verbose=True), profile)
    with vault.exclusive():
        assert vault.recover() != session
    assert capsys.readouterr().err == ""


# -- the keyring and the mirror ----------------------------------------------------------------------------


def renewed(server: FaultyServer, session: Session, store: MemoryStore) -> Session:
    """A session that was renewed here, so that it has a mirror."""
    return broker.renew(at(end_of(session), store), profile_of(server))


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ({"generation": 9}, "a newer generation"),
        ({"access_token": "another"}, "other tokens"),
        ({"refresh_token": "another"}, "other tokens"),
        ({"id": "fedcba9876543210", "state_id": "1.1", "state_path": "/gone"}, "another session"),
        ({"id": "fedcba9876543210", "state_id": "1.1", "state_machine": "another"}, "another session"),
    ],
)
def test_an_entry_that_was_changed_outside_is_told(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog, change: dict[str, Any], how: str
) -> None:
    """Before its refresh token is presented."""
    mirrored = renewed(demo_server, session, store)
    store.write("t", replace(mirrored, **change))
    runtime = at(end_of(mirrored), store)
    with suppress(LoginRequired, UsageError):  # the server does not know a made-up token
        broker.current(runtime, profile_of(demo_server))
    assert only(log, "changed-outside")["how"] == how


@pytest.mark.parametrize("change", [{"generation": 1}, {"generation": 1, "access_token": "older"}, {}])
def test_an_older_entry_is_no_change_from_outside(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog, change: dict[str, Any]
) -> None:
    """Some keyrings come back with an older state, and the mirror has the newer one."""
    mirrored = renewed(demo_server, session, store)
    store.write("t", replace(mirrored, **change))
    broker.current(at(end_of(mirrored), store), profile_of(demo_server))
    assert "changed-outside" not in dict(kinds(log))


def test_a_mirror_with_the_first_half_of_a_renewal_is_no_change_from_outside(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """A full disk took the new refresh token, and not the access token that came with it; the store has both."""
    mirrored = renewed(demo_server, session, store)
    store.write("t", replace(mirrored, access_token="newer", obtained_at=mirrored.obtained_at + 60))
    broker.renew(at(end_of(mirrored), store), profile_of(demo_server))
    assert "changed-outside" not in dict(kinds(log))


def test_a_mirror_that_could_not_be_written_is_no_change_from_outside(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog, tmp_path: Path
) -> None:
    """It is older than the store then, and is removed."""
    mirrored = renewed(demo_server, session, store)
    path = tmp_path / "state" / "t" / f"redo.{session.id}"
    older = path.read_bytes()
    second = renewed(demo_server, mirrored, store)
    path.write_bytes(older)  # as if the second one had not been written
    broker.vault(Runtime(store=store), profile_of(demo_server)).publish(second)
    assert not path.exists()
    broker.renew(at(end_of(second), store), profile_of(demo_server))
    assert "changed-outside" not in dict(kinds(log))


def test_a_renewal_that_was_killed_after_its_commit_is_told_by_the_next_run(
    demo_server: FaultyServer, session: Session, store: MemoryStore, log: EventLog
) -> None:
    """Once."""
    profile = profile_of(demo_server)
    newer = renewed(demo_server, session, store)
    log.path().unlink()
    store.write("t", session)  # the copy to the keyring did not happen either
    for _ in range(2):
        vault = broker.vault(Runtime(store=store), profile)
        with vault.exclusive():
            vault.recover()
        store.write("t", session)
    event = only(log, "renewal")
    assert (event.result, event.generation, event.fingerprint) == (
        "recovered",
        2,
        fingerprint(newer.refresh_token or ""),
    )


def test_a_keyring_that_takes_no_session_is_told(demo_server: FaultyServer, session: Session, log: EventLog) -> None:
    """After the renewal that it did not take."""
    failing = Failing()
    failing.write("t", session)
    failing.broken = True
    broker.renew(at(end_of(session), failing), profile_of(demo_server))
    assert kinds(log) == [("renewal", "ok"), ("keyring-failed", "failed")]
    assert only(log, "keyring-failed")["operation"] == "write"


def test_a_keyring_that_takes_no_session_twice_in_one_run_failed_once(
    demo_server: FaultyServer, session: Session, log: EventLog
) -> None:
    """The run that finds the session not copied tries it again, and renews: one failure, after the renewal."""
    failing = Failing()
    failing.write("t", session)
    failing.broken = True
    for _ in range(2):
        broker.renew(at(end_of(session), failing), profile_of(demo_server))
    assert kinds(log) == [("renewal", "ok"), ("keyring-failed", "failed")] * 2
