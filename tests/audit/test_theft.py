"""A refused refresh token: when it is a trace of a thief, and when something else explains it."""

from typing import Any

import pytest

from tests.support.events import DAY, HOUR, MINUTE, START, dead, event, found, login, renewal
from tokenctl.audit.members import when
from tokenctl.audit.theft import KEPT, refused
from tokenctl.model.event import Event

NOON = 12 * HOUR


def refusals(*events: Event) -> int:
    """How many anomalies the events show."""
    return len(found(refused, events))


# -- what is an anomaly --------------------------------------------------------------------------------


def test_a_refused_refresh_token_is_named_with_its_times() -> None:
    """The finding says when it was refused, when it was last good, and what to do."""
    (anomaly,) = found(refused, [login(), renewal(NOON, "f1", "f2"), dead(NOON + HOUR, "f2")])
    assert (anomaly.name, anomaly.profile, anomaly.evidence) == ("refresh-token-refused", "t", (2, 3))
    assert (anomaly.began_at, anomaly.at) == (START + NOON, START + NOON + HOUR)
    assert when(START + NOON) in anomaly.sentence and when(START + NOON + HOUR) in anomaly.sentence
    for command in ("revoke -p t", "login -p t", "audit acknowledge refresh-token-refused -p t"):
        assert f"tokenctl {command}" in anomaly.remedy


def test_a_log_that_begins_with_the_refusal_is_enough() -> None:
    """The older events were rotated away, or are of a version without a log."""
    (anomaly,) = found(refused, [dead(NOON)])
    assert (anomaly.evidence, anomaly.began_at) == ((1,), START + NOON - 15 * MINUTE)


@pytest.mark.parametrize("says", [None, "reuse", "something new", 5, ["expired"]])
def test_no_reason_or_a_reuse_is_an_anomaly(says: Any) -> None:
    """A reason that this version does not know explains nothing."""
    assert refusals(login(), dead(NOON, says=says, obtained_at=START)) == 1


def test_a_reuse_is_an_anomaly_whatever_the_age() -> None:
    """A token that ended by itself is not called used. The finding has the server's word."""
    old = dead(9 * DAY, says="reuse", obtained_at=START, refresh_expires_at=START + DAY)
    (anomaly,) = found(refused, [login(), old])
    assert "used before" in anomaly.sentence
    (anomaly,) = found(refused, [login(), dead(HOUR)])
    assert "used before" not in anomaly.sentence


def test_a_login_from_its_beginning_to_its_end_explains_nothing_about_its_own_token() -> None:
    """It replaces the tokens before."""
    signed_in = login(HOUR, "f2", result="started"), login(HOUR, "f2")
    assert refusals(login(), *signed_in, dead(2 * HOUR, "f2")) == 1


def test_the_token_that_was_presented_counts() -> None:
    """The session can have another one by then; a line without it counts as the session's own."""
    older = [login(), renewal(HOUR, "f1", "f2")]
    assert refusals(*older, dead(2 * HOUR, "f1", fingerprint="f2")) == 0
    assert refusals(*older, dead(2 * HOUR, "f2", fingerprint="f1")) == 1
    for missing in (None, 5):
        assert refusals(*older, dead(2 * HOUR, "f1", old_fingerprint=missing)) == 0
        assert refusals(*older, dead(2 * HOUR, "f2", old_fingerprint=missing)) == 1


def test_a_token_that_does_not_rotate_is_no_older_state() -> None:
    """It was got at the login, and was good for a narrower token since."""
    assert refusals(login(), renewal(HOUR, target="k"), dead(2 * HOUR, obtained_at=START)) == 1


def test_a_refusal_is_named_once() -> None:
    """Where the mark in the journal could not be written, the next command presents the token again."""
    assert refusals(login(), dead(NOON), dead(NOON + 1), dead(NOON + HOUR)) == 1


def test_the_next_session_is_watched_as_well() -> None:
    """Two sessions of one profile one after another are two findings."""
    assert refusals(login(), dead(NOON, "f1"), login(NOON + HOUR, "f2"), dead(NOON + 2 * HOUR, "f2")) == 2


