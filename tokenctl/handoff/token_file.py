"""A token file that stays fresh while a child runs: for children that live longer than a token.

The file is private (0600, in a folder of its own), holds the token and no newline, is replaced whole,
and goes when the child ends. The child gets the terminal's signals itself; those sent to this process alone
are passed on.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import types
from collections.abc import Iterator, Mapping
from pathlib import Path

from tokenctl.adapters.private_files import replace_private
from tokenctl.broker.current import current
from tokenctl.handoff.child import Child, NotExecutable
from tokenctl.handoff.environment import FILE_VARIABLE
from tokenctl.handoff.masking import mask
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

SHORTEST = 1.0
LONGEST = 30.0
"""Seconds between two looks at the session: never longer, because a machine that slept wakes late."""


def run_with_token_file(runtime: Runtime, vault: Vault, session: Session, min_ttl: int | None, child: Child) -> int:
    """Run the child with `ACCESS_TOKEN_FILE`, keep the file fresh, and return the child's exit status.

    When a renewal fails, the file stays as it is, a warning says so, and the next look tries again. A child that a
    signal ended answers 128 + its number. Raises NotExecutable.
    """
    with tempfile.TemporaryDirectory(prefix="tokenctl-", dir=_private_memory(child.environ)) as folder:
        path = Path(folder) / "access_token"
        replace_private(path, session.access_token.encode())
        environ = {**child.environ, FILE_VARIABLE: str(path)}
        try:
            process = subprocess.Popen(list(child.words), executable=child.program, env=environ)
        except OSError as reason:
            raise NotExecutable(f"{child.program} cannot be run: {reason.strerror}") from None
        ended = threading.Event()
        keeper = threading.Thread(target=_keep_fresh, args=(runtime, vault, session, min_ttl, path, ended), daemon=True)
        with _passing_on(process):
            keeper.start()
            status = process.wait()
        ended.set()
        keeper.join(SHORTEST)
        return status if status >= 0 else 128 - status


def _private_memory(environ: Mapping[str, str]) -> str | None:
    """Choose the user's own folder in memory where there is one; None: the system's temporary folder."""
    folder = environ.get("XDG_RUNTIME_DIR", "")
    return folder if os.path.isabs(folder) and os.access(folder, os.W_OK) else None


def _keep_fresh(
    runtime: Runtime, vault: Vault, session: Session, min_ttl: int | None, path: Path, ended: threading.Event
) -> None:
    while not ended.wait(max(SHORTEST, min(LONGEST, (session.expires_at - session.obtained_at) / 10))):
        try:
            newer = mask(runtime.environ, runtime.terminal, current(runtime, vault.reopened(), min_ttl))
            if newer.access_token != session.access_token and not ended.is_set():
                replace_private(path, newer.access_token.encode())
            session = newer
        except OSError:
            return  # the folder is gone: so is the child
        except Exception as error:  # whatever it is, the child goes on, and so does this
            reason = getattr(error, "message", type(error).__name__)
            runtime.terminal.warning(f"the token file could not be renewed: {reason}")


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
