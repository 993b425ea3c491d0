"""How long a keyring call may take, and who is told."""

import io
import threading

import pytest

from tests.support.commandline import LONG
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import StoreTimedOut
from tokenctl.storage.patience import Patience


def test_a_call_in_time_returns_what_it_returns() -> None:
    """With and without a bound."""
    assert Patience(seconds=LONG).within(lambda: 7) == 7
    assert Patience(seconds=None).within(lambda: 7) == 7


def test_a_call_that_takes_too_long_is_given_up() -> None:
    """The error says how long was waited."""
    release = threading.Event()
    with pytest.raises(StoreTimedOut, match="within 0 s"):
        Patience(seconds=0.05).within(release.wait)
    release.set()


def test_a_call_that_ends_soon_is_not_announced() -> None:
    """Nobody is told of a wait that is over."""
    said = io.StringIO()
    assert Patience(seconds=LONG, terminal=Terminal({}, err=said)).within(lambda: 7) == 7
    assert said.getvalue() == ""
