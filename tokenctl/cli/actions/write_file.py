"""What `tokenctl write-file` does: get a fresh access token, and write it into a file."""

import os
import stat
from pathlib import Path
from typing import Any

from tokenctl.adapters.private_files import replace_unlocked
from tokenctl.cli.actions.fresh import fresh_session
from tokenctl.errors import TokenctlError, UsageError
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def write_token(
    runtime: Runtime, name: str | None, file: str, min_ttl: int | None, wait: int, target: dict[str, Any]
) -> None:
    """Write a token with at least `min_ttl` seconds left for the `target` into a file. Raises TokenctlError."""
    profile, path = runtime.profile(name), Path(file)
    _check(path)  # first, because a token that nobody gets costs a renewal
    session = fresh_session(runtime, vaults.open(runtime, profile), runtime.asked(profile) | target, min_ttl, wait)
    try:
        replace_unlocked(path, session.access_token.encode())
    except OSError as reason:
        raise TokenctlError(
            f"the token could not be written into {path}: {reason.strerror}", hint="nothing was changed there"
        ) from None


def _check(path: Path) -> None:
    """Check that the path is one of a plain file, or free, in a folder that can be written to. Raises UsageError."""
    try:
        found = stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        found = stat.S_IFREG
    except OSError as reason:
        raise UsageError(f"{path} cannot be written: {reason.strerror}") from None
    if found != stat.S_IFREG:
        kind = _KINDS.get(found, "no plain file")
        raise UsageError(f"{path} is {kind}", hint="name a plain file, or a name that is free")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", hint="make it first; mode 0700 keeps others out")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"the folder {path.parent} cannot be written to", hint="name a file in another folder")


_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link", stat.S_IFIFO: "a named pipe"}
