"""One file of the event log."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.killing.folders import fill, small_disk
from tokenctl.storage.event_files import BLOCK, LONGEST, add, backwards, end_of_lines, forwards

LENGTHS = st.sampled_from([0, 1, 2, 500, BLOCK - 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])


def lines_of(lengths: list[int]) -> list[bytes]:
    """Make lines that differ, of these lengths, without their ends."""
    return [(b"%d" % number * length)[:length] for number, length in enumerate(lengths)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example writes anew."""
    return tmp_path_factory.mktemp("file") / "lines"


@given(st.lists(LENGTHS, max_size=8), LENGTHS)
def test_a_file_reads_the_same_in_both_directions(path: Path, lengths: list[int], torn: int) -> None:
    """Whatever the lines' lengths are, and however long the torn end is. What is too long for an event is left out."""
    lines = lines_of(lengths)
    whole = b"".join(line + b"\n" for line in lines)
    path.write_bytes(whole + b"x" * torn)
    fit = [line for line in lines if len(line) < LONGEST]
    with path.open("rb") as file:
        assert [line[:-1] for line in forwards(file, len(whole) + torn)] == fit
        assert end_of_lines(file) == len(whole)
        found = [line for line in backwards(file, len(whole)) if len(line) < LONGEST and not line.endswith(b"?")]
        assert found[::-1] == fit


@given(st.integers(0, 40))
def test_what_is_written_later_is_not_read(path: Path, size: int) -> None:
    """Only lines that were whole when the file's size was taken are read."""
    path.write_bytes(b"first\nsecond\nthird\n")
    with path.open("rb") as file:
        found = list(forwards(file, size))
    assert b"".join(found) == b"first\nsecond\nthird\n"[: b"first\nsecond\nthird\n"[:size].rfind(b"\n") + 1]


def test_a_file_that_shrinks_meanwhile_ends(path: Path) -> None:
    """A writer that has no room takes back what it wrote."""
    path.write_bytes(b"first\n")
    with path.open("rb") as file:
        assert list(forwards(file, 1000)) == [b"first\n"]


@contextmanager
def longest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond this size, as `ulimit -f` does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(os.name != "posix", reason="a limit of POSIX")
@pytest.mark.parametrize("room", [0, 1, 10, 19])
def test_a_line_for_which_there_is_no_room_is_taken_back(path: Path, room: int) -> None:
    """Nothing torn stays, and the error is the true one: here a file that would be too large."""
    path.write_bytes(b"first\n")
    with path.open("r+b", buffering=0) as file:
        with longest_file(6 + room), pytest.raises(OSError) as caught:  # noqa: PT011 (its number is looked at)
            add(file, 6, b"x" * 19 + b"\n")
        assert caught.value.errno == errno.EFBIG and path.read_bytes() == b"first\n"
        add(file, 6, b"second\n")
    assert path.read_bytes() == b"first\nsecond\n"


@pytest.mark.parametrize("left", [0, 4096])
def test_a_line_that_fills_the_disk_is_taken_back(tmp_path: Path, left: int) -> None:
    """The disk takes a part of the line and then no more."""
    with small_disk(tmp_path / "disk") as disk:
        (disk / "lines").write_bytes(b"first\n")
        fill(disk, left)
        with (disk / "lines").open("r+b", buffering=0) as file, pytest.raises(OSError) as caught:  # noqa: PT011
            add(file, 6, b"x" * 20_000 + b"\n")
        assert caught.value.errno == errno.ENOSPC and (disk / "lines").read_bytes() == b"first\n"


@given(st.binary(max_size=30).filter(lambda torn: b"\n" not in torn))
def test_a_line_takes_the_place_of_a_torn_one(path: Path, torn: bytes) -> None:
    """Also of a longer one."""
    path.write_bytes(b"first\n" + torn)
    with path.open("r+b", buffering=0) as file:
        add(file, end_of_lines(file), b"second\n")
    assert path.read_bytes() == b"first\nsecond\n"
