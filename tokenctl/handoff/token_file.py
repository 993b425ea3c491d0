"""A token file that stays fresh while a child runs: for a child that runs longer than a token lives.

The file is private (mode 0600, in its own folder). It has the token without a newline, is replaced atomically, and is
removed when the child ends. The terminal sends its signals to the child too; other signals to this process are
forwarded.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokenctl.adapters import signals
from tokenctl.adapters.private_files import replace_private
from tokenctl.broker import asked
from tokenctl.handoff import supervised
from tokenctl.handoff.child import Child
from tokenctl.handoff.environment import FILE_VARIABLE, of_session, variables
from tokenctl.handoff.masking import mask
from tokenctl.handoff.token_folder import cannot_write, token_folder
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

SHORTEST = 1.0
LONGEST = 30.0
"""Seconds between two checks of the session, at most: after a sleep of the machine the next check must be soon."""


class _TokenFile:
    """The file; nothing is written to it after it was closed, so that its folder can be removed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "access_token"
        self.begun = threading.Event()
        self.closed = threading.Event()
        self._writing = threading.Lock()

    def write(self, token: str) -> None:
        """Replace the content. Raises TokenctlError."""
        with self._writing:
            if self.closed.is_set():
                return
            try:
                replace_private(self.path, token.encode())
            except OSError as reason:
                raise cannot_write(self.path.parent, reason) from None

    def close(self) -> None:
        """Let every later write do nothing."""
        self.closed.set()
        self.begun.set()
        with self._writing:  # wait for the one that has begun
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the file keeps: the token of this session, or of a `target` within it, with `min_ttl` seconds left.

    `target` has the scope, resource and audience to ask for; see `asked.token`. `session` is what it gave at first.
    """

    vault: Vault
    session: Session
    min_ttl: int | None
    target: Mapping[str, Any]


def run_with_token_file(
    runtime: Runtime, kept: Kept, child: Child, wanted: Sequence[str], on_refresh: int | None = None
) -> int:
    """Run the child with `ACCESS_TOKEN_FILE`, keep the file fresh, and return the child's exit status.

    `wanted` are the variables that the child gets too: `NAME`, or `NAME=TEMPLATE`, where `{token_file}` is the file's
    path. `on_refresh` is the signal that the child gets each time when the file has another token.
    When a renewal fails, the file stays as it is, a warning is written, and the next check tries again. The status is
    128 + N when signal N ended the child. A signal that comes before the child is started ends this process, without
    a child. Raises NotExecutable, UsageError for a variable, or TokenctlError when the file cannot be written.
    """
    # The signals are caught first and released last: none can end this process while there is a file, or a child.
    with signals.relayed() as relay, token_folder(child.environ) as folder:
        file = _TokenFile(folder)
        file.write(kept.session.access_token)
        arguments = (runtime, kept, file, relay, on_refresh)
        try:
            # Before the child: when there can be no thread, there is no child either.
            threading.Thread(target=_keep_fresh, args=arguments, daemon=True).start()
            known = of_session(kept.session) | {"token_file": str(file.path)}
            environ = {**child.environ, **variables(wanted, known), FILE_VARIABLE: str(file.path)}
            process = supervised.start(replace(child, environ=environ), relay)
            file.begun.set()
            return supervised.exit_status(process, relay)
        finally:
            file.close()


def _keep_fresh(runtime: Runtime, kept: Kept, file: _TokenFile, relay: signals.Relay, on_refresh: int | None) -> None:
    session = kept.session
    written, said = session.access_token, None
    file.begun.wait()  # what a keyring call changes of this process for a moment, the child must not inherit
    while not file.closed.wait(max(SHORTEST, min(LONGEST, (session.lifetime or LONGEST * 10) / 10))):
        try:
            kept.vault.follow()
            session = asked.token(runtime, kept.vault, kept.target, kept.min_ttl)
            mask(runtime.environ, runtime.terminal, session)
            if session.access_token != written:
                file.write(session.access_token)
                written = session.access_token
                _tell(runtime, relay, on_refresh)
            said = None
        except Exception as error:  # no error must end the child, or this thread: the next check tries again
            reason = getattr(error, "message", None) or getattr(error, "strerror", None) or type(error).__name__
            if reason != said and not file.closed.is_set():  # the same reason is told once
                runtime.terminal.warning(f"the token file could not be renewed: {reason}")
            said = reason


def _tell(runtime: Runtime, relay: signals.Relay, on_refresh: int | None) -> None:
    """Send the child the signal of a renewal, if it wants one and has not ended."""
    try:
        if on_refresh is not None:
            relay.send(on_refresh)
    except OSError as reason:
        runtime.terminal.warning(f"the command was not told of its new token by the signal: {reason.strerror}")
