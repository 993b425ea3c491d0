"""The file that has the secret of a proxy, for as long as the proxy runs."""

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokenctl.adapters import signals
from tokenctl.adapters.private_files import read_private, replace_private
from tokenctl.errors import UsageError
from tokenctl.handoff.token_folder import token_folder

_SECRET = re.compile(rb"(?:[A-Za-z0-9_-]{43})?")
"""A secret, or nothing: what `mktemp` makes."""
_HINT = "name a new file in a folder of yours with --secret-file"


@contextlib.contextmanager
def written(secret: str, named: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Write the secret to the file that a person named, for the block; None: to one that only this run has.

    It is private (mode 0600), and has no newline. A named file that a killed proxy left is replaced; any other is refused.
    Raises UsageError, or TokenctlError when there is no folder for a file of this run.
    """
    with contextlib.ExitStack() as stack:
        if named is None:
            path = stack.enter_context(token_folder(environ, "the secret")) / "proxy_secret"
        else:
            path = Path(os.path.abspath(named))
            _check_folder(path.parent)
            _check_free(path)
        try:
            replace_private(path, secret.encode())
        except OSError as reason:
            raise _cannot_write(path, reason) from None
        try:
            yield path
        finally:
            with signals.postponed(), contextlib.suppress(OSError):
                if path.read_text() == secret:  # another proxy may have written its own since
                    path.unlink()


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which another user can put a file in the place of ours."""
    try:
        found = folder.stat()
    except OSError as reason:
        raise _cannot_write(folder, reason) from None
    shared = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
    if os.name == "posix" and (found.st_uid not in (0, os.geteuid()) or shared):
        raise UsageError(f"the secret cannot be written to {folder}: others can change what is in it", hint=_HINT)


def _check_free(path: Path) -> None:
    """Refuse to replace what is no secret of a proxy: a person may have named the wrong file."""
    if os.path.lexists(path) and not _SECRET.fullmatch(read_private(path) or b""):
        raise UsageError(f"{path} is there already, and is not the secret of a proxy", hint=_HINT)


def _cannot_write(path: Path, reason: OSError) -> UsageError:
    return UsageError(f"the secret cannot be written to {path}: {reason.strerror}", hint=_HINT)
