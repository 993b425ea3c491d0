"""A session in the keyring that nobody put there, and a session that became another person's."""

from typing import Any

import pytest

from tests.support.events import HOUR, MINUTE, event, found, login, renewal
from tokenctl.audit.replaced import changed, subject
from tokenctl.model.event import Event


def outside(at: float, given: str = "x", generation: int = 2, how: str = "a newer generation", **members: Any) -> Event:
    """The worker finds a session that it did not expect."""
    return event("changed-outside", at, fingerprint=given, generation=generation, how=how, by="/state", **members)


def changes(*events: Event) -> int:
    """How many sessions were changed outside."""
    return len(found(changed, events))


def persons(*events: Event) -> int:
    """How often the session became another person's."""
    return len(found(subject, events))


# -- changed outside -----------------------------------------------------------------------------------


def test_a_session_that_nobody_put_there_is_named() -> None:
    """The finding says how it differs, and which state directory renews it."""
    (anomaly,) = found(changed, [login(), outside(HOUR)])
    assert (anomaly.name, anomaly.profile, anomaly.evidence) == ("session-changed-outside", "t", (2,))
    assert "a newer generation" in anomaly.sentence and "/state" in anomaly.sentence
    assert "tokenctl audit acknowledge session-changed-outside -p t" in anomaly.remedy


@pytest.mark.parametrize("kind", ["login", "migration"])
@pytest.mark.parametrize("result", ["started", "ok", "failed"])
def test_a_login_or_migration_that_was_killed_explains_it(kind: str, result: str) -> None:
    """It wrote its event and the session, and was killed before the mirror."""
    put = event(kind, HOUR, fingerprint="x", generation=2, result=result)
    assert changes(login(), put, outside(2 * HOUR)) == 0
    assert changes(login(), outside(2 * HOUR), put) == 1


def test_another_session_than_the_login_put_is_an_anomaly() -> None:
    """The same refresh token at another generation, another token, or of another profile."""
    put = login(HOUR, "x", generation=2)
    assert changes(put, outside(2 * HOUR, "x", 3)) == 1
    assert changes(put, outside(2 * HOUR, "y", 2)) == 1
    assert changes(put, outside(2 * HOUR, "x", 2, profile="u")) == 1
    assert changes(event("renewal", HOUR, fingerprint="x", generation=2), outside(2 * HOUR)) == 1


def test_other_tokens_of_a_known_generation_are_never_explained() -> None:
    """Each login makes a new generation, so another program wrote the access token."""
    assert changes(login(0, "x", generation=2), outside(HOUR, how="other tokens")) == 1


def test_one_change_is_named_once() -> None:
    """Each renewal that fails finds the same session again."""
    assert changes(login(), outside(1), outside(2), outside(3)) == 1
    assert changes(login(), outside(1), outside(2, "y"), outside(3, "x")) == 2


# -- another person ------------------------------------------------------------------------------------


def test_an_answer_with_the_id_token_of_another_person_is_named_once() -> None:
    """Each renewal is answered like that, until one is good again."""
    wrong = [event("refusal", at * HOUR, result="subject", fingerprint="f1") for at in (1, 2, 3)]
    (anomaly,) = found(subject, [login(), *wrong])
    assert (anomaly.name, anomaly.evidence) == ("subject-changed", (1, 2))
    assert "alice" in anomaly.sentence and "ID token" in anomaly.sentence and "tokenctl show -p t" in anomaly.remedy
    (anomaly,) = found(subject, wrong)
    assert anomaly.evidence == (1,)
    assert persons(login(), wrong[0], renewal(HOUR + 1), wrong[1]) == 2
    assert persons(login(), wrong[0], login(HOUR + 1), wrong[1]) == 2


def test_another_refusal_says_nothing_about_the_person() -> None:
    """A server that is overloaded, or refuses for another reason."""
    assert persons(login(), event("refusal", HOUR, result="failed", error="server_error")) == 0


def test_an_access_token_of_another_person_is_named() -> None:
    """The `sub` of the access token changed with a renewal. Other changes are events and no anomalies."""
    (anomaly,) = found(subject, [login(), event("change", HOUR, what="subject", was="alice", now="mallory")])
    assert "alice" in anomaly.sentence and "mallory" in anomaly.sentence
    for what in ("scope", "audience", "lifetime", "key"):
        assert persons(login(), event("change", HOUR, what=what, was="1", now="2")) == 0


