"""The target: what a caller asks for within a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenctl.model.profile import CHECKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Fewer scopes, one resource (RFC 8707) or one audience (RFC 8693). What is empty is not asked for."""

    scope: str | None = None
    resource: tuple[str, ...] = ()
    audience: str | None = None

    def __bool__(self) -> bool:
        return bool(self.scope or self.resource or self.audience)


def from_members(members: Mapping[str, Any], where: str) -> Target:
    """Make a target of what the command line says, each member checked as the profile's own.

    `where` names the place for the message. Raises UsageError.
    """
    given = {name: value for name, value in members.items() if value}
    return Target(**{name: CHECKS[name](value, f"{where}: {name}") for name, value in given.items()})