def test_a_good_renewal_ends_what_explained_a_refusal() -> None:
    """A lost answer, a sign-out that the server refused, or a login that failed, explains nothing after a renewal."""
    for happened in (
        event("unanswered", HOUR, fingerprint="f1", tries=2),
        event("revocation", HOUR, fingerprint="f1", result="failed"),
        login(HOUR, "f9", result="failed"),
    ):
        assert refusals(login(), happened, renewal(NOON, "f1", "f1"), dead(NOON + HOUR, "f1")) == 1
        assert refusals(login(), happened, renewal(NOON, "f1", "f2"), dead(NOON + HOUR, "f2")) == 1


def test_a_renewal_that_was_cut_off_does_not_hide_a_theft() -> None:
    """Its event is written by the next run; the token that it brought is the newest one all the same."""
    recovered = event("renewal", HOUR, fingerprint="f2", result="recovered")
    assert refusals(login(), event("unanswered", 1, fingerprint="f1"), recovered, dead(2 * HOUR, "f2")) == 1
    assert refusals(login(), recovered, dead(2 * HOUR, "f1")) == 0


def test_the_renewals_of_another_machine_hide_no_theft() -> None:
    """Machines that share a home write one log: what one of them got replaces nothing of another one's session."""
    other = renewal(HOUR, "x1", "x2", session="s2")
    assert refusals(login(), login(MINUTE, "x1", session="s2"), renewal(2 * MINUTE), other, dead(2 * HOUR, "f1")) == 1


@pytest.mark.parametrize("end", [30 * DAY, 90 * DAY])
def test_a_session_that_servers_end_after_so_many_days_is_not_stolen(end: float) -> None:
    """The end comes between the last renewal and the refusal; one that came before or comes later explains nothing."""

    def refused(renewed: float, at: float, **members: Any) -> int:
        last = dead(at, "f2", obtained_at=START + renewed, **members)
        return refusals(login(), renewal(renewed, "f1", "f2"), last)

    assert refused(end - MINUTE, end + MINUTE) == 0
    assert refused(end + MINUTE, end + HOUR) == refused(end - 2 * HOUR, end - HOUR) == 1
    assert refused(end - MINUTE, end + MINUTE, refresh_expires_at=START + end + DAY) == 1


# -- what explains it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("says", ["password", "expired", "interaction"])
def test_a_reason_of_the_server_explains_it(says: str) -> None:
    """A changed password, an expired token and a person who must be at the browser are no thieves."""
    assert refusals(login(), dead(NOON, says=says)) == 0


@pytest.mark.parametrize("says", [None, "reuse"])
@pytest.mark.parametrize("unanswered", [1, 7, 1.0])
def test_an_earlier_presentation_without_an_answer_explains_it(unanswered: float, says: str | None) -> None:
    """The server may have given the successor, and the answer was lost; it then calls the second one a reuse."""
    assert refusals(login(), dead(NOON, unanswered=unanswered, says=says)) == 0


@pytest.mark.parametrize("unanswered", [0, -1, None, "2", [], True, float("nan"), 10**400])
def test_an_absurd_number_of_presentations_explains_nothing(unanswered: Any) -> None:
    """A member of a wrong type counts as absent."""
    assert refusals(login(), dead(NOON, unanswered=unanswered)) == 1


def test_an_event_of_a_lost_answer_explains_it() -> None:
    """The journal may have lost its count, and the log has the event."""
    lost = event("unanswered", HOUR, fingerprint="f1", tries=1)
    assert refusals(login(), lost, dead(NOON)) == 0
    assert refusals(login(), lost, renewal(2 * HOUR, "f1", "f2"), dead(NOON, "f2")) == 1


def test_a_renewal_that_is_written_twice_ends_no_explanation() -> None:
    """A keyring that stays behind makes each run write the event of the same renewal again."""
    again = event("renewal", 2 * HOUR, session="s", fingerprint="f1", result="recovered")
    assert refusals(login(), event("unanswered", HOUR, fingerprint="f1"), again, dead(NOON)) == 0


