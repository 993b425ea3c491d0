"""What the other commands of `tokenctl profile` do: change the profiles of the config file. Only `remove` reads a keyring."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tokenctl.cli.actions.profile import check_one_name
from tokenctl.cli.settings import changed, read_all, say_what_next
from tokenctl.config import config_file, editing, environment
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError, did_you_mean, explained_on
from tokenctl.model.profile import Profile, check_key, from_members, members_of
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.lock import exclusive_config


@explained_on("config")
def change(runtime: Runtime, name: str | None, profile_name: str, settings: tuple[str, ...]) -> None:
    """Change these settings of a profile, or make the profile. Raises TokenctlError."""
    check_one_name(name, profile_name)
    changes = read_all(profile_name, settings)
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        before = config.profiles.get(profile_name)
        values = changed(before or Profile(name=profile_name), changes)
        removed = [key for key, value in values.items() if value in ("", [])]  # the last one of a list was removed
        members = (members_of(before) if before is not None else {}) | values
        after = from_members(profile_name, _without(removed, members), f"profile {profile_name}")
        editing.change(config, profile_name, _without(removed, values), removed)
    if before is None:
        runtime.terminal.message(f"made profile {profile_name} in {config.path}")
        near = did_you_mean(profile_name, config.profiles) if after.issuer is None and after.api is None else None
        undo = f"{near} then 'tokenctl profile remove {profile_name}'; else " if near else ""
        runtime.terminal.hint(f"{undo}sign in with 'tokenctl login -p {profile_name}'")
    else:
        runtime.terminal.message(f"changed {_and(values)} of {profile_name} in {config.path}")
        say_what_next(runtime, before, after)


@explained_on("config")
def unset(runtime: Runtime, name: str | None, profile_name: str, keys: tuple[str, ...]) -> None:
    """Remove these settings of a profile. Raises TokenctlError."""
    check_one_name(name, profile_name)
    for key in keys:
        check_key(key)
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        before = environment.of_file(config, profile_name)
        after = from_members(profile_name, _without(keys, members_of(before)), f"profile {profile_name}")
        editing.change(config, profile_name, {}, keys)
    runtime.terminal.message(f"removed {_and(keys)} of {profile_name} from {config.path}")
    say_what_next(runtime, before, after)


@explained_on("config")
def choose(runtime: Runtime, name: str | None, profile_name: str) -> None:
    """Choose the default profile. Raises TokenctlError."""
    check_one_name(name, profile_name)
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        environment.of_file(config, profile_name)
        editing.set_default(config, profile_name)
    runtime.terminal.message(f"{profile_name} is the default profile now")


@explained_on("config")
def remove(runtime: Runtime, name: str | None, profile_name: str) -> None:
    """Remove a profile that is not signed in from the config file. Raises TokenctlError."""
    check_one_name(name, profile_name)
    profile = environment.of_file(_read(runtime), profile_name)
    kept = vaults.open_kept(runtime, profile)
    if kept is not None and kept.newest() is not None:
        raise UsageError(
            f"{profile_name} is signed in; sign out before you remove it",
            hint=f"run 'tokenctl revoke -p {profile_name}'",
        )
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        was_default = config.default_profile == profile_name
        editing.remove(config, profile_name)
    runtime.terminal.message(f"removed profile {profile_name} from {config.path}")
    others = [each for each in config.profiles if each != profile_name]
    if was_default and len(others) > 1:
        runtime.terminal.hint(f"it was the default; choose another: tokenctl profile default {others[0]}")


def _read(runtime: Runtime) -> Config:
    """Read the config file now, and not what this run has read before it had the lock."""
    return config_file.load(runtime.environ, runtime.config_file)


def _without(removed: Collection[str], values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in removed}


def _and(names: Sequence[str] | dict[str, Any]) -> str:
    return " and ".join(names)
