"""A token for what a command asks: the session's own, or one for a narrower target."""

from collections.abc import Mapping
from typing import Any

from tokenctl.broker.current import current
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault


def token(runtime: Runtime, vault: Vault, target: Mapping[str, Any], min_ttl: int | None = None) -> Session:
    """Return a token with at least `min_ttl` seconds left for the scope, resource and audience in `target`.

    Without any of them it is the session itself. Raises UsageError, and what `current` raises.
    """
    if not any(target.values()):
        return current(runtime, vault, min_ttl)
    from tokenctl.broker.downscoped import downscoped
    from tokenctl.model.target import from_members

    return downscoped(runtime, vault, from_members(target, "option"), min_ttl)
