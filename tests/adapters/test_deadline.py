"""A deadline for calls that have none."""

import subprocess
import sys
import threading

import pytest

from tests.support.commandline import LONG
from tokenctl.adapters.deadline import DeadlinePassed, within


@pytest.mark.parametrize("value", [7, None, "", False])
def test_what_the_call_returns_is_returned(value: object) -> None:
    """Nothing and falsehood are results too."""
    assert within(5, lambda: value) is value


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), SystemExit(3), KeyboardInterrupt()])
def test_what_the_call_raises_is_raised(error: BaseException) -> None:
    """The very same error, in the caller's thread."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        within(5, fail)
    assert caught.value is error


def test_a_call_past_its_deadline_is_left_behind() -> None:
    """The caller goes on after the seconds it gave, and another call is not held up."""
    release = threading.Event()
    with pytest.raises(DeadlinePassed):
        within(0.05, release.wait)
    assert within(5, lambda: 7) == 7
    release.set()


def test_a_call_that_hangs_does_not_hold_the_process() -> None:
    """The thread ends with the process, and says nothing."""
    code = "import time\nfrom tokenctl.adapters.deadline import DeadlinePassed, within\ntry:\n    within(0.05, lambda: time.sleep(300))\nexcept DeadlinePassed:\n    print('passed')"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=LONG, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "passed\n", "")
