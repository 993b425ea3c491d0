"""What a client needs besides its own file, for as long as a helper needs it: hosts of profiles, scripts, folders."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from tokenctl.adapters.private_files import ensure_private_folder, replace_private
from tokenctl.handoff.clients import bound_hosts
from tokenctl.handoff.clients.receipts import Receipts
from tokenctl.handoff.clients.wanted import Foreign, Script
from tokenctl.runtime import Runtime


def missing_folders(paths: Iterable[Path]) -> list[str]:
    """List the folders that must be made for these files, the outer ones first."""
    found = {str(folder) for path in paths for folder in path.parents if not folder.exists()}
    return sorted(found, key=len)


def digest(content: bytes) -> str:
    """Return the sha256 of a script."""
    return hashlib.sha256(content).hexdigest()


def check_script(script: Script, known: Mapping[str, str]) -> None:
    """Raise Foreign where another file has the script's name."""
    if not os.path.lexists(script.path):
        return
    with suppress(OSError):
        content = script.path.read_bytes()
        if digest(content) == known.get(str(script.path)) or content == script.content:
            return
    raise Foreign(f"{script.path} is there already, and tokenctl did not write it", hint="move it away")


def is_written(script: Script) -> bool:
    """Tell whether the script is there, and can be run."""
    try:
        return script.path.read_bytes() == script.content and os.access(script.path, os.X_OK)
    except OSError:
        return False


def write_script(script: Script) -> None:
    """Write a script that only this user can read and run. Raises OSError, UsageError."""
    ensure_private_folder(script.path.parent)
    replace_private(script.path, script.content)
    script.path.chmod(0o700)


def remove(runtime: Runtime, there: Receipts, needed: Receipts) -> None:
    """Remove what is no longer needed: only what is as install wrote it, and folders that are empty. Raises UsageError."""
    bound_hosts.write(runtime, there, needed.hosts)
    for path, known in there.scripts.items():
        if path not in needed.scripts:
            with suppress(OSError):
                if digest(Path(path).read_bytes()) == known:
                    Path(path).unlink()
    for folder in sorted(there.folders, key=len, reverse=True):
        if folder not in needed.folders:
            with suppress(OSError):  # it has something of somebody else
                os.rmdir(folder)
