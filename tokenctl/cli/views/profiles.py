"""A profile of the config file, as a document and as lines for a pipe."""

import json
from typing import Any

from tokenctl.adapters.terminal import clean
from tokenctl.config.config_file import Config
from tokenctl.model.profile import Profile, members_of


def document(config: Config, profile: Profile) -> dict[str, Any]:
    """Describe a profile. `settings` are those that differ from the defaults, in the config file's form."""
    only = len(config.profiles) == 1
    return {
        "profile": profile.name,
        "default": config.default_profile == profile.name or (config.default_profile is None and only),
        "issuer": profile.issuer,
        "client_id": profile.client_id,
        "flow": profile.flow,
        "settings": members_of(profile),
    }


def line(found: dict[str, Any]) -> str:
    """Write a profile of the list as one line: name, issuer, flow and perhaps `default`, with tabs between them."""
    columns = (found["profile"], found["issuer"] or "-", found["flow"], "default" if found["default"] else "-")
    return "\t".join(map(clean, columns))


def lines(found: dict[str, Any]) -> list[str]:
    """Write the settings of a profile as `name: value` lines."""
    head = [f"profile: {found['profile']}", f"default: {'yes' if found['default'] else 'no'}"]
    return head + [f"{name}: {value(each)}" for name, each in found["settings"].items()]


def value(found: Any) -> str:
    """Write the value of a setting as `profile set` reads it, for a person."""
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return clean(" ".join(found))
    return clean(found if isinstance(found, str) else json.dumps(found))
