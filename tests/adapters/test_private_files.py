"""Private files that are replaced without a lock. Those of the state directory are tested in tests/storage."""

import os
from pathlib import Path

import pytest

from tests.support.crash import Killed, dying_at
from tokenctl.adapters.private_files import replace_unlocked


@pytest.mark.parametrize("change", [1, 2])
def test_a_killed_writer_leaves_the_old_file(tmp_path: Path, change: int) -> None:
    """It dies before its first change, or before the last; a later writer removes what it left, once that is old."""
    path = tmp_path / "token"
    path.write_bytes(b"old")
    with pytest.raises(Killed), dying_at(change, tmp_path):
        replace_unlocked(path, b"new")
    assert path.read_bytes() == b"old"
    left = {*tmp_path.iterdir()} - {path}
    assert len(left) == change - 1
    replace_unlocked(path, b"new")
    assert path.read_bytes() == b"new" and left < {*tmp_path.iterdir()}  # it could be at work
    for each in left:
        assert each.stat().st_mode & 0o777 == 0o600
        os.utime(each, (0, 0))
    replace_unlocked(path, b"newer")
    assert path.read_bytes() == b"newer" and [*tmp_path.iterdir()] == [path]


def test_a_failure_leaves_no_other_file(tmp_path: Path) -> None:
    """The target has become a folder meanwhile."""
    (tmp_path / "token").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_unlocked(tmp_path / "token", b"new")
    assert os.listdir(tmp_path) == ["token"]
