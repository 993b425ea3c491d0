"""The config file and the environment: which profiles there are, and where files live.

Nothing is read from the current directory. A file that is named must exist; the default one may be
absent. For each setting: option, then environment, then profile.
"""

import os
import sys
import tomllib
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tokenctl.errors import UsageError
from tokenctl.model.profile import ENVIRONMENT_PROFILE, Profile, check_name, from_members

SETTINGS = ("issuer", "client_id", "scope", "resource", "audience", "flow", "store", "source", "identity_use")
"""What `TOKENCTL_<NAME>` may set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The config file as read: its path, its profiles, the default one's name."""

    path: Path
    profiles: Mapping[str, Profile]
    default_profile: str | None = None


def config_path(environ: Mapping[str, str], named: str | None = None) -> tuple[Path, bool]:
    """Say where the config file is, and whether somebody named it."""
    name = named or environ.get("TOKENCTL_CONFIG")
    if name:
        return Path(name), True
    return _config_home(environ) / "tokenctl" / "config.toml", False


def _config_home(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    xdg = environ.get("XDG_CONFIG_HOME", "")
    # XDG: a relative path is invalid and to be ignored; it would mean the current directory.
    return Path(xdg) if os.path.isabs(xdg) else home(environ) / ".config"


def home(environ: Mapping[str, str]) -> Path:
    """The person's home directory, by HOME or by the user database; never a relative path."""
    found = Path(os.path.expanduser(environ.get("HOME") or "~"))
    return found if found.is_absolute() else Path("/nonexistent")


def load(environ: Mapping[str, str], named: str | None = None) -> Config:
    """Read the config file. Raises UsageError that names the file, and the line or the key."""
    path, required = config_path(environ, named)
    try:
        found = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        if required:
            raise UsageError(f"config file {path} does not exist", hint="check --config and TOKENCTL_CONFIG") from None
        return Config(path=path, profiles={})
    except (ValueError, RecursionError) as reason:  # tomllib's own error is a ValueError
        what = "is not UTF-8 text" if isinstance(reason, UnicodeDecodeError) else f"is not valid TOML: {reason}"
        raise UsageError(f"config file {path} {what}", hint="mend that line; nothing was changed") from None
    except OSError as reason:
        raise UsageError(f"config file {path} cannot be read: {reason.strerror}") from None
    return _parse(path, found)


def _parse(path: Path, found: dict[str, Any]) -> Config:
    where = f"config file {path}"
    for key in found:
        if key not in ("default_profile", "profiles"):
            raise UsageError(
                f"{where}: unknown key {key!r:.60}", hint="at the top there are default_profile and [profiles.NAME]"
            )
    tables = found.get("profiles", {})
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise UsageError(f"{where}: profiles must be tables, such as [profiles.work]")
    default = found.get("default_profile")
    if default is not None and (not isinstance(default, str) or default not in tables):
        raise UsageError(f"{where}: default_profile {default!r:.60} is not one of its profiles")
    profiles = {name: from_members(name, table, f"{where}: profiles.{name}") for name, table in tables.items()}
    return Config(path=path, profiles=profiles, default_profile=default)


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
    flow = settings.get("flow", preset.get("flow"))
    if flow in ("client-credentials", "workload"):
        preset["store"] = "memory"
    return from_members(ENVIRONMENT_PROFILE, {**preset, **settings}, "environment")


def override(profile: Profile, settings: Mapping[str, Any], where: str) -> Profile:
    """Put settings over a profile's own, checked the same way."""
    checked = from_members(profile.name, settings, where)
    return replace(profile, **{name: getattr(checked, name) for name in settings})
