"""File systems whose locks hold on one machine only."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.storage.mounts import local_locks, with_local_locks

NFS = "90 25 0:52 / /home rw,relatime shared:1 - nfs4 server:/home rw,vers=4.2,{options},addr=192.0.2.1"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (NFS.format(options="hard,local_lock=none"), None),
        (NFS.format(options="hard,local_lock=posix"), None),
        (NFS.format(options="hard,local_lock=flock"), "nfs4"),
        (NFS.format(options="hard,local_lock=all"), "nfs4"),
        (NFS.format(options="nolock").replace("nfs4", "nfs"), "nfs"),
        ("90 25 0:52 / /home rw - cifs //server/home rw,nobrl", "cifs"),
        ("90 25 0:52 / /home rw - cifs //server/home rw", None),
        ("90 25 0:52 / /home rw - fuse.sshfs server:/home rw", "fuse.sshfs"),
        ("90 25 8:1 / / rw,nolock - ext4 /dev/sda1 rw", None),
        ("90 25 0:53 / /home rw - fuse.sshfs server:/home rw", None),  # another device
        ("", None),
    ],
)
def test_a_file_system_with_local_locks_is_found(line: str, found: str | None) -> None:
    """By its type and its options, among those of other devices."""
    others = "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n26 25 0:5 / /proc rw - proc proc rw\n"
    assert with_local_locks(others + line, "0:52") == found


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """No line makes the reader fail."""
    assert with_local_locks(text, "0:52") is None or " - " in text


def test_a_folder_here_has_shared_locks(tmp_path: Path) -> None:
    """Tests run on a local disk, where nobody else looks."""
    with (tmp_path / "lock").open("w") as file:
        assert local_locks(file.fileno()) is None
