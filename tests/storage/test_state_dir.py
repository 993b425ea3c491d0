"""Private folders and files."""

import os
import pwd
import stat
from pathlib import Path

import pytest

from tokenctl.adapters.private_files import open_private, read_private, replace_private
from tokenctl.errors import UsageError
from tokenctl.storage.state_dir import checked_dir, profile_dir, state_home

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links are POSIX's")


def environ(path: Path) -> dict[str, str]:
    """An environment with its state there."""
    return {"TOKENCTL_STATE_DIR": str(path)}


def mode(path: Path) -> int:
    """A file's permissions."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize(
    "variables",
    [{}, {"HOME": "/elsewhere"}, {"XDG_STATE_HOME": "/elsewhere"}, {"TOKENCTL_CONFIG": "/elsewhere/c.toml"}],
)
def test_the_place_depends_on_the_user_alone(variables: dict[str, str]) -> None:
    """Who reaches the same keyring must meet the same lock."""
    assert state_home(variables).is_relative_to(pwd.getpwuid(os.geteuid()).pw_dir)
    assert state_home(variables) == state_home({})


@pytest.mark.parametrize("named", ["", "state", "./state", "../state", "~/state"])
def test_a_relative_place_is_refused(named: str) -> None:
    """It would be another one in every directory."""
    with pytest.raises(UsageError, match="absolute"):
        profile_dir({"TOKENCTL_STATE_DIR": named}, "p")


def test_folders_are_made_private(tmp_path: Path) -> None:
    """Whatever the umask, and again and again without harm."""
    old = os.umask(0)
    try:
        found = profile_dir(environ(tmp_path / "a" / "state"), "p")
    finally:
        os.umask(old)
    assert found == tmp_path / "a" / "state" / "p" == profile_dir(environ(tmp_path / "a" / "state"), "p")
    assert mode(found) == 0o700 and mode(found.parent) == 0o700


@pytest.mark.parametrize("which", ["state", "state/p"])
@pytest.mark.parametrize("bits", [0o770, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, which: str, bits: int) -> None:
    """They could put a file of their own there."""
    profile_dir(environ(tmp_path / "state"), "p")
    (tmp_path / which).chmod(bits)
    with pytest.raises(UsageError, match="others can write") as caught:
        profile_dir(environ(tmp_path / "state"), "p")
    assert "chmod 700" in (caught.value.hint or "") and caught.value.exit_status == 2


@pytest.mark.parametrize("which", ["state", "state/p"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "fifo"])
def test_what_is_no_folder_of_its_own_is_refused(tmp_path: Path, which: str, kind: str) -> None:
    """A link could lead anywhere."""
    path = tmp_path / which
    path.parent.mkdir(mode=0o700, exist_ok=True)
    (tmp_path / "target").mkdir(mode=0o700)
    if "link" in kind:
        path.symlink_to(tmp_path / ("target" if kind == "link" else "absent"))
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    else:
        path.touch(0o600)
    with pytest.raises(UsageError, match="not a folder"):
        profile_dir(environ(tmp_path / "state"), "p")
    assert list((tmp_path / "target").iterdir()) == [] and not (tmp_path / "absent").exists()


def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """Even when its mode is right."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    profile_dir(environ(tmp_path / "state"), "p")
    os.chown(tmp_path / "state", 65534, 65534)
    with pytest.raises(UsageError, match="belongs to user 65534, and you are"):
        profile_dir(environ(tmp_path / "state"), "p")


def test_a_place_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    """A file stands where a folder should."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        profile_dir(environ(tmp_path / "file" / "state"), "p")


def test_a_new_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """Nobody can read it even for a moment, and no child inherits it."""
    old = os.umask(0)
    try:
        descriptor = open_private(tmp_path / "x", os.O_RDWR | os.O_CREAT)
        replace_private(tmp_path / "y", b"1")
    finally:
        os.umask(old)
    assert mode(tmp_path / "x") == mode(tmp_path / "y") == 0o600 and not os.get_inheritable(descriptor)
    os.close(descriptor)


BAD = ["link", "dangling link", "fifo", "hard link", "folder", "group may read", "others may read", "group may write"]


def bad(path: Path, kind: str) -> None:
    """Put something there that is no private file of ours."""
    target = path.with_name("target")
    if kind != "dangling link":
        target.touch(0o600)
    if "link" in kind and kind != "hard link":
        path.symlink_to(target)
    elif kind == "hard link":
        path.hardlink_to(target)
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        path.mkdir(0o700)
    else:
        path.touch()
        path.chmod({"group may read": 0o640, "others may read": 0o604, "group may write": 0o620}[kind])


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY])
def test_what_is_no_private_file_is_refused(tmp_path: Path, kind: str, flags: int) -> None:
    """At once, without waiting for a FIFO's other end, and without leaving a descriptor open."""
    bad(tmp_path / "x", kind)
    before = os.listdir("/dev/fd")
    with pytest.raises(UsageError, match="x"):
        os.close(open_private(tmp_path / "x", flags))
    assert len(os.listdir("/dev/fd")) == len(before)
    assert not (kind == "dangling link" and (tmp_path / "target").exists())


def test_an_absent_file_is_none(tmp_path: Path) -> None:
    """Not an error, and not made."""
    assert read_private(tmp_path / "x") is None and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"x" * 100_000])
def test_replacing_is_all_or_nothing(tmp_path: Path, content: bytes) -> None:
    """A reader that had the old file open goes on reading that, and nothing is left lying about."""
    path = tmp_path / "x"
    replace_private(path, b"old")
    with path.open("rb") as reader:
        replace_private(path, content)
        assert reader.read() == b"old"
    assert read_private(path) == content and os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("kind", ["link", "hard link", "others may read"])
def test_replacing_replaces_what_somebody_put_there(tmp_path: Path, kind: str) -> None:
    """A link's target is not written through."""
    bad(tmp_path / "x", kind)
    replace_private(tmp_path / "x", b"new")
    assert read_private(tmp_path / "x") == b"new" and mode(tmp_path / "x") == 0o600
    assert not (tmp_path / "target").exists() or (tmp_path / "target").read_bytes() == b""


def test_a_failed_replacing_leaves_the_old_content_and_no_rubbish(tmp_path: Path) -> None:
    """Here a folder stands in the way."""
    (tmp_path / "x").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_private(tmp_path / "x", b"new")
    assert os.listdir(tmp_path) == ["x"]


def test_who_only_looks_makes_no_folder(tmp_path: Path) -> None:
    """The folder that a command would use is told, and what would stop the command is refused."""
    assert checked_dir(environ(tmp_path / "a" / "state"), "p") == tmp_path / "a" / "state" / "p"
    assert not (tmp_path / "a").exists()
    folder = profile_dir(environ(tmp_path / "state"), "p")
    assert checked_dir(environ(tmp_path / "state"), "p") == folder
    folder.chmod(0o777)
    with pytest.raises(UsageError, match="others can write to "):
        checked_dir(environ(tmp_path / "state"), "p")


def test_who_only_looks_sees_that_no_folder_can_be_made(tmp_path: Path) -> None:
    """In the words of who tries to make it."""
    (tmp_path / "file").touch()
    errors = []
    for find in (profile_dir, checked_dir):
        with pytest.raises(UsageError) as caught:
            find(environ(tmp_path / "file" / "state"), "p")
        errors.append((caught.value.message, caught.value.hint))
    assert errors[0] == errors[1]
