"""Files that editors change too: replaced whole, and only if nobody changed them meanwhile."""

import os
from pathlib import Path

import pytest

from tokenctl.adapters.edited_files import read, real_path, replace
from tokenctl.errors import UsageError


def test_replaced_only_if_unchanged(tmp_path: Path) -> None:
    """A file that is not what was read is left alone, also one that has come or gone since."""
    path = tmp_path / "file"
    assert not replace(path, b"old", b"new") and not path.exists()
    path.write_bytes(b"edited")
    for before in (None, b"old"):
        assert not replace(path, before, b"new") and not replace(path, before, None)
    assert path.read_bytes() == b"edited" and os.listdir(tmp_path) == ["file"]
    assert replace(path, b"edited", b"new") and path.read_bytes() == b"new"
    assert replace(path, b"new", None) and not path.exists()


def test_modes(tmp_path: Path) -> None:
    """A new file is private, in private folders; an old one keeps its mode."""
    path = tmp_path / "folder" / "file"
    assert replace(path, None, b"1")
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    assert replace(path, b"1", b"2") and path.stat().st_mode & 0o777 == 0o644


def test_the_group(tmp_path: Path) -> None:
    """A file keeps its group: the mode is for that one."""
    if os.geteuid() != 0:
        pytest.skip("only root is sure to have a second group")
    path = tmp_path / "x"
    path.write_bytes(b"a")
    os.chown(path, -1, 12345)
    assert replace(path, b"a", b"b") and path.stat().st_gid == 12345


def test_what_is_no_file(tmp_path: Path) -> None:
    """A folder and a pipe are refused, and nobody waits for a writer."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError, match="not an ordinary file"):
            read(path, "")


def test_leftovers(tmp_path: Path) -> None:
    """What a killed run left is removed after an hour, and nothing else is."""
    path = tmp_path / "file"
    for name, age in ((".file.a.next", 7200), (".file.b.next", 60), (".other.c.next", 7200)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, (tmp_path / name).stat().st_mtime - age))
    assert replace(path, None, b"1")
    assert sorted(os.listdir(tmp_path)) == [".file.b.next", ".other.c.next", "file"]


def test_the_file_behind_links(tmp_path: Path) -> None:
    """A chain of links, also of a file that is not there yet, leads to the file itself."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("c")
    assert real_path(tmp_path / "a") == tmp_path / "c"
