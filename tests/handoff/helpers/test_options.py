"""The options of a helper: any order, both spellings, and a reason for everything else."""

from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.helpers.options import split

NAMES = ("--user", "--port")
PLAIN = st.text().filter(lambda text: not text.startswith("-"))
VALUES = st.text(min_size=1)


@given(st.lists(PLAIN, max_size=3), st.dictionaries(st.sampled_from(NAMES), VALUES), st.booleans(), st.randoms())
def test_words_and_options_are_found_in_any_order(
    others: list[str], options: dict[str, str], joined: bool, order: Random
) -> None:
    """A value may be any text, also one that looks like an option."""
    groups = [[f"{name}={value}"] if joined else [name, value] for name, value in options.items()]
    groups += [[word] for word in others]
    order.shuffle(groups)
    found, given_options = split([word for group in groups for word in group], NAMES)
    assert sorted(found) == sorted(others) and given_options == options


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--host", "h"], "there is no option '--host'"),
        (["-u"], "there is no option '-u'"),
        (["--\x1b[31m"], r"there is no option '--\x1b[31m'"),
        (["--user"], "--user needs a value"),
        (["--user="], "--user needs a value"),
        (["--user", ""], "--user needs a value"),
        (["--user", "a", "--user=b"], "--user is there twice"),
    ],
)
def test_what_cannot_be_understood_has_a_reason(words: list[str], reason: str) -> None:
    """The reason can be shown at a terminal."""
    with pytest.raises(ValueError, match=r".+") as caught:
        split(words, NAMES)
    assert str(caught.value) == reason and reason.isprintable()


@given(st.lists(st.sampled_from(["--user", "--port=", "--port=1", "-", "--", "-\n", ""]) | st.text()))
def test_every_command_line_is_read_or_has_a_reason(words: list[str]) -> None:
    """There is no other end."""
    with suppress(ValueError):
        split(words, NAMES)
