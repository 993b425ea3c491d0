"""The config file: its path and its profiles.

Nothing is read from the current directory. A file that the person names must exist; the default one can be absent.

A profile's table is read and checked when the profile is asked for: a mistake in one profile is no reason to refuse
another one. What has to do with all of them is checked at once: their names, the default profile, and the top level.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tokenctl.config import toml_tables, variables
from tokenctl.errors import UsageError, did_you_mean, explained_on
from tokenctl.model.profile import CHECKS, ENVIRONMENT_PROFILE, Profile, from_members


class Profiles(Mapping[str, Profile]):
    """The profiles by name, in the file's order. Each one is made when it is asked for; that raises UsageError."""

    def __init__(self, path: Path, tables: Mapping[str, Any]) -> None:
        self._path = path
        self._tables = tables
        self._made: dict[str, Profile] = {}

    @explained_on("config")
    def __getitem__(self, name: str) -> Profile:
        if name not in self._made:
            try:
                table = self._tables[name]
            except (ValueError, RecursionError) as reason:
                raise _not_toml(self._path, reason) from None
            self._made[name] = from_members(name, table, f"config file {self._path}: profiles.{name}")
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class Config(NamedTuple):
    """What the config file has: its path, its profiles, and the name of the default profile."""

    path: Path
    profiles: Mapping[str, Profile]
    default_profile: str | None = None


def config_path(environ: Mapping[str, str], named: str | None = None) -> tuple[Path, bool]:
    """Return the config file's path, and whether the person named it (`--config` or `TOKENCTL_CONFIG`).

    Raises UsageError when the variable is empty: another file than was meant has another person's profiles.
    """
    if named:
        return Path(named), True
    if "TOKENCTL_CONFIG" in environ:
        variables.check_value("TOKENCTL_CONFIG", environ["TOKENCTL_CONFIG"])
        return Path(environ["TOKENCTL_CONFIG"]), True
    return _config_home(environ) / "tokenctl" / "config.toml", False


def _config_home(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    xdg = environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification says to ignore a relative path; it would mean the current directory.
    return Path(xdg) if os.path.isabs(xdg) else home(environ) / ".config"


def home(environ: Mapping[str, str]) -> Path:
    """Return the person's home directory, from HOME or the user database; never a relative path."""
    found = Path(os.path.expanduser(environ.get("HOME") or "~"))
    return found if found.is_absolute() else Path("/nonexistent")


@explained_on("config")
def load(environ: Mapping[str, str], named: str | None = None) -> Config:
    """Read the config file. Raises UsageError that names the file, and the line or the key."""
    path, required = config_path(environ, named)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if required:
            raise UsageError(f"config file {path} does not exist", hint="check --config and TOKENCTL_CONFIG") from None
        return Config(path=path, profiles={})
    except OSError as reason:
        raise UsageError(
            f"config file {path} cannot be read: {reason.strerror}",
            hint="make it a file that you can read, or name another one with --config",
        ) from None
    return parse(path, content)


@explained_on("config")
def parse(path: Path, content: bytes) -> Config:
    """Read what a config file has. Raises UsageError."""
    try:
        found = toml_tables.read(decoded(content))
    except (ValueError, RecursionError) as reason:
        raise _not_toml(path, reason) from None
    return _config(path, found)


def check(config: Config) -> None:
    """Check every profile: before an edit of the file, which has to understand all of it. Raises UsageError."""
    for name in config.profiles:
        config.profiles[name]


def _not_toml(path: Path, reason: ValueError | RecursionError) -> UsageError:
    """Make the error for a file that cannot be read; tomllib's own error is a ValueError."""
    what = "is not UTF-8 text" if isinstance(reason, UnicodeDecodeError) else f"is not valid TOML: {reason}"
    return UsageError(f"config file {path} {what}", hint="correct that line; nothing was changed")


def decoded(content: bytes) -> str:
    """Decode a config file, and keep its line ends. Windows editors write an invisible mark (BOM) before the text.

    Raises UnicodeDecodeError.
    """
    return content.decode().removeprefix("\ufeff")


def check_case(names: Iterable[str], where: str) -> None:
    """Check that no two names differ only in upper and lower case. `where` names their source. Raises UsageError.

    A profile's folder has its name, and some disks and keyrings ignore case: there both would be one.
    """
    seen = {ENVIRONMENT_PROFILE: ENVIRONMENT_PROFILE}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise UsageError(
                f"{where}: the profiles {other!r:.70} and {name!r:.70} differ only in upper and lower case",
                hint="some disks and keyrings ignore case, and would mix their sessions: rename one of them",
            )


def _config(path: Path, found: dict[str, Any]) -> Config:
    """Read what TOML says as the config. Raises UsageError that names the key."""
    where = f"config file {path}"
    for key in found:
        if key not in ("default_profile", "profiles"):
            raise UsageError(f"{where}: unknown key {key!r:.60}", hint=_hint(key))
    tables = found.get("profiles", {})
    whole = isinstance(tables, dict) and all(isinstance(each, dict) for each in tables.values())
    if not whole and not isinstance(tables, toml_tables.Tables):
        raise UsageError(f"{where}: profiles must be tables, such as [profiles.work]")
    default = found.get("default_profile")
    if default is not None and (not isinstance(default, str) or default not in tables):
        known = (
            f"name another one there, or remove default_profile; the profiles are: {', '.join(tables) or 'none yet'}"
        )
        near = did_you_mean(str(default), tables) or known
        raise UsageError(f"{where}: default_profile {default!r:.60} is not one of its profiles", hint=near)
    check_case(tables, where)
    return Config(path=path, profiles=Profiles(path, tables), default_profile=default)


def _hint(key: str) -> str:
    if key in CHECKS:
        return f"{key} belongs into the table of a profile: write it below [profiles.NAME]"
    return (
        did_you_mean(key, ("default_profile", "profiles"))
        or "the top level has default_profile and [profiles.NAME] only"
    )
