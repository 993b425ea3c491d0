"""Write a profile into the person's config file with tomlkit, which keeps comments and order."""

import os
import tomllib
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from tokenctl.adapters.private_files import ensure_private_folder, replace_private
from tokenctl.config.config_file import Config, check_case
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile, from_members, members_of


def check(config: Config, profile: Profile) -> None:
    """Check, before a sign-in, that its profile can be saved afterwards. Raises UsageError."""
    path = _real_path(config.path)
    check_case([*config.profiles, profile.name], f"config file {path}")
    _text_with(path, profile)
    folder = next(each for each in path.parents if each.exists())
    if not os.access(folder, os.W_OK) or not folder.is_dir():
        raise UsageError(
            f"the profile cannot be saved in {config.path}: no permission to write in {folder}",
            hint="name another file with --config, or write the profile there yourself",
        )


def save(config: Config, profile: Profile) -> None:
    """Add the profile, or change what differs in it. The first profile becomes the default. Raises UsageError."""
    path = _real_path(config.path)
    _write(config, path, _text_with(path, profile))


def set_store(config: Config, name: str, kind: str) -> None:
    """Change the `store` of a profile. Raises UsageError."""
    path = _real_path(config.path)
    try:
        document = tomlkit.parse(path.read_bytes().decode())
        document["profiles"][name]["store"] = kind
        text = tomlkit.dumps(document)
        if tomllib.loads(text)["profiles"][name]["store"] != kind:
            raise ValueError
    except (OSError, TOMLKitError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError(f"{path} cannot be changed", hint=f'write store = "{kind}" into [profiles.{name}]') from None
    _write(config, path, text)


def _write(config: Config, path: Path, text: str) -> None:
    try:
        ensure_private_folder(path.parent)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        replace_private(path, text.encode())
        path.chmod(mode)
    except OSError as reason:
        raise UsageError(f"the profile cannot be saved in {config.path}: {reason.strerror}") from None


def _text_with(path: Path, profile: Profile) -> str:
    """Make the file's text with the profile, and parse it again as a check: people write TOML in many ways."""
    members = members_of(profile)
    try:
        text = path.read_bytes().decode() if path.exists() else ""  # bytes, to keep the file's line ends
        document = tomlkit.parse(text)
        first = not document.get("profiles") and "default_profile" not in document
        if "profiles" not in document:
            document["profiles"] = tomlkit.table(is_super_table=True)
        if profile.name in document["profiles"]:
            _change(document["profiles"][profile.name], members)
        else:
            inline = isinstance(document["profiles"], InlineTable)
            table = tomlkit.inline_table() if inline else tomlkit.table()
            table.update(members)
            document["profiles"][profile.name] = table
        text = (f'default_profile = "{profile.name}"\n\n' if first else "") + tomlkit.dumps(document)
        if from_members(profile.name, tomllib.loads(text)["profiles"][profile.name], str(path)) == profile:
            return text
    except (OSError, TOMLKitError, ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError):
        pass
    raise UsageError(
        f"tokenctl cannot add a profile to {path} as it is written",
        hint=f"write [profiles.{profile.name}] there yourself, then sign in with 'tokenctl login -p {profile.name}'",
    )


def _change(table: Any, members: dict[str, Any]) -> None:
    """Change only what differs in a profile's table, so that its comments and its style stay."""
    before = from_members("x", table.unwrap(), "the config file")
    if from_members("x", members, "the profile") == before:
        return
    kept = members_of(before)
    for name in [each for each in kept if each not in members]:
        del table[name]
    for name, value in members.items():
        if kept.get(name) != value:
            table[name] = value


def _real_path(path: Path) -> Path:
    # A config file is often a link into a repository of dotfiles. Replacing the link would detach it.
    return Path(os.path.realpath(path))
