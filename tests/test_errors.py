"""Every failure has a sentence, a hint and an exit status."""

import inspect
import re

import pytest

from tests.support.errors import CLASSES
from tokenctl import errors
from tokenctl.errors import (
    Busy,
    LoginRequired,
    Refused,
    StoreError,
    TokenctlError,
    Unreachable,
    UsageError,
)

DOCUMENTED = re.findall(r"^\s*[│├└─ ]*(\w+) +(\d+)  ", inspect.getdoc(errors) or "", re.MULTILINE)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Nobody has to read the code to learn the exit statuses."""
    assert [name for name, each in vars(errors).items() if isinstance(each, type)] == [
        each.__name__ for each in CLASSES
    ]
    assert {name: int(status) for name, status in DOCUMENTED} == {each.__name__: each.exit_status for each in CLASSES}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (TokenctlError, 1),
        (UsageError, 2),
        (StoreError, 3),
        (LoginRequired, 4),
        (Refused, 5),
        (Unreachable, 6),
        (Busy, 7),
    ],
)
def test_the_exit_statuses_are_a_promise(kind: type[TokenctlError], status: int) -> None:
    """Scripts tell failures apart by them."""
    assert kind("x").exit_status == status


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_carries_its_words(kind: type[TokenctlError]) -> None:
    """A message and an optional hint."""
    error = kind("what happened", hint="what to do")
    assert (error.message, error.hint, str(error)) == ("what happened", "what to do", "what happened")
    assert kind("x").hint is None


def test_what_happens_to_the_store_is_told_apart() -> None:
    """Locked, unavailable, timed out and damaged are four errors of one family."""
    kinds = {each for each in CLASSES if each.__base__ is StoreError}
    assert {each.__name__ for each in kinds} == {"StoreLocked", "StoreUnavailable", "StoreTimedOut", "StoreDamaged"}


def test_some_errors_say_more() -> None:
    """A refusal keeps the server's code, and an unanswered request whether it was sent."""
    assert (Refused("x").error, Refused("x", error="invalid_scope").error) == (None, "invalid_scope")
    assert (Unreachable("x").sent, Unreachable("x", sent=True).sent) == (False, True)


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("tokne", "'token'"),
        ("TOKEN", "'token'"),
        ("--formt", "'--format'"),
        ("zzz", None),
        ("", None),
        ("x" * 9999, None),
    ],
)
def test_a_wrong_word_gets_the_nearest_known_one(word: str, near: str | None) -> None:
    """Upper case and hyphens do not count, and a word that is near to nothing gets nothing."""
    found = errors.did_you_mean(word, ["token", "show", "--format", "-p"])
    assert found == (near and f"did you mean {near}?")
