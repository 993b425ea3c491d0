"""What a client was given: a client that asks again too early, with a token that has not ended, was refused with it.

kubectl, Claude Code and others cannot say so. They ask again only after a refusal, or after an interval of their own. So
the token that a client got is remembered by its times and a checksum, never by its text, in a small file for each client.
A client is a process: the parent, or the parent of the shell that the parent is.

The fast way of the helpers loads this file, so it imports next to nothing.
"""

import os
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokenctl.handoff.helpers.question import Question

FOLDER = ".helpers"
"""The folder in the state directory."""
IN_VAIN = 300
"""Seconds for which a token that replaced a refused one is not replaced too, whichever client asks: a server that refuses
every token must not cause a renewal for each call; nor a client that asks twice in one process without a refusal, as some
builds of kubectl do."""
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "ash")
_FLAGS = os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) if os.name == "posix" else 0


class Remembered:
    """A token that a client got: when it was obtained, ends (0: not known) and was given, in epoch seconds.

    `checksum` is that of its text; see `checksum_of`. The session's generation would not do: the old token has the new
    one while a renewal has only stored the refresh token that rotated.
    """

    __slots__ = ("at", "checksum", "ends", "obtained")

    def __init__(self, obtained: int, ends: int, checksum: int, at: int) -> None:
        self.obtained = obtained
        self.ends = ends
        self.checksum = checksum
        self.at = at

    def is_same_token(self, other: "Remembered | None") -> bool:
        """Tell whether the other one is of this very token."""
        return other is not None and self._token == other._token

    @property
    def _token(self) -> tuple[int, int, int]:
        return self.obtained, self.ends, self.checksum


def checksum_of(token: str) -> int:
    """Return 32 bits that tell a token from others of the same times, and tell nobody the token."""
    return zlib.crc32(token.encode(errors="replace"))


def was_refused(before: Remembered | None, token: Remembered, interval: int) -> bool:
    """Tell whether the client asks again although it has this very token, earlier than it does by itself.

    `interval` is seconds; 0 means that it asks by itself only when the token has ended.
    """
    if before is None or not before.is_same_token(token) or (token.ends and token.at >= token.ends):
        return False
    return interval == 0 or 0 <= token.at - before.at < interval * 9 // 10


def is_in_vain(folder: str, profile: str, token: Remembered) -> bool:
    """Tell whether this very token replaced a refused one lately, of any client: to replace it too would help nobody."""
    return token.is_same_token(read(folder, replacement(profile))) and 0 <= token.at - token.obtained < IN_VAIN


def replacement(profile: str) -> str:
    """Name the file for the profile's last token that a client got in the place of a refused one."""
    return f"replacement.{profile}"


def name_of(question: "Question", profile: str) -> str | None:
    """Name the file for this client and what it asks; None where the client is not known, or needs no file."""
    client = _client(os.getppid()) if question.again else None
    about = f"{profile}|{question.again}".encode(errors="replace")
    return None if client is None else f"client.{client}.{zlib.crc32(about):08x}"


def _client(pid: int) -> str | None:
    """Name a process by its id and its start, of which there is one since the machine's start; shells do not count."""
    try:
        for _ in range(4):
            with open(f"/proc/{pid}/stat", "rb") as file:
                name, _, rest = file.read(4096).partition(b"(")[2].rpartition(b")")
            members = rest.split()
            if name.decode(errors="replace") not in _SHELLS:
                return f"{pid}-{int(members[19])}"
            pid = int(members[1])
    except (OSError, ValueError, IndexError):
        pass
    return None


def read(folder: str, name: str) -> Remembered | None:
    """Read what a client was given; None when that is not known."""
    try:
        descriptor = os.open(f"{folder}/{name}", os.O_RDONLY | _FLAGS)
        try:
            words = os.read(descriptor, 200).split()
        finally:
            os.close(descriptor)
        return Remembered(*map(int, words)) if len(words) == 4 else None
    except (OSError, ValueError):
        return None


def write(folder: str, name: str, token: Remembered) -> bool:
    """Remember what a client is given. Tells whether that was possible; the answer does not depend on it.

    Whoever reads meanwhile reads what was there before, or this.
    """
    new = f"{folder}/client.new.{os.urandom(8).hex()}"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
        try:
            numbers = token.obtained, token.ends, token.checksum, token.at
            os.write(descriptor, b"%d %d %d %d\n" % numbers)
        finally:
            os.close(descriptor)
        os.replace(new, f"{folder}/{name}")
    except OSError:
        return False
    return True
