"""A fresh token for `token` and `exec`."""

from collections.abc import Mapping
from typing import Any

from tokenctl.broker import asked
from tokenctl.handoff.masking import mask
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def fresh_session(runtime: Runtime, vault: Vault, target: Mapping[str, Any], min_ttl: int | None, wait: int) -> Session:
    """Return a token for the `target`, hidden in a job's log, with a warning if it is short. Raises TokenctlError.

    `min_ttl` and `wait` are the seconds of the command line.
    """
    session = asked.token_within(runtime, vault, target, min_ttl, wait)
    mask(runtime.environ, runtime.terminal, session)
    warn_if_short(runtime, session, min_ttl)
    return session


def warn_if_short(runtime: Runtime, session: Session, min_ttl: int | None) -> None:
    """Warn when the token lives for less than the `min_ttl` seconds of the command line, for whatever reason."""
    left, lifetime = session.remaining(runtime.time_of(session)), session.lifetime
    if min_ttl is None or left is None or lifetime is None or left >= min_ttl:
        return
    short = f"this token still lives for {left} s, not for the {min_ttl} s of --min-ttl"
    if lifetime // 2 < min_ttl:
        short += f": the server's tokens live for {lifetime} s, and --min-ttl can be at most half of that"
    runtime.terminal.warning(short)
