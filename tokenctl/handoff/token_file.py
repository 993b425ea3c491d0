"""A token file that stays fresh while a child runs: for a child that runs longer than a token lives.

The file is private (mode 0600, in its own folder). It has the token without a newline, is replaced atomically, and is
removed when the child ends. The terminal sends its signals to the child too; other signals to this process are
forwarded.
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
from types import MappingProxyType
from typing import Any

from tokenctl.adapters.private_files import replace_private
from tokenctl.broker import asked
from tokenctl.handoff.child import Child, NotExecutable
from tokenctl.handoff.environment import FILE_VARIABLE
from tokenctl.handoff.masking import mask
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

SHORTEST = 1.0
LONGEST = 30.0
"""Seconds between two checks of the session, at most: after a sleep of the machine the next check must be soon."""


def run_with_token_file(
    runtime: Runtime,
    vault: Vault,
    session: Session,
    min_ttl: int | None,
    child: Child,
    target: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Run the child with `ACCESS_TOKEN_FILE`, keep the file fresh, and return the child's exit status.

    `target` has the scope, resource and audience to ask for; see `asked.token`.

    When a renewal fails, the file stays as it is, a warning is written, and the next check tries again. The status is
    128 + N when signal N ended the child. Raises NotExecutable.
    """
    with tempfile.TemporaryDirectory(prefix="tokenctl-", dir=_runtime_folder(child.environ)) as folder:
        path = Path(folder) / "access_token"
        replace_private(path, session.access_token.encode())
        environ = {**child.environ, FILE_VARIABLE: str(path)}
        try:
            process = subprocess.Popen(list(child.words), executable=child.program, env=environ)
        except OSError as reason:
            raise NotExecutable(f"{child.program} cannot be run: {reason.strerror}") from None
        ended = threading.Event()
        arguments = (runtime, vault, session, min_ttl, target, path, ended)
        thread = threading.Thread(target=_keep_fresh, args=arguments, daemon=True)
        with _forwarding_signals(process):
            thread.start()
            status = process.wait()
        ended.set()
        thread.join(SHORTEST)
        return status if status >= 0 else 128 - status


def _runtime_folder(environ: Mapping[str, str]) -> str | None:
    """Return the user's runtime folder, which is in memory; None means the system's temporary folder."""
    folder = environ.get("XDG_RUNTIME_DIR", "")
    return folder if os.path.isabs(folder) and os.access(folder, os.W_OK) else None


def _keep_fresh(
    runtime: Runtime,
    vault: Vault,
    session: Session,
    min_ttl: int | None,
    target: Mapping[str, Any],
    path: Path,
    ended: threading.Event,
) -> None:
    while not ended.wait(max(SHORTEST, min(LONGEST, (session.expires_at - session.obtained_at) / 10))):
        try:
            vault.follow()
            newer = mask(runtime.environ, runtime.terminal, asked.token(runtime, vault, target, min_ttl))
            if newer.access_token != session.access_token and not ended.is_set():
                replace_private(path, newer.access_token.encode())
            session = newer
        except OSError:
            return  # the folder was removed, because the child has ended
        except Exception as error:  # no error must end the child, or this thread
            reason = getattr(error, "message", type(error).__name__)
            runtime.terminal.warning(f"the token file could not be renewed: {reason}")


@contextlib.contextmanager
def _forwarding_signals(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Forward signals to the child until the block ends.

    With a terminal, SIGINT and SIGQUIT are only ignored here: the terminal sends them to the child too, and a second
    one would make some programs abort.
    """
    terminal = any(os.isatty(each) for each in (0, 1, 2))

    def forward(number: int, _: types.FrameType | None) -> None:
        if not (terminal and number in (signal.SIGINT, getattr(signal, "SIGQUIT", None))):
            child.send_signal(number)

    before = {}
    for name in ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, forward)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