@pytest.mark.parametrize(("generation", "count"), [(2, 0), (7, 1), (None, 1)])
def test_a_generation_tells_an_older_state_whatever_the_clocks_said(generation: int | None, count: int) -> None:
    """The token was got under a clock that was ahead, and its own event was rotated away."""
    restored = dead(2 * HOUR, "f2", generation=generation, obtained_at=START + NOON, says="reuse")
    assert refusals(renewal(HOUR, "f6", "f7", generation=7), restored) == count


def test_a_keyring_restored_to_an_older_state_explains_it() -> None:
    """The log has the successor of the token that was refused; so the server may call it reused."""
    older = [login(), renewal(HOUR, "f1", "f2"), renewal(2 * HOUR, "f2", "f3")]
    for token in ("f1", "f2"):
        assert refusals(*older, dead(NOON, token, says="reuse")) == 0
    assert refusals(*older, dead(NOON, "f3")) == 1


def test_a_token_of_the_session_before_the_last_login_is_an_older_state() -> None:
    """A login replaces the token, and a restored keyring brings it back."""
    assert refusals(login(), login(HOUR, "f2"), dead(2 * HOUR, "f1", obtained_at=START)) == 0


def test_a_successor_that_was_kept_and_then_refused_counts() -> None:
    """The ID token beside the new refresh token was wrong: the new one is the session's, and the old one is used up."""
    rotated = event("refusal", HOUR, fingerprint="f2", old_fingerprint="f1", result="subject")
    assert refusals(login(), rotated, dead(2 * HOUR, "f1")) == 0
    assert refusals(login(), rotated, dead(2 * HOUR, "f2")) == 1


def test_a_refusal_without_a_new_token_replaces_nothing() -> None:
    """An overloaded server gives no successor, and a machine presents no refresh token."""
    for presented in ("f1", None):
        busy = event("refusal", HOUR, fingerprint="f1", old_fingerprint=presented, status=503)
        assert refusals(login(), busy, dead(2 * HOUR)) == 1
        lost = event("unanswered", MINUTE, fingerprint="f1")
        assert refusals(login(), lost, busy, dead(2 * HOUR)) == 0


def test_a_token_from_before_those_that_are_remembered_is_an_older_state() -> None:
    """Its successors are a thousand renewals, and the memory has a limit."""
    renewals = [renewal(HOUR + n, f"f{n}", f"f{n + 1}") for n in range(1, KEPT + 5)]
    assert refusals(login(), *renewals, dead(NOON, "f1", obtained_at=START, says="reuse")) == 0
    assert refusals(login(), *renewals, dead(NOON, "unknown", obtained_at=START + 2 * HOUR)) == 1
    recovered = event("renewal", 2 * HOUR, fingerprint="f0", result="recovered")
    assert refusals(login(), *renewals, recovered, dead(NOON, "f1", obtained_at=START, says="reuse")) == 0


def test_a_sign_out_explains_it() -> None:
    """Also one whose answer was lost: the server may have ended the token. A restored keyring brings it back."""
    for result in ("ok", "local", "failed"):
        signed_out = event("revocation", HOUR, fingerprint="f1", result=result)
        assert refusals(login(), signed_out, dead(2 * HOUR)) == 0


@pytest.mark.parametrize("result", ["started", "failed"])
def test_a_login_that_did_not_end_well_explains_it(result: str) -> None:
    """Some servers end what they gave before, and the new session was not stored here."""
    assert refusals(login(), login(HOUR, "f2", result=result), dead(2 * HOUR, "f1")) == 0


def test_a_login_that_keeps_the_refresh_token_before_explains_it() -> None:
    """The server gave no new one, and may have ended the one before."""
    assert refusals(login(), login(HOUR, "f1"), dead(2 * HOUR, "f1")) == 0


