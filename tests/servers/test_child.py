"""A server that reports through its stdout is started, heard and ended."""

import sys
from pathlib import Path

import pytest

from tests.servers.child import TRIES, Child

ECHO = """
import json, sys
print(json.dumps({"address": "here"}), flush=True)
for line in sys.stdin:
    print(json.dumps({"echo": line.strip()}), flush=True)
open(sys.argv[1], "a").write("ended\\n")
"""
FAILS_ONCE = """
import pathlib, sys
first = pathlib.Path(sys.argv[1])
if not first.exists():
    first.touch()
    sys.exit(1)
"""


def test_what_it_says_is_kept(tmp_path: Path) -> None:
    """The first line is its greeting, the others are records, and it ends in peace."""
    with Child([sys.executable, "-c", ECHO, str(tmp_path / "end")]) as child:
        assert child.hello == {"address": "here"}
        child.tell("ü")
        assert child.wait(lambda: child.records == [{"echo": "ü"}])
    assert (tmp_path / "end").read_text() == "ended\n"


def test_a_start_that_fails_is_tried_again(tmp_path: Path) -> None:
    """A server that does not come up the first time is not yet a failed test."""
    with Child([sys.executable, "-c", FAILS_ONCE + ECHO, str(tmp_path / "first")]) as child:
        assert child.hello == {"address": "here"}


def test_a_server_that_never_starts_is_an_error(tmp_path: Path) -> None:
    """It is tried a few times, and then its exit status is told."""
    tries = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(7)"
    with (
        pytest.raises(RuntimeError, match="exit status 7"),
        Child([sys.executable, "-c", tries, str(tmp_path / "tries")]),
    ):
        pass
    assert (tmp_path / "tries").read_text() == "x" * TRIES


def test_a_server_that_ends_is_noticed_at_once(tmp_path: Path) -> None:
    """Nobody waits for what will never be said."""
    once = 'import json; print(json.dumps({"address": "here"}), flush=True)'
    with Child([sys.executable, "-c", once]) as child:
        assert not child.wait(lambda: bool(child.records))
