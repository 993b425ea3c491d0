"""The target: what a caller asks for within a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenctl.model.profile import CHECKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The scope, resources (RFC 8707) or audience (RFC 8693) to ask for. An empty member is not asked for."""

    scope: str | None = None
    resource: tuple[str, ...] = ()
    audience: str | None = None


def from_members(members: Mapping[str, Any], where: str) -> Target:
    """Make a target from the command line's members; each is checked like the profile's setting of that name.

    `where` names the source in a message. Raises UsageError.
    """
    given = {name: value for name, value in members.items() if value}
    return Target(**{name: CHECKS[name](value, f"{where}: {name}") for name, value in given.items()})
