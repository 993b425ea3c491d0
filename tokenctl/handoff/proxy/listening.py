"""The sockets that a proxy listens on: a port of this machine, or a unix socket that only this user can open."""

import contextlib
import os
import secrets
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenctl.adapters.private_files import ensure_private_folder
from tokenctl.errors import UsageError

HOST = "127.0.0.1"
_BACKLOG = 128
_LONGEST_PATH = 107
"""Bytes of a unix socket's path, at most: what Linux takes."""


def on_port(port: int = 0) -> socket.socket:
    """Listen on a port of 127.0.0.1; 0 means any free one. Raises UsageError."""
    # With this protocol asyncio sets TCP_NODELAY; without it small answers wait for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # on Windows this option would let another program take the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as reason:
        listener.close()
        raise UsageError(
            f"nothing can listen on {HOST}:{port}: {reason.strerror}",
            hint="is another proxy running? Name another port; without --listen, a free one is taken",
        ) from None
    return listener


@contextlib.contextmanager
def on_path(text: str) -> Iterator[socket.socket]:
    """Listen on a unix socket for the block, and remove it in the end. Raises UsageError.

    Its folder must be one that only this user can enter; a missing one is made. The socket gets its name when it has its
    rights and listens. It takes the place of one that nobody listens on.
    """
    if sys.platform == "win32":
        raise UsageError("this system has no unix sockets for Python", hint="use --listen")
    path = Path(os.path.abspath(text))
    if len(os.fsencode(path)) > _LONGEST_PATH - len(_UNFINISHED) - 1:
        raise UsageError(f"{path} is too long for a unix socket", hint=f"{_LONGEST_PATH} bytes is the most there is")
    _check_folder(path.parent)
    _check_free(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        found = _bound(listener, path)
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                if path.lstat().st_ino == found.st_ino:  # another proxy may have taken the place since
                    path.unlink()


_UNFINISHED = f".{secrets.token_hex(4)}"
"""The end of the name that a socket has until it listens."""


def _bound(listener: socket.socket, path: Path) -> os.stat_result:
    """Bind the socket to the path, and listen. Raises UsageError."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        listener.bind(os.fspath(unfinished))
        try:
            unfinished.chmod(0o600)
            listener.listen(_BACKLOG)
            found = unfinished.lstat()
            unfinished.rename(path)
        except OSError:
            unfinished.unlink()
            raise
    except OSError as reason:
        raise UsageError(f"the socket {path} cannot be made: {reason.strerror}") from None
    return found


def _check_folder(folder: Path) -> None:
    try:
        ensure_private_folder(folder)
        found = folder.stat()
    except OSError as reason:
        raise UsageError(f"{folder} cannot be used: {reason.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise UsageError(
            f"{folder} is no folder that only you can enter",
            hint="name a socket in a private folder (chmod 700), such as $XDG_RUNTIME_DIR/tokenctl/proxy.sock",
        )


def _check_free(path: Path) -> None:
    """Check that there is nothing at the path, or a socket on which nobody listens any more."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise UsageError(f"{path} is there already, and it is no socket", hint="name another path")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(os.fspath(path))
        except ConnectionRefusedError:
            return
        except OSError:  # somebody listens, who cannot take one more now
            pass
    raise UsageError(f"another program listens on {path}", hint="name another path, or end that program")
