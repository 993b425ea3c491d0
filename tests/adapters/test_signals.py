"""Signals that ask the process to end, put off or raised in a block."""

import os
import signal
import subprocess
import sys

import pytest

from tests.support.commandline import LONG
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

ENDED = """
import contextlib, os, signal, sys
from tokenctl.adapters.signals import ended_by_signals, postponed

before = getattr(signal, sys.argv[1])
signal.signal(signal.SIGTERM, before)
with ended_by_signals():
    try:
        with postponed() if "postponed" in sys.argv else contextlib.nullcontext():
            os.kill(os.getpid(), signal.SIGTERM)
            print("here")
        print("after")
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        print("cleaned up", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (["SIG_DFL"], ["cleaned up"], -signal.SIGTERM),
        (["SIG_DFL", "postponed"], ["here", "cleaned up"], -signal.SIGTERM),
        (["SIG_IGN"], ["here", "after", "cleaned up"], 0),
    ],
    ids=["default", "put off", "ignored"],
)
def test_a_signal_ends_the_block_which_cleans_up(words: list[str], said: list[str], status: int) -> None:
    """The first signal ends the block, a second one does not disturb it, and an ignored one stays ignored."""
    done = subprocess.run(
        [sys.executable, "-c", ENDED, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONG
    )
    assert (done.stdout.split("\n")[:-1], done.returncode) == (said, status), done.stderr
