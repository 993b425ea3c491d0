"""Choose the profile, and apply the environment. Options win over the environment, which wins over the profile."""

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any

from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile, check_name, from_members
from tokenctl.model.session import MACHINE_FLOWS

SETTINGS = ("issuer", "client_id", "scope", "resource", "audience", "flow", "store", "source", "identity_use")
"""The settings that a variable `TOKENCTL_<NAME>` can set."""


def from_environment(environ: Mapping[str, str], except_for: Container[str] = ()) -> dict[str, Any]:
    """Collect the settings of the `TOKENCTL_*` variables. An empty variable counts as not set.

    `except_for` names the settings that an option has set already. Raises UsageError that names the environment.
    """
    members: dict[str, Any] = {}
    for name in SETTINGS:
        value = environ.get(f"TOKENCTL_{name.upper()}")
        if value and name not in except_for:
            members[name] = value.split() if name == "resource" else value
    from_members(ENVIRONMENT_PROFILE, members, "environment")
    return members


def choose(config: Config, environ: Mapping[str, str], named: str | None = None) -> Profile:
    """Choose the profile, and apply the environment's settings to it.

    The order is `-p` (`named`), `TOKENCTL_PROFILE`, the config file's default, the only profile in the file. Without
    any of these the environment describes a profile called `env`. Raises UsageError.
    """
    settings = from_environment(environ)
    wanted = named or environ.get("TOKENCTL_PROFILE") or config.default_profile
    if wanted is None and len(config.profiles) == 1:
        wanted = next(iter(config.profiles))
    if (wanted is None and "issuer" in settings) or (wanted == ENVIRONMENT_PROFILE and wanted not in config.profiles):
        return environment_profile(settings, environ)
    if wanted is None and config.profiles:
        raise UsageError(
            "there are several profiles, and none was named",
            hint=f"add -p NAME or set default_profile; the profiles are: {', '.join(config.profiles)}",
        )
    if wanted is None:
        raise UsageError(
            "there is no profile yet",
            hint="make one by signing in: tokenctl login -p work --issuer URL --client-id ID (or try it first: tokenctl demo)",
        )
    if wanted not in config.profiles:
        check_name(wanted)
        known = f"the profiles are: {', '.join(config.profiles)}" if config.profiles else "there is none yet"
        raise UsageError(
            f"there is no profile {wanted!r} in {config.path}",
            hint=f"{known}; 'tokenctl login -p {wanted} --issuer URL --client-id ID' makes it",
        )
    profile = config.profiles[wanted]
    return override(profile, settings, "environment") if settings else profile


def environment_profile(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Profile:
    """Make the profile called `env`. With a client secret its flow is client-credentials, in the memory store.

    Raises UsageError when the issuer or the client_id is missing.
    """
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
    """Replace settings of a profile; they are checked like the profile's own. `where` names their source."""
    checked = from_members(profile.name, settings, where)
    return replace(profile, **{name: getattr(checked, name) for name in settings})
