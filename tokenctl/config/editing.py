"""Writing a profile into the person's config file, comments and order kept. The only module that knows tomlkit."""

import os
import tomllib
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable

from tokenctl.adapters.private_files import replace_private
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError
from tokenctl.model.profile import Profile, members_of


def check(config: Config, profile: Profile) -> None:
    """Find out before a sign-in whether its profile could be saved after it. Raises UsageError."""
    target = _target(config.path)
    _extended(target, profile)
    folder = next(each for each in target.parents if each.exists())
    if not os.access(folder, os.W_OK) or not folder.is_dir():
        raise UsageError(
            f"the profile cannot be saved in {config.path}: no permission to write in {folder}",
            hint="name another file with --config, or write the profile there yourself",
        )


def save(config: Config, profile: Profile) -> None:
    """Add the profile, and make the first one the default. Raises UsageError."""
    target = _target(config.path)
    _write(config, target, _extended(target, profile))


def set_store(config: Config, name: str, kind: str) -> None:
    """Write into a profile where its session is kept now. Raises UsageError."""
    target = _target(config.path)
    try:
        document = tomlkit.parse(target.read_bytes().decode())
        document["profiles"][name]["store"] = kind
        text = tomlkit.dumps(document)
        if tomllib.loads(text)["profiles"][name]["store"] != kind:
            raise ValueError
    except (OSError, TOMLKitError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError(f"{target} cannot be changed", hint=f'write store = "{kind}" into [profiles.{name}]') from None
    _write(config, target, text)


def _write(config: Config, target: Path, text: str) -> None:
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        replace_private(target, text.encode())
        target.chmod(mode)
    except OSError as reason:
        raise UsageError(f"the profile cannot be saved in {config.path}: {reason.strerror}") from None


def _extended(target: Path, profile: Profile) -> str:
    """Make the file's new text, and see that it says what it should: people write TOML in many ways."""
    members = members_of(profile)
    try:
        text = target.read_bytes().decode() if target.exists() else ""  # bytes: the file's own line ends stay
        document = tomlkit.parse(text)
        first = not document.get("profiles") and "default_profile" not in document
        if "profiles" not in document:
            document["profiles"] = tomlkit.table(is_super_table=True)
        inline = isinstance(document["profiles"], InlineTable)
        table = tomlkit.inline_table() if inline else tomlkit.table()
        table.update(members)
        document["profiles"][profile.name] = table
        text = (f'default_profile = "{profile.name}"\n\n' if first else "") + tomlkit.dumps(document)
        if tomllib.loads(text)["profiles"][profile.name] == members:
            return text
    except (OSError, TOMLKitError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    raise UsageError(
        f"{target} is written in a way that tokenctl cannot add a profile to",
        hint=f"write [profiles.{profile.name}] there yourself, then sign in with 'tokenctl login -p {profile.name}'",
    )


def _target(path: Path) -> Path:
    # Config files are often links into a repository of dotfiles: write what the link means.
    return Path(os.path.realpath(path))
