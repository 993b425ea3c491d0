"""A deadline for calls that have none."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.support.commandline import LONG
from tokenctl.adapters.deadline import TICK, DeadlinePassed, patiently, within


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
    code = "import time\nfrom tokenctl.adapters.deadline import TICK, DeadlinePassed, patiently, within\ntry:\n    within(0.05, lambda: time.sleep(300))\nexcept DeadlinePassed:\n    print('passed')"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=LONG, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "passed\n", "")


def test_a_wait_counts_as_long_as_it_should_have_been() -> None:
    """A busy machine returns late from each wait; the deadline is as many waits away as before."""
    waits: list[float] = []

    def late(seconds: float) -> bool:
        waits.append(seconds)
        time.sleep(2 * seconds)
        return False

    assert not patiently(late, 4 * TICK)
    assert waits[:4] == pytest.approx([TICK] * 4) and sum(waits) == pytest.approx(4 * TICK)


def test_what_has_come_is_seen_before_the_deadline_is_judged() -> None:
    """An answer that came while this process could not run is an answer."""
    waits: list[float] = []

    def ready(seconds: float) -> bool:
        waits.append(seconds)
        return seconds == 0

    assert patiently(ready, TICK) and waits[-1] == 0
    assert patiently(lambda seconds: True, 0)


def test_a_call_that_ended_while_the_machine_was_busy_has_a_result() -> None:
    """It is not thrown away because the wait for it returned late."""
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=LONG)[0] == "ended\n"


SLOW = """
import time
from tokenctl.adapters.deadline import within

def call():
    print("begun", flush=True)
    time.sleep(0.2)
    return "ended"

print(within(0.6, call))
"""
