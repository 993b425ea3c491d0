"""The sockets that a proxy listens on: a port of this machine, or a unix socket that only this user can open."""

import contextlib
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenctl.adapters import signals
from tokenctl.adapters.private_files import ensure_private_folder
from tokenctl.errors import UsageError

if sys.platform != "win32":
    import fcntl

HOST = "127.0.0.1"
_BACKLOG = 128
_UNFINISHED = ".next"
"""The end of the name that a socket has until it listens."""
_LONGEST_PATH = (107 if sys.platform == "linux" else 103) - len(_UNFINISHED)
"""Bytes of the socket's path, at most: the system takes this many, and the end of the unfinished name."""


def on_port(port: int = 0) -> socket.socket:
    """Listen on a port of 127.0.0.1; 0 means any free one. Raises UsageError."""
    # With this protocol asyncio sets TCP_NODELAY; without it small answers wait for 40 ms.
    listener = _above_streams(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
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
def on_path(path: Path) -> Iterator[socket.socket]:
    """Listen on a unix socket for the block, and remove it in the end. `path` is absolute. Raises UsageError.

    Its folder must be one that only this user can enter; a missing one is made. The socket gets its name when it has its
    rights and listens. It takes the place of one that nobody listens on.
    """
    if sys.platform == "win32":
        raise UsageError("this system has no unix sockets for Python", hint="use --listen")
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise UsageError(
            f"{path} is too long for a unix socket", hint=f"it can have {_LONGEST_PATH} bytes; name a shorter one"
        )
    _check_folder(path.parent)
    with _above_streams(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as listener:
        with _alone_in(path.parent):
            _check_free(path)
            made = _bound(listener, path)
        try:
            yield listener
        finally:
            with signals.postponed(), contextlib.suppress(OSError), _alone_in(path.parent):
                if os.path.samestat(path.lstat(), made):  # another proxy may have taken the place since
                    path.unlink()


def _above_streams(made: socket.socket) -> socket.socket:
    """Keep the descriptors of closed standard streams free: what is written there must not go to a client."""
    if sys.platform == "win32" or made.fileno() > 2:
        return made
    with made:
        return socket.socket(made.family, made.type, made.proto, fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, 3))


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let no other proxy make or remove a socket in the folder during the block. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bound(listener: socket.socket, path: Path) -> os.stat_result:
    """Bind the socket to the path, and listen. Raises UsageError."""
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        unfinished.unlink(missing_ok=True)  # of a run that was killed
        listener.bind(os.fspath(unfinished))
        try:
            unfinished.chmod(0o600)
            listener.listen(_BACKLOG)
            made = unfinished.lstat()
            unfinished.rename(path)
        except OSError:
            unfinished.unlink()
            raise
    except OSError as reason:
        raise UsageError(f"the socket {path} cannot be made: {reason.strerror}") from None
    return made


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
