"""The path of this installation's programs, for the configuration of other tools, which may not have our PATH."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from tokenctl.errors import UsageError

_END = ".exe" if sys.platform == "win32" else ""
_COMPANION = f"git-credential-tokenctl{_END}"


def keyring_hint(program: Path, client: str) -> list[str]:
    """Say which keyring a client must find on its PATH, unless it is the one there now."""
    ours = program.resolve().with_name(f"keyring{_END}")
    found = shutil.which("keyring")
    if found is not None and Path(found).resolve() == ours.resolve():
        return []
    return [f"{client} calls the keyring of its PATH, which must be the one beside tokenctl: {ours}"]


def path() -> Path:
    """Return the absolute path of tokenctl, beside which its companions are.

    The program that runs comes first, by the name that it was called by: a link in ~/.local/bin stays when what it
    points to moves. Raises UsageError.
    """
    called = shutil.which(sys.argv[0]) if Path(sys.argv[0]).stem == "tokenctl" else None
    folders = [sysconfig.get_path("scripts"), sysconfig.get_path("scripts", f"{os.name}_user")]
    for each in (*([Path(called)] if called else []), *(Path(folder) / f"tokenctl{_END}" for folder in folders)):
        found = Path(os.path.abspath(each))
        if found.is_file() and found.with_name(_COMPANION).exists():
            return found
    raise UsageError(
        f"this installation has no programs tokenctl and {_COMPANION} that a client could call",
        hint="install tokenctl with pip, pipx or uv tool",
    )
