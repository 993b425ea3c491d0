"""The program that started this process: who asks for a token."""

import contextlib
import os
import sys


def name() -> str | None:
    """Return the base name of the executable of this process's parent, without arguments; None when it is not known."""
    parent = os.getppid()
    with contextlib.suppress(OSError, ValueError):
        found = _executable(parent) if sys.platform != "linux" else os.readlink(f"/proc/{parent}/exe")
        return os.path.basename((found or "").removesuffix(" (deleted)")) or None
    # Of a process of another user the kernel tells the short name alone.
    with contextlib.suppress(OSError), open(f"/proc/{parent}/comm", "rb") as file:
        return file.read(64).decode(errors="replace").strip() or None
    return None


if sys.platform == "darwin":

    def _executable(pid: int) -> str | None:
        """Ask the system's own library, as `ps` does."""
        import ctypes

        path = ctypes.create_string_buffer(4096)
        length = ctypes.CDLL("/usr/lib/libproc.dylib").proc_pidpath(pid, path, len(path))
        return os.fsdecode(path.value) if length > 0 else None
else:

    def _executable(pid: int) -> str | None:
        """Return None: this platform tells it by no file and no simple call."""
        return None
