"""A token file that stays fresh while a child runs: for children that live longer than a token.

The file is private (0600, in a folder of its own), holds the token and no newline, is replaced whole,
and goes when the child ends. The child gets the terminal's signals itself; those sent to us alone
are passed on.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tokenctl.handoff.environment import FILE_VARIABLE
from tokenctl.handoff.process import NotExecutable
from tokenctl.model.session import Session
from tokenctl.storage.state_dir import replace_private

SHORTEST = 1.0
LONGEST = 30.0
"""Seconds between two looks at the session: never longer, because a machine that slept wakes late."""


def run_with_token_file(
    arguments: Sequence[str],
    program: str,
    environ: Mapping[str, str],
    session: Session,
    current: Callable[[], Session],
    failed: Callable[[Exception], None],
) -> int:
    """Run the child with `ACCESS_TOKEN_FILE`, keep the file fresh, and return the child's exit status.

    `current` answers a session that is fresh enough; when it raises, `failed` is told, the file stays
    as it is, and the next look tries again. A child that a signal ended answers 128 + its number.
    """
    with tempfile.TemporaryDirectory(prefix="tokenctl-", dir=_private_memory(environ)) as folder:
        path = Path(folder) / "access_token"
        replace_private(path, session.access_token.encode())
        try:
            child = subprocess.Popen(list(arguments), executable=program, env={**environ, FILE_VARIABLE: str(path)})
        except OSError as reason:
            raise NotExecutable(f"{program} cannot be run: {reason.strerror}") from None
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_fresh, args=(path, session, current, failed, ended), daemon=True)
        with _passing_on(child):
            keeper.start()
            status = child.wait()
        ended.set()
        keeper.join(SHORTEST)
        return status if status >= 0 else 128 - status


def _private_memory(environ: Mapping[str, str]) -> str | None:
    """Choose the user's own folder in memory where there is one; None: the system's temporary folder."""
    folder = environ.get("XDG_RUNTIME_DIR", "")
    return folder if os.path.isabs(folder) and os.access(folder, os.W_OK) else None


def _keep_fresh(
    path: Path,
    session: Session,
    current: Callable[[], Session],
    failed: Callable[[Exception], None],
    ended: threading.Event,
) -> None:
    while not ended.wait(max(SHORTEST, min(LONGEST, (session.expires_at - session.obtained_at) / 10))):
        try:
            newer = current()
            if newer.access_token != session.access_token and not ended.is_set():
                replace_private(path, newer.access_token.encode())
            session = newer
        except OSError:
            return  # the folder is gone: so is the child
        except Exception as error:  # whatever it is, the child goes on, and so do we
            failed(error)


@contextlib.contextmanager
def _passing_on(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Pass signals on to the child for the length of a block.

    SIGINT and SIGQUIT come from the terminal, which sends them to the child as well; a second one
    would make some programs abort, so there they are only kept from ending us first.
    """
    terminal = any(os.isatty(each) for each in (0, 1, 2))

    def pass_on(number: int, _: types.FrameType | None) -> None:
        if not (terminal and number in (signal.SIGINT, getattr(signal, "SIGQUIT", None))):
            child.send_signal(number)

    before = {}
    for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
