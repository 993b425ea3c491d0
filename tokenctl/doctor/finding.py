"""A finding: what one check of the doctor found out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "warning", "failed", "could not check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found: one sentence, and one remedy where there is something to do. Never a secret.

    `exit_status` is what `token` would end with because of it; 0 where `token` works all the same. `more` has values for
    `--json`.
    """

    check: str
    """The name of the check, such as `keyring`."""
    status: Status
    sentence: str
    remedy: str | None = None
    exit_status: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)
