"""The clock that nobody sets."""

import subprocess
import sys
import time

import pytest

from tests.support.commandline import LONG
from tokenctl.adapters import clock

linux = pytest.mark.skipif(sys.platform != "linux", reason="the wall clock is all that other platforms offer")


@linux
def test_it_goes_on_in_milliseconds() -> None:
    """A boot has one name, and its time passes as fast as ours."""
    before, start = clock.uptime(), time.monotonic()
    time.sleep(0.05)
    after, passed = clock.uptime(), time.monotonic() - start
    assert before is not None and after is not None
    assert before[0] == after[0] and len(before[0]) == 36
    assert 50 <= after[1] - before[1] <= passed * 1000 + 5


@linux
def test_every_process_sees_the_same() -> None:
    """What one process wrote down, another can count from."""
    program = "from tokenctl.adapters.clock import uptime; print(*uptime())"
    before = clock.uptime()
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LONG
    ).stdout
    after = clock.uptime()
    assert before is not None and after is not None
    boot, uptime = said.split()
    assert boot == before[0] and before[1] <= int(uptime) <= after[1]


@pytest.mark.skipif(sys.platform == "linux", reason="Linux has one")
def test_elsewhere_there_is_none() -> None:
    """Then the wall clock counts."""
    assert clock.uptime() is None  # type: ignore[redundant-expr,unused-ignore]
