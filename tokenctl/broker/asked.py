"""A token for what a command asks: the session's own, or one for a narrower target; at once, or within some time."""

from collections.abc import Mapping
from typing import Any

from tokenctl.broker.current import current
from tokenctl.errors import Busy, Unreachable
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def token(
    runtime: Runtime,
    vault: Vault,
    target: Mapping[str, Any],
    min_ttl: int | None = None,
    refused: str | None = None,
) -> Session:
    """Return a token with at least `min_ttl` seconds left for the scope, resource and audience in `target`.

    Without any of them it is the session itself. `refused` is an access token that an API refused: another one is
    returned. Raises UsageError, and what `current` raises.
    """
    if not any(target.values()):
        return current(runtime, vault, min_ttl, refused)
    from tokenctl.broker.downscoped import downscoped
    from tokenctl.model.target import from_members

    return downscoped(runtime, vault, from_members(target, "option"), min_ttl, refused)


FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""Seconds between two tries: the pause begins with the first, and doubles up to the second."""


def token_within(
    runtime: Runtime, vault: Vault, target: Mapping[str, Any], min_ttl: int | None, seconds: int
) -> Session:
    """Do what `token` does, and try again when the server cannot be reached or the lock is held, for `seconds`.

    Each try is a whole one, as if the command were run again, so the journal and the lock decide what is sent. The last
    try begins when the time is over, and may take its own time. Nothing is tried in a pause that the server asked for,
    and a pause that ends too late is not waited for. Raises the last try's error.
    """
    ends, pause = runtime.since_boot() + seconds, FIRST_PAUSE
    while True:
        try:
            return token(runtime, vault, target, min_ttl)
        except (Unreachable, Busy) as error:
            failed = error
        left = ends - runtime.since_boot()
        asked = (failed.retry_after or 0) if isinstance(failed, Unreachable) else 0
        if left <= 0 or asked > left:
            raise failed
        _wait(runtime, failed, min(max(pause, asked), left), ends)
        pause = min(2 * pause, LONGEST_PAUSE)
        vault.follow()


def _wait(runtime: Runtime, failed: Unreachable | Busy, pause: float, ends: float) -> None:
    """Wait for `pause` seconds before the next try, and tell the person how long it can go on."""
    begun = runtime.since_boot()
    tries = f"{failed.message}; trying again in {pause:.0f} s, and for {max(0, ends - begun):.0f} s more at most"
    if pause == FIRST_PAUSE and not runtime.terminal.watched:  # a job's log has no progress line
        runtime.terminal.message(tries)
    else:
        runtime.terminal.detail(tries)
    what = "the lock" if isinstance(failed, Busy) else "the server"
    try:
        # In short sleeps: a machine that was suspended meanwhile goes on soon after it wakes.
        while (rest := begun + pause - runtime.since_boot()) > 0:
            left = max(0, int(ends - runtime.since_boot()))
            runtime.terminal.progress(f"tokenctl: waiting for {what}, {left // 60}:{left % 60:02} left ")
            runtime.sleep(min(1.0, rest))
    finally:
        runtime.terminal.end_progress()