def test_a_login_that_replaces_another_person_is_agreed() -> None:
    """A person was asked, or said --switch-account."""
    bob = login(HOUR, "f2", subject="bob", replaces="alice")
    assert persons(login(), bob, renewal(2 * HOUR, "f2", subject="bob")) == 0


def test_a_login_where_nothing_is_begins_anew() -> None:
    """After a sign-out, or where the keyring lost the session: whoever signs in knows who it is."""
    bob = login(HOUR, "f2", subject="bob")
    assert persons(login(), event("revocation", MINUTE), bob) == 0
    assert persons(login(), bob, renewal(2 * HOUR, "f2", subject="bob")) == 0


def test_a_login_in_the_place_of_a_stranger_is_named() -> None:
    """The session that it replaces was of somebody who never signed in here."""
    (anomaly,) = found(subject, [login(), login(HOUR, "f2", subject="bob", replaces="mallory")])
    assert "alice" in anomaly.sentence and "bob" in anomaly.sentence and "signed in" in anomaly.sentence
    assert persons(login(), login(HOUR, "f2", replaces="mallory")) == 0
    assert persons(login(), event("revocation", 1), login(HOUR, "f2", subject="bob", replaces="mallory")) == 0
    kept = event("revocation", 1, result="failed")
    assert persons(login(), kept, login(HOUR, "f2", subject="bob", replaces="mallory")) == 1


def test_a_renewal_of_another_persons_session_is_named_once() -> None:
    """Somebody put that session into the keyring."""
    strange = [renewal(at * HOUR, "x", subject="mallory") for at in (1, 2, 3)]
    (anomaly,) = found(subject, [login(), renewal(MINUTE), *strange])
    assert anomaly.evidence == (1, 3) and "a renewal brought" in anomaly.sentence
    other_kind = event("changed-outside", HOUR, what="subject", was="alice", now="mallory", result="subject")
    assert persons(login(), other_kind) == 0


@pytest.mark.parametrize("result", ["started", "failed"])
def test_a_login_that_was_killed_explains_the_person_after_it(result: str) -> None:
    """The session was stored, and no event says so. A person whom nobody agreed to stays an anomaly."""
    bob = renewal(2 * HOUR, "f2", subject="bob")
    assert persons(login(), login(HOUR, "f2", subject="bob", replaces="alice", result=result), bob) == 0
    assert persons(login(), login(HOUR, "f2", subject="bob", replaces="mallory", result=result), bob) == 1


def test_a_login_that_never_was_explains_nothing_later() -> None:
    """It was killed before it stored anything, and the person before it went on."""
    killed = login(HOUR, "f2", session="s2", subject="bob", replaces="alice", result="started")
    assert persons(login(), killed, renewal(2 * HOUR), renewal(3 * HOUR, "f2", subject="bob")) == 1


@pytest.mark.parametrize("who", [None, 7, ["bob"]])
def test_an_unknown_person_is_nobody_else(who: Any) -> None:
    """A server without ID tokens names nobody; the event of a renewal that was cut off has no subject."""
    assert persons(login(), renewal(HOUR, subject=who), renewal(2 * HOUR)) == 0
    assert persons(login(), login(HOUR, "f2", subject=who), renewal(2 * HOUR, "f2", subject="bob")) == 0
    assert persons(renewal(1, subject="bob"), renewal(HOUR, subject=who), renewal(2 * HOUR, subject="bob")) == 0


def test_machines_that_share_a_home_have_a_person_each() -> None:
    """Bob signs in on one machine, and the session that Alice has on the other one goes on, and is replaced by her own."""
    bob = login(HOUR, "x", session="s2", subject="bob", replaces="alice")
    assert persons(login(), bob, renewal(2 * HOUR), login(3 * HOUR, "f2", replaces="alice")) == 0
    assert persons(login(), bob, renewal(2 * HOUR, subject="bob")) == 1


def test_each_profile_has_a_person_of_its_own() -> None:
    """Alice here and Bob there are no change."""
    assert (
        persons(login(), login(1, profile="u", subject="bob"), renewal(2), renewal(3, profile="u", subject="bob")) == 0
    )
