"""Change the person's config file with tomlkit, which keeps comments and order.

Each edit reads the file anew and changes one thing in it, so that edits of two processes do not undo each other. The
caller holds the lock of the config file (`storage.lock.exclusive_config`). An editor knows no lock: so the file is
compared with what was read just before it is replaced, and a file that has changed is read again.
"""

import codecs
import os
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from tokenctl.adapters import edited_files
from tokenctl.config import config_file, toml_edits
from tokenctl.config.config_file import Config, check_case
from tokenctl.errors import UsageError, explained_on
from tokenctl.model.profile import Profile, members_of

_ATTEMPTS = 20
_OTHER = "name another one with --config"

Edit = Callable[[Any], None]
"""Changes a document, as tomlkit and as tomllib reads it: both are mappings."""


@explained_on("config")
def check(config: Config, profile: Profile) -> None:
    """Check, before a sign-in, that its profile can be saved afterwards. Raises UsageError."""
    config_file.check(config)
    path = edited_files.real_path(config.path)
    check_case([*config.profiles, profile.name], f"config file {path}")
    _edited(path, edited_files.read(path, _OTHER), _save(config, profile), _by_hand(profile.name))
    folder = next(each for each in path.parents if each.exists())
    if not os.access(folder, os.W_OK) or not folder.is_dir():
        raise UsageError(
            f"the profile cannot be saved in {config.path}: no permission to write in {folder}",
            hint="name another file with --config, or write the profile there yourself",
        )


@explained_on("config")
def save(config: Config, profile: Profile) -> None:
    """Add the profile, or change what differs from the one in `config`. The first profile becomes the default.

    What another process has changed meanwhile in other settings stays. Raises UsageError.
    """
    check_case([*config.profiles, profile.name], f"config file {config.path}")
    _rewrite(config, _save(config, profile), _by_hand(profile.name))


@explained_on("config")
def change(config: Config, name: str, values: Mapping[str, Any], removed: Collection[str] = ()) -> None:
    """Change and remove settings of a profile; a new name makes a profile. Raises UsageError.

    The values are in the config file's form, and checked.
    """
    config_file.check(config)
    check_case([*config.profiles, name], f"config file {config.path}")
    _rewrite(
        config, partial(toml_edits.change, name, values, removed, values), f"edit [profiles.{name}] there yourself"
    )


def changed(path: Path, text: str, name: str, values: Mapping[str, Any], removed: Collection[str] = ()) -> str:
    """Return the text of a config file with changed settings of a profile, and write nothing. Raises UsageError."""
    edit = partial(toml_edits.change, name, values, removed, values)
    return _edited(path, text.encode(), edit, f"edit [profiles.{name}] there yourself")


@explained_on("config")
def remove(config: Config, name: str) -> None:
    """Remove a profile, and the default profile that it was. Raises UsageError."""
    config_file.check(config)
    _rewrite(config, partial(toml_edits.remove, name), f"remove [profiles.{name}] from it yourself")


@explained_on("config")
def set_default(config: Config, name: str) -> None:
    """Make a profile the default one. Raises UsageError."""
    config_file.check(config)
    _rewrite(config, partial(toml_edits.set_default, name), f'write default_profile = "{name}" into its first line')


def _save(config: Config, profile: Profile) -> Edit:
    known = config.profiles.get(profile.name)
    before, after = members_of(known) if known is not None else {}, members_of(profile)
    changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
    return partial(toml_edits.change, profile.name, changed, [name for name in before if name not in after], after)


def _by_hand(name: str) -> str:
    return f"write [profiles.{name}] there yourself, then sign in with 'tokenctl login -p {name}'"


def _rewrite(config: Config, edit: Edit, by_hand: str) -> None:
    """Edit the file, and replace it whole. `by_hand` says what a person can do where tokenctl cannot."""
    path = edited_files.real_path(config.path)
    for _ in range(_ATTEMPTS):
        before = edited_files.read(path, _OTHER)
        try:
            if edited_files.replace(path, before, _edited(path, before, edit, by_hand).encode()):
                return
        except OSError as reason:
            raise UsageError(f"{config.path} cannot be changed: {reason.strerror}") from None
    raise UsageError(f"{config.path} cannot be changed: another program changes it again and again")


def _edited(path: Path, before: bytes | None, edit: Edit, by_hand: str) -> str:
    """Make the new text. It is read again as a check, because people write TOML in many ways. Raises UsageError."""
    try:
        old = config_file.decoded(before or b"")
        mark = "\ufeff" if (before or b"").startswith(codecs.BOM_UTF8) else ""
        windows = "\n" in old and "\n" not in old.replace("\r\n", "")
        expected = tomllib.loads(old)
        has_default = "default_profile" in expected
        edit(expected)
        if not has_default and "default_profile" in expected:  # tomlkit would write it below the comments
            old = f'default_profile = "{expected["default_profile"]}"\n\n{old}'
        document = tomlkit.parse(old)
        edit(document)
        text = tomlkit.dumps(document)
        if windows:  # tomlkit ends its own lines as POSIX does
            text = re.sub(r"\r?\n", "\r\n", text)
        found = tomllib.loads(text)
        if {"profiles": {}, **found} == {"profiles": {}, **expected}:  # an empty table needs no words
            config_file.check(config_file.parse(path, text.encode()))
            return mark + text
    except (TOMLKitError, ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError):
        pass
    raise UsageError(f"tokenctl cannot change {path} as it is written", hint=by_hand)
