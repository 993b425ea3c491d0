"""Renewing: what an answer leaves out stays, what it brings is verified, and a stranger's token goes nowhere."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.servers.faulty_server import FaultyServer, Received, Reply, json_reply
from tests.support import broker
from tests.support.broker import sign_in
from tests.support.flows import Person, SetClock, always, machine_profile, profile_of, renew, rewritten, signed_in
from tests.support.sessions import end_of
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.model.session import Session
from tokenctl.oauth.claims import unverified_claims
from tokenctl.runtime import Runtime
from tokenctl.storage.memory_store import MemoryStore


def renewed(server: FaultyServer, session: Session, **changes: Any) -> Session:
    """Renew without a store."""
    return renew(Runtime(), profile_of(server, **changes), session)


def test_the_successor_has_new_tokens_of_the_same_sign_in(demo_server: FaultyServer, session: Session) -> None:
    """Tokens and times are new; whose they are and where they came from stays."""
    successor = renewed(demo_server, session)
    for name in ("access_token", "refresh_token", "id_token"):
        assert getattr(successor, name) and getattr(successor, name) != getattr(session, name)
    assert successor.generation == session.generation + 1
    for name in ("issuer", "client_id", "flow", "token_endpoint", "subject", "account", "seal_key", "scope"):
        assert getattr(successor, name) == getattr(session, name)


def test_the_successor_says_that_it_was_renewed(demo_server: FaultyServer, session: Session) -> None:
    """A renewal in the same second as the login is one all the same, and a login is none."""
    assert session.refreshed_at is None
    successor = renewed(demo_server, session)
    assert successor.refreshed_at == successor.obtained_at


def test_only_the_pinned_endpoint_sees_the_refresh_token(demo_server: FaultyServer, session: Session) -> None:
    """No metadata is asked, so none can send the token elsewhere; the profile's own endpoint does not count either."""
    before = len(demo_server.requests)
    renewed(demo_server, session, token_endpoint="https://evil.example/token")
    assert [each.target for each in demo_server.requests[before:]] == ["/token", "/jwks"]
    form = demo_server.requests[before].form
    assert form == {"grant_type": "refresh_token", "refresh_token": session.refresh_token, "client_id": "tokenctl-demo"}


def test_resources_are_asked_for_again(demo_server: FaultyServer) -> None:
    """The successor is for the same APIs (RFC 8707 section 2.2)."""
    session = signed_in(demo_server, resource=["https://a.example", "https://b.example"])
    renewed(demo_server, session)
    assert demo_server.requests[-2].resources == ("https://a.example", "https://b.example")


@pytest.mark.parametrize("name", ["refresh_token", "id_token", "scope"])
def test_what_the_answer_leaves_out_stays(demo_server: FaultyServer, session: Session, name: str) -> None:
    """RFC 6749 section 6: no new refresh token, ID token or scope means the one there was."""
    demo_server.overrides["/token"] = rewritten(demo_server, **{name: None})
    assert getattr(renewed(demo_server, session), name) == getattr(session, name)


def test_an_empty_refresh_token_is_none(demo_server: FaultyServer, session: Session) -> None:
    """A refresh token is not replaced by nothing."""
    demo_server.overrides["/token"] = rewritten(demo_server, refresh_token="")
    assert renewed(demo_server, session).refresh_token == session.refresh_token


def test_a_narrower_scope_is_remembered(demo_server: FaultyServer, session: Session) -> None:
    """The session says what its token is good for."""
    demo_server.overrides["/token"] = rewritten(demo_server, scope="openid")
    assert renewed(demo_server, session).scope == "openid"


def test_the_same_id_token_again_is_no_news(demo_server: FaultyServer, session: Session) -> None:
    """A server that repeats the first ID token, which may have expired, is lived with."""
    old = demo_server.sign_id_token({**unverified_claims(session.id_token or ""), "exp": 1})
    demo_server.overrides["/token"] = rewritten(demo_server, id_token=old)
    assert renewed(demo_server, replace(session, id_token=old)).generation == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"error": "invalid_grant"}, 400), LoginRequired),
        (json_reply({"error": "invalid_grant"}, 401), LoginRequired),
        (json_reply({"error": "invalid_request"}, 400), Refused),
        (json_reply({"error": "invalid_client"}, 401), Refused),
        (Reply(status=400), Refused),
        (Reply(status=401), Refused),
        (Reply(status=403, headers={"Content-Type": "text/html"}, body=b"<h1>No</h1>"), Refused),
        (Reply(status=500), Unreachable),
        (Reply(status=503, headers={"Content-Type": "text/html"}, body=b"<h1>Later</h1>"), Unreachable),
        (Reply(drop_before=True), Unreachable),
    ],
)
def test_every_failure_has_its_kind_and_keeps_the_session(
    demo_server: FaultyServer, session: Session, store: MemoryStore, reply: Reply, error: type[TokenctlError]
) -> None:
    """Login required, refused or try again: the session is as it was."""
    demo_server.overrides["/token"] = always(reply)
    with pytest.raises(error) as caught:
        broker.renew(Runtime(store=store), profile_of(demo_server))
    assert type(caught.value) is error
    assert store.read("t") == session
    assert (session.refresh_token or "") not in caught.value.message


def test_a_refresh_token_in_the_servers_words_is_redacted(demo_server: FaultyServer, session: Session) -> None:
    """A server that echoes the refresh token does not put it on a terminal."""
    document = {"error": "invalid_grant", "error_description": f"token {session.refresh_token} is dead"}
    demo_server.overrides["/token"] = always(json_reply(document, 400))
    with pytest.raises(LoginRequired, match=r"token \*\*\* is dead"):
        renewed(demo_server, session)


