"""The file that has the secret of a proxy."""

import os
import stat
from pathlib import Path

import pytest

from tokenctl.errors import UsageError
from tokenctl.handoff.proxy.secret_file import written

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")

SECRET, OTHER = "s" * 43, "o" * 43


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A path in a folder that only this user can change."""
    tmp_path.chmod(0o700)
    return tmp_path / "secret"


@pytest.mark.parametrize("umask", [0, 0o77, 0o777])
def test_it_is_private_and_gone_in_the_end(path: Path, umask: int) -> None:
    """It has mode 0600 whatever the umask, and the secret without a newline."""
    before = os.umask(umask)
    try:
        with written(SECRET, str(path), {}) as file:
            assert file == path and stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_text() == SECRET
    finally:
        os.umask(before)
    assert list(path.parent.iterdir()) == []


def test_without_a_name_it_is_in_a_folder_of_this_run(tmp_path: Path) -> None:
    """In the user's runtime folder; the folder goes too."""
    with written(SECRET, None, {"XDG_RUNTIME_DIR": str(tmp_path)}) as file:
        assert file.read_text() == SECRET and file.parent.parent == tmp_path
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(tmp_path.iterdir()) == []


def test_the_file_of_a_killed_proxy_is_replaced(path: Path) -> None:
    """Also an unfinished one, and an empty one that mktemp made."""
    for left, content in ((path, OTHER), (path.with_name(f".{path.name}.next"), OTHER), (path, "")):
        left.write_text(content)
        left.chmod(0o600)
        with written(SECRET, str(path), {}):
            assert path.read_text() == SECRET and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"-----BEGIN PRIVATE KEY-----\n", b"s" * 43 + b"\n", b"s" * 44])
def test_any_other_file_is_refused_and_stays(path: Path, content: bytes) -> None:
    """A person may have named the wrong file, such as a key."""
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="is there already"), written(SECRET, str(path), {}):
        pass
    assert path.read_bytes() == content


def test_what_is_no_private_file_is_refused(path: Path, tmp_path: Path) -> None:
    """A link, a folder, a device, and a file that others can read."""
    other = tmp_path / "other"
    other.write_text(OTHER)
    for make in (lambda: path.symlink_to(other), path.mkdir, lambda: os.mkfifo(path), lambda: path.write_text(OTHER)):
        make()
        with pytest.raises(UsageError), written(SECRET, str(path), {}):
            pass
        assert path.is_symlink() or path.is_dir() or path.is_fifo() or path.read_text() == OTHER
        path.rmdir() if path.is_dir() else path.unlink()
    assert other.read_text() == OTHER


def test_a_folder_where_it_cannot_be(path: Path) -> None:
    """There is none, or others can put their own file in its place; a folder like /tmp will do."""
    with pytest.raises(UsageError, match="No such file"), written(SECRET, str(path / "no" / "secret"), {}):
        pass
    path.parent.chmod(0o777)
    with pytest.raises(UsageError, match="others can change"), written(SECRET, str(path), {}):
        pass
    path.parent.chmod(0o1777)
    with written(SECRET, str(path), {}):
        assert path.exists()
    path.parent.chmod(0o700)


def test_only_its_own_secret_is_removed(path: Path) -> None:
    """Another proxy may have been started with the same file since."""
    with written(SECRET, str(path), {}):
        path.write_text(OTHER)
    assert path.read_text() == OTHER
    with written(SECRET, str(path), {}):
        path.unlink()  # a person removed it: no error
