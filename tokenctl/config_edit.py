"""Writing a profile into the person's config file, comments and order kept. The only module that knows tomlkit."""

import os
from pathlib import Path

import tomlkit

from tokenctl.config import Config, members_of
from tokenctl.errors import UsageError
from tokenctl.profile import Profile
from tokenctl.storage.state_dir import replace_private


def check_writable(config: Config) -> None:
    """Find out before a sign-in whether its profile could be saved after it. Raises UsageError."""
    try:
        folder = _target(config.path).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "no permission to write there")
    except OSError as reason:
        raise UsageError(
            f"the profile cannot be saved in {config.path}: {reason.strerror}",
            hint="name another file with --config, or write the profile there yourself",
        ) from None


def save(config: Config, profile: Profile) -> None:
    """Add the profile, and make the first one the default. Raises UsageError."""
    path = _target(config.path)
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
        table = tomlkit.table()
        for name, value in members_of(profile).items():
            table.add(name, value)
        if "profiles" not in document:
            document.add("profiles", tomlkit.table(is_super_table=True))
        document["profiles"].add(profile.name, table)
        text = tomlkit.dumps(document)
        if not config.profiles and "default_profile" not in document:
            text = f'default_profile = "{profile.name}"\n\n{text}'
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        replace_private(path, text.encode())
        path.chmod(mode)
    except OSError as reason:
        raise UsageError(f"the profile cannot be saved in {config.path}: {reason.strerror}") from None


def _target(path: Path) -> Path:
    # Config files are often links into a repository of dotfiles: write what the link means.
    return Path(os.path.realpath(path))
