"""File systems whose locks hold on one machine only: two machines that share such a folder would both renew."""

import os
from pathlib import Path

_LOCAL = {
    "nfs": {"nolock", "local_lock=all", "local_lock=flock"},
    "nfs4": {"nolock", "local_lock=all", "local_lock=flock"},
    "cifs": {"nobrl"},
    "smb3": {"nobrl"},
}
"""A network file system -> the mount options that keep its locks on this machine."""
_ALWAYS_LOCAL = {"fuse.sshfs"}
MOUNTS = Path("/proc/self/mountinfo")
"""The mounted file systems; only Linux has this file."""


def local_locks(descriptor: int) -> str | None:
    """Return the name of an open file's file system if other machines do not see its locks; else None."""
    return local_locks_of(os.fstat(descriptor).st_dev)


def local_locks_of(device: int) -> str | None:
    """Do what `local_locks` does, for the device of a file (`st_dev`)."""
    try:
        mounts = MOUNTS.read_text(errors="replace")
    except OSError:
        return None
    return with_local_locks(mounts, f"{os.major(device)}:{os.minor(device)}")


def with_local_locks(mounts: str, device: str) -> str | None:
    """Find a device ("major:minor") in the text of `mountinfo`; return its file system if its locks are local."""
    for line in mounts.splitlines():
        mount, _, system = line.partition(" - ")
        words, described = mount.split(" "), system.split(" ")
        if len(words) < 6 or len(described) < 3 or words[2] != device:
            continue
        options = {*words[5].split(","), *described[2].split(",")}
        if described[0] in _ALWAYS_LOCAL or options & _LOCAL.get(described[0], set()):
            return described[0]
    return None
