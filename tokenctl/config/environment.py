"""Which profile is meant, and the environment's settings over it. For each setting: option, then environment, then profile."""

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile, check_name, from_members
from tokenctl.model.session import MACHINE_FLOWS

SETTINGS = ("issuer", "client_id", "scope", "resource", "audience", "flow", "store", "source", "identity_use")
"""What `TOKENCTL_<NAME>` may set."""


def from_environment(environ: Mapping[str, str], besides: Container[str] = ()) -> dict[str, Any]:
    """Collect the settings that `TOKENCTL_*` variables make, but those that an option has set; an empty one is none.

    They are checked here, while it is known where they are from. Raises UsageError.
    """
    members: dict[str, Any] = {}
    for name in SETTINGS:
        value = environ.get(f"TOKENCTL_{name.upper()}")
        if value and name not in besides:
            members[name] = value.split() if name == "resource" else value
    from_members(ENVIRONMENT_PROFILE, members, "environment")
    return members


def choose(config: Config, environ: Mapping[str, str], named: str | None = None) -> Profile:
    """Pick the profile, with the environment's settings over the file's.

    `-p`, then `TOKENCTL_PROFILE`, then the file's default, then the only one there is; with none at
    all, the environment makes one called `env`. Raises UsageError.
    """
    settings = from_environment(environ)
    wanted = named or environ.get("TOKENCTL_PROFILE") or config.default_profile
    if wanted is None and len(config.profiles) == 1:
        wanted = next(iter(config.profiles))
    if (wanted is None and "issuer" in settings) or (wanted == ENVIRONMENT_PROFILE and wanted not in config.profiles):
        return ad_hoc(settings, environ)
    if wanted is None and config.profiles:
        raise UsageError(
            "there are several profiles, and none was named",
            hint=f"add -p NAME or set default_profile; there are: {', '.join(config.profiles)}",
        )
    if wanted is None:
        raise UsageError(
            "there is no profile yet",
            hint="make one by signing in: tokenctl login -p work --issuer URL --client-id ID (or look around first: tokenctl demo)",
        )
    if wanted not in config.profiles:
        check_name(wanted)
        there = f"there are: {', '.join(config.profiles)}" if config.profiles else "there is none yet"
        raise UsageError(
            f"there is no profile {wanted!r} in {config.path}",
            hint=f"{there}; 'tokenctl login -p {wanted} --issuer URL --client-id ID' makes it",
        )
    profile = config.profiles[wanted]
    return override(profile, settings, "environment") if settings else profile


def ad_hoc(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Profile:
    """Make the profile called `env`. With a client secret it is a machine's, and keeps nothing."""
    if "issuer" not in settings or "client_id" not in settings:
        raise UsageError(
            "the profile 'env' needs TOKENCTL_ISSUER and TOKENCTL_CLIENT_ID",
            hint="set both, or name another profile with -p",
        )
    machine = any(environ.get(name) for name in ("TOKENCTL_CLIENT_SECRET", "TOKENCTL_CLIENT_SECRET_FILE"))
    preset = {"flow": "client-credentials"} if machine else {}
    if settings.get("flow", preset.get("flow")) in MACHINE_FLOWS:
        preset["store"] = "memory"
    return from_members(ENVIRONMENT_PROFILE, {**preset, **settings}, "environment")


def override(profile: Profile, settings: Mapping[str, Any], where: str) -> Profile:
    """Put settings over a profile's own, checked the same way."""
    checked = from_members(profile.name, settings, where)
    return replace(profile, **{name: getattr(checked, name) for name in settings})
