"""The program that started this process: who asks for a token."""

import contextlib
import os
import sys


def name() -> str | None:
    """Return the base name of the executable of this process's parent, without arguments; None when it is not known.

    A script that was started by its own name is named itself, and not its interpreter.
    """
    parent = os.getppid()
    with contextlib.suppress(OSError, ValueError):
        return os.path.basename((_executable(parent) or "").removesuffix(" (deleted)")) or None
    # Of a process of another user the kernel tells the short name alone.
    with contextlib.suppress(OSError), open(f"/proc/{parent}/comm", "rb") as file:
        return file.read(64).decode(errors="replace").strip() or None
    return None


if sys.platform == "linux":

    def _executable(pid: int) -> str | None:
        return _script(pid) or os.readlink(f"/proc/{pid}/exe")

    def _script(pid: int) -> str | None:
        """Return the script that the process runs; None when it was not started by the script's own name.

        The kernel starts the interpreter that the first line names, with at most one option, and then the script's path.
        But the short name of the process is the script's.
        """
        with open(f"/proc/{pid}/comm", "rb") as file:
            short = file.read(64).rstrip(b"\n")
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(4096).split(b"\0")[1:3]
        return next((os.fsdecode(word) for word in words if short and os.path.basename(word)[:15] == short), None)

elif sys.platform == "darwin":

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
