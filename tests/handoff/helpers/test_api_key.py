"""api-key: the token and a newline, and how long it must live."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import api_key
from tokenctl.handoff.helpers.question import Given, Question

ERROR = LoginRequired("the session is over", hint="run it")
VARIABLE = "CLAUDE_CODE_API_KEY_HELPER_TTL_MS"


def read(*words: str, environ: Mapping[str, str] = {}) -> Question:
    """The question of a client that calls with these words."""
    return api_key.read(words, b"", environ)


def test_the_answer_is_the_token_and_a_newline() -> None:
    """Not one byte more: Claude Code and Codex cut off white space, and others do not."""
    given = Given("AT.1", "", "oauth2", "Bearer ", 2000)
    found = api_key.found(read(), [given], 1000)
    assert (found.out, found.status, found.error) == (b"AT.1\n", 0, "")


def test_a_failure_is_a_reason_on_stderr() -> None:
    """Nothing is on stdout, and the exit status tells what happened."""
    failed = api_key.failed(read(), ERROR)
    assert (failed.out, failed.status, failed.error, failed.hint) == (b"", 4, "the session is over", ERROR.next_step)


@pytest.mark.parametrize(
    ("words", "environ", "kept"),
    [
        ((), {}, 300),
        (("--ttl", "600"), {}, 600),
        (("--ttl=60",), {VARIABLE: "900000"}, 60),
        ((), {VARIABLE: "900000"}, 900),
        ((), {VARIABLE: "soon"}, 300),
        ((), {VARIABLE: "-1"}, 300),
        ((), {VARIABLE: ""}, 300),
    ],
)
def test_the_token_outlives_the_time_for_which_the_client_keeps_it(
    words: tuple[str, ...], environ: dict[str, str], kept: int
) -> None:
    """And a client that asks within this time was refused."""
    question = read(*words, environ=environ)
    assert (question.wants, question.address) == ("token", "")
    assert (question.min_ttl, question.interval, question.again) == (kept + 60, kept, "api-key")


@pytest.mark.parametrize(("words", "environ"), [(("--ttl", "0"), {}), ((), {VARIABLE: "0"}), ((), {VARIABLE: "999"})])
def test_nothing_follows_from_the_questions_of_a_client_that_keeps_no_token(
    words: tuple[str, ...], environ: dict[str, str]
) -> None:
    """As mutt does, which asks for each connection."""
    question = read(*words, environ=environ)
    assert (question.wants, question.min_ttl, question.again) == ("token", 0, "")


@pytest.mark.parametrize(
    "words", [("get",), ("--ttl",), ("--ttl", "5m"), ("--ttl", "-1"), ("--ttl=9999999999",), ("-x",)]
)
def test_other_words_are_a_mistake(words: tuple[str, ...]) -> None:
    """The reason is on stderr, and stdout is empty."""
    question = read(*words)
    assert question.wants == "nothing"
    assert (question.answer.out, question.answer.status) == (b"", 2) and question.answer.error.isprintable()


@given(st.lists(st.text()), st.dictionaries(st.just(VARIABLE), st.text()))
def test_no_words_and_no_variable_make_a_traceback(words: list[str], environ: dict[str, str]) -> None:
    """A question comes of all of them."""
    assert read(*words, environ=environ).wants in ("token", "nothing")
