"""What every protocol shares: the end that a client is told of, the header, and the refusal of a question."""

from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.helpers.question import EARLY, Given, Question, not_understood, reported

TIMES = st.integers(0, 2**40)


@given(TIMES, TIMES)
def test_a_client_is_told_an_earlier_end(expires_at: int, now: int) -> None:
    """It is earlier by half a minute at most, and never before the time at which the token is given."""
    told = reported(expires_at, now)
    assert told is not None and expires_at - EARLY <= told <= expires_at
    assert told >= now or expires_at < now


def test_an_end_that_nobody_knows_is_not_told() -> None:
    """There is nothing to tell then."""
    assert reported(None, 1) is None


def test_a_header_has_the_prefix_of_the_origin() -> None:
    """As the setting `host` says it."""
    assert Given("AT", "https://a.example", "oauth2", "token ", None).header == "token AT"


def test_a_question_that_cannot_be_understood_is_an_error_with_a_next_step() -> None:
    """It wants nothing, so no token is asked for; stdout stays empty."""
    question = not_understood("what is this", 5)
    assert (question.wants, question.address, question.answer.out) == ("nothing", "", b"")
    assert (question.answer.status, question.answer.error) == (5, "what is this") and question.answer.hint


def test_a_question_says_nothing_more_than_it_was_told() -> None:
    """Where the protocol gives no answer, it is silence with status 0."""
    question = Question("token", "https://a.example")
    assert {(each.out, each.status, each.error) for each in (question.answer, question.absent)} == {(b"", 0, "")}
    assert (question.again, question.interval, question.min_ttl, question.may_ask) == ("", 0, 0, False)