def test_without_a_refresh_token_a_person_has_to_sign_in(demo_server: FaultyServer) -> None:
    """A session that cannot be renewed says why."""
    session = signed_in(demo_server, scope="openid")
    assert session.refresh_token is None
    with pytest.raises(LoginRequired, match="no refresh token"):
        renewed(demo_server, session)


def test_a_machine_begins_again(demo_server: FaultyServer) -> None:
    """Without a refresh token a machine presents its secret once more, the way it did at login."""
    store = MemoryStore()
    store.write_secret("t", "demo-ci-secret")
    profile = machine_profile(demo_server, token_endpoint_auth_method="client_secret_post")
    session = sign_in(Person(), profile, client_secret="demo-ci-secret")
    successor = renew(Runtime(store=store), profile, session)
    assert successor.access_token != session.access_token
    assert demo_server.requests[-1].form["client_secret"] == "demo-ci-secret"
    with pytest.raises(LoginRequired, match="client secret"):
        renew(Runtime(store=MemoryStore()), profile, session)


# -- the ID token of another -----------------------------------------------------------------------


class OfAnother:
    """Answers as usual, with other claims in the ID token (None takes one out), and remembers the access tokens."""

    def __init__(self, server: FaultyServer, **changes: Any) -> None:
        self.issued: list[str] = []
        self._server = server
        self._changes = changes
        server.overrides["/token"] = self

    def __call__(self, request: Received) -> Reply:
        document = self._server.answer(request).document
        self.issued.append(document["access_token"])
        claims = unverified_claims(document["id_token"]) | self._changes
        token = self._server.sign_id_token({name: value for name, value in claims.items() if value is not None})
        return json_reply(document | {"id_token": token})


STRANGERS: list[dict[str, Any]] = [
    {"sub": "user-grace"},
    {"iss": "https://evil.example"},
    {"aud": "another"},
    {"azp": "another"},
    {"nonce": "another"},
    {"at_hash": "AAAA"},
    {"exp": 1},
    {"sub": None},
]


@pytest.mark.parametrize("changes", STRANGERS)
def test_a_strangers_token_is_never_handed_out(
    demo_server: FaultyServer, session: Session, store: MemoryStore, changes: dict[str, Any]
) -> None:
    """An ID token that is not of this sign-in spoils the answer, but the rotated refresh token is kept."""
    profile = profile_of(demo_server)
    stranger = OfAnother(demo_server, **changes)
    with pytest.raises(Refused):
        broker.renew(Runtime(store=store), profile)
    kept = store.read("t")
    assert kept is not None
    assert kept.refresh_token != session.refresh_token
    assert (kept.id_token, kept.subject) == (session.id_token, session.subject)
    assert kept.refreshed_at is None
    del demo_server.overrides["/token"]
    for moment in (session.obtained_at - 30, session.obtained_at, end_of(session)):
        runtime = Runtime(store=store, clock=SetClock(partial(float, moment)))
        assert broker.current(runtime, profile).access_token not in stranger.issued
    assert demo_server.reuse_detections == 0


def test_a_nonce_may_be_absent_from_a_renewal(demo_server: FaultyServer, session: Session) -> None:
    """OpenID Connect Core section 12.2: a renewed ID token need not have the nonce."""
    assert "nonce" in unverified_claims(session.id_token or "")
    successor = renewed(demo_server, session)
    assert "nonce" not in unverified_claims(successor.id_token or "")


def test_the_same_nonce_in_a_renewal_is_accepted(demo_server: FaultyServer, session: Session) -> None:
    """A renewed ID token may have the nonce of the sign-in."""
    nonce = unverified_claims(session.id_token or "")["nonce"]
    OfAnother(demo_server, nonce=nonce)
    assert renewed(demo_server, session).generation == 2


def test_a_token_is_not_there_for_others_before_it_is_verified(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """While the keys are fetched, a process that asks without the lock does not meet the unverified token."""
    met: list[Session | None] = []
    stranger = OfAnother(demo_server, sub="user-grace")

    def looking(request: Received) -> None:
        met.append(store.read("t"))

    demo_server.overrides["/jwks"] = looking
    with pytest.raises(Refused):
        broker.renew(Runtime(store=store), profile_of(demo_server))
    assert met
    assert all(each is not None and each.access_token not in stranger.issued for each in met)


def test_keys_that_cannot_be_had_now_are_a_passing_reason(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """A server without keys at the moment is overloaded (exit 6); the rotated refresh token is kept."""
    demo_server.overrides["/jwks"] = always(Reply(status=503))
    with pytest.raises(Unreachable):
        broker.renew(Runtime(store=store), profile_of(demo_server))
    kept = store.read("t")
    assert kept is not None and kept.refresh_token != session.refresh_token


def test_keys_that_cannot_be_reached_keep_the_rotated_refresh_token(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """A renewal whose ID token cannot be verified now is asked for again, with the new refresh token."""
    demo_server.overrides["/jwks"] = always(Reply(drop_before=True))
    with pytest.raises(Unreachable):
        broker.renew(Runtime(store=store), profile_of(demo_server))
    del demo_server.overrides["/jwks"]
    assert broker.renew(Runtime(store=store), profile_of(demo_server)).subject == "user-ada"
    assert demo_server.reuse_detections == 0


def test_keys_that_cannot_be_reached_leave_the_valid_token(
    demo_server: FaultyServer, session: Session, store: MemoryStore
) -> None:
    """While the older token lives, a renewal that cannot be verified for a passing reason does not take it away."""
    demo_server.overrides["/jwks"] = always(Reply(drop_before=True))
    stale = Runtime(store=store, clock=SetClock(lambda: end_of(session) - 30))
    assert broker.current(stale, profile_of(demo_server)).access_token == session.access_token
