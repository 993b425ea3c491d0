"""pnpm: the value of the header, and nothing besides."""

from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import pnpm
from tokenctl.handoff.helpers.question import Given

TOKEN = Given("AT.1", "", "oauth2", "Bearer ", 2000)
ERROR = LoginRequired("the session is over", hint="sign in")


def test_the_answer_has_the_scheme() -> None:
    """Without it pnpm up to version 10 would send the bare token."""
    question = pnpm.read([], b"", {})
    assert (question.wants, question.address, question.again) == ("token", "", "")
    found = pnpm.found(question, [TOKEN], 1000)
    assert (found.out, found.status, found.error) == (b"Bearer AT.1\n", 0, "")


def test_a_failure_is_a_reason_on_stderr() -> None:
    """Nothing is on stdout: pnpm would send it."""
    failed = pnpm.failed(pnpm.read([], b"", {}), ERROR)
    assert (failed.out, failed.status, failed.error, failed.hint) == (b"", 4, "the session is over", ERROR.next_step)


@given(st.lists(st.text(), min_size=1))
def test_words_are_a_mistake(words: list[str]) -> None:
    """The reason is on stderr; pnpm passes no words."""
    question = pnpm.read(words, b"", {})
    assert question.wants == "nothing"
    assert (question.answer.out, question.answer.status) == (b"", 2) and question.answer.error