def test_a_login_or_sign_out_of_the_same_account_in_another_profile_explains_it() -> None:
    """Google, for one, ends every grant of a person and client with one of them."""
    other = login(HOUR, "g1", profile="u")
    out = event("revocation", 2 * HOUR, profile="u", fingerprint="g1")
    assert refusals(login(), other, dead(3 * HOUR)) == 0
    since = renewal(HOUR + MINUTE, "f1")
    for ordinary in (renewal(2 * HOUR, "g1", profile="u"), event("migration", 2 * HOUR, profile="u")):
        assert refusals(login(), other, since, ordinary, dead(3 * HOUR)) == 1
    assert refusals(login(), other, since, out, dead(3 * HOUR)) == 0


@pytest.mark.parametrize("member", ["issuer", "client_id", "subject"])
def test_another_account_explains_nothing(member: str) -> None:
    """Neither does a session that only this machine forgot, or one whose account the log does not know."""
    other = login(HOUR, "g1", profile="u", **{member: "other"})
    out = event("revocation", 2 * HOUR, profile="u", fingerprint="g1")
    assert refusals(login(), other, out, dead(3 * HOUR)) == 1
    local = event("revocation", 2 * HOUR, profile="u", fingerprint="g1", result="local")
    same = login(1, "g1", profile="u")
    assert refusals(login(), same, renewal(MINUTE), local, dead(3 * HOUR)) == 1
    assert refusals(renewal(0), event("revocation", 1, profile="u"), dead(3 * HOUR)) == 1


# -- age -----------------------------------------------------------------------------------------------


def test_an_unknown_life_is_a_day() -> None:
    """After a day a refresh token may have ended by itself."""
    assert refusals(login(), dead(DAY - MINUTE, obtained_at=START)) == 1
    assert refusals(login(), dead(DAY, obtained_at=START)) == 0


def test_a_refresh_token_that_never_changes_is_as_old_as_its_login() -> None:
    """A server that rotates nothing ends it after some days, however short ago it was used."""
    used = [renewal(hour * HOUR) for hour in range(1, 8 * 24)]
    assert refusals(login(), *used, dead(8 * DAY)) == refusals(*used, dead(8 * DAY)) == 0
    assert refusals(login(), *used[:20], dead(21 * HOUR)) == 1
    rotating = [renewal(hour * HOUR, f"f{hour}", f"f{hour + 1}") for hour in range(1, 8 * 24)]
    assert refusals(login(), *rotating, dead(8 * DAY, "f192")) == 1


@pytest.mark.parametrize("days", [0.5, 7])
def test_a_known_life_counts(days: float) -> None:
    """The server said how long it lives, which is shorter or longer than a day."""
    life: dict[str, Any] = {"obtained_at": START, "refresh_expires_at": START + days * DAY}
    assert refusals(login(), dead(days * DAY - MINUTE, **life)) == 1
    assert refusals(login(), dead(days * DAY, **life)) == 0


def test_the_servers_clock_decides_about_the_age() -> None:
    """A clock that stands still while the machine is off makes no token young."""
    assert refusals(login(), dead(HOUR, obtained_at=START, server_clock=40 * DAY)) == 0
    assert refusals(login(), dead(40 * DAY, obtained_at=START, server_clock=-40 * DAY + HOUR)) == 1


def test_a_clock_that_went_far_back_tells_no_age() -> None:
    """A machine without a clock of its own begins in 1970. A clock that is an hour behind is no reason."""
    assert refusals(login(), dead(0, obtained_at=START + 400 * DAY, server_clock=None)) == 0
    assert refusals(login(), dead(HOUR, obtained_at=START + 2 * HOUR, server_clock=None)) == 1


def test_a_token_of_unknown_age_is_an_anomaly() -> None:
    """Nothing shows that it has ended by itself."""
    assert refusals(dead(90 * DAY, obtained_at="yesterday", refresh_expires_at=None)) == 1
    assert refusals(login(), dead(90 * DAY, "another", obtained_at="yesterday", refresh_expires_at=None)) == 1
