"""`tokenctl profile`: show and change the profiles of the config file. No command here reads a keyring but `remove`."""

from collections.abc import Sequence
from typing import Any

import click

from tokenctl.cli.grammar import PROFILE, Group, Names, shared_options
from tokenctl.cli.options import as_json, with_runtime
from tokenctl.cli.output import answer, stdout_is_terminal
from tokenctl.cli.settings import read_all, say_what_next
from tokenctl.cli.views import document, profiles
from tokenctl.config import config_file, editing, environment
from tokenctl.config.config_file import Config
from tokenctl.errors import UsageError, did_you_mean
from tokenctl.model.profile import check_key, from_members, members_of
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.lock import exclusive_config

_EXAMPLES = """\
  tokenctl profile list
  tokenctl profile set work scope="openid offline_access api" min_ttl=5m
  tokenctl profile default work"""


@click.group("profile", cls=Group, examples=_EXAMPLES)
@shared_options
def command() -> None:
    """Show and change the profiles of the config file."""


_name = click.argument("profile_name", metavar="NAME", type=PROFILE)


@command.command("list", examples="  tokenctl profile list\n  tokenctl profile list --json | jq -r '.[].profile'")
@as_json
@with_runtime
def list_(runtime: Runtime, name: str | None, as_json: bool) -> None:
    """List the profiles.

    Who is signed in is not shown, because that needs the keyring: see 'tokenctl show --all'.
    """
    config = runtime.config
    found = [profiles.document(config, each) for each in config.profiles.values()]
    if as_json:
        answer(document.as_text(found))
    elif not found:
        runtime.terminal.message(f"there is no profile in {config.path}")
        runtime.terminal.hint("make one by signing in: tokenctl login")
    elif stdout_is_terminal():
        from tokenctl.cli.views import panels, tables

        panels.draw(tables.profiles(found))
    else:
        answer("\n".join(profiles.line(each) for each in found))


@command.command("show", examples="  tokenctl profile show work\n  tokenctl profile show work --json")
@click.argument("profile_name", metavar="[NAME]", required=False, type=PROFILE)
@as_json
@with_runtime
def show(runtime: Runtime, name: str | None, profile_name: str | None, as_json: bool) -> None:
    """Show the settings of a profile, as the config file has them.

    Without NAME: of the profile that -p, TOKENCTL_PROFILE or the config file chooses.
    """
    _check_one_name(name, profile_name)
    wanted = profile_name or name or runtime.environ.get("TOKENCTL_PROFILE") or None
    found = profiles.document(runtime.config, environment.of_file(runtime.config, wanted))
    if as_json:
        answer(document.as_text(found))
    elif stdout_is_terminal():
        from tokenctl.cli.views import panels, tables

        panels.draw(tables.settings(found))
    else:
        answer("\n".join(profiles.lines(found)))


@command.command(
    "set",
    examples='  tokenctl profile set work scope="openid offline_access api"\n'
    "  # a list is written as words\n"
    '  tokenctl profile set work resource="https://a.example https://b.example"\n'
    "  # a new NAME makes a profile\n"
    "  tokenctl profile set home issuer=https://login.example.com client_id=ID",
)
@_name
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1, required=True, type=Names("setting"))
@with_runtime
def set_(runtime: Runtime, name: str | None, profile_name: str, settings: tuple[str, ...]) -> None:
    """Change settings of a profile, or make a new profile.

    'tokenctl help config' explains the settings.
    """
    _check_one_name(name, profile_name)
    values = read_all(profile_name, settings)
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        before = config.profiles.get(profile_name)
        members = (members_of(before) if before is not None else {}) | values
        after = from_members(profile_name, members, f"profile {profile_name}")
        editing.change(config, profile_name, values)
    if before is None:
        runtime.terminal.message(f"made profile {profile_name} in {config.path}")
        near = did_you_mean(profile_name, config.profiles) if after.issuer is None and after.api is None else None
        undo = f"{near} then 'tokenctl profile remove {profile_name}'; else " if near else ""
        runtime.terminal.hint(f"{undo}sign in with 'tokenctl login -p {profile_name}'")
    else:
        runtime.terminal.message(f"changed {_and(values)} of {profile_name} in {config.path}")
        say_what_next(runtime, before, after)


@command.command("unset", examples="  tokenctl profile unset work audience")
@_name
@click.argument("keys", metavar="KEY...", nargs=-1, required=True, type=Names("key"))
@with_runtime
def unset(runtime: Runtime, name: str | None, profile_name: str, keys: tuple[str, ...]) -> None:
    """Remove settings of a profile: their default values count again."""
    _check_one_name(name, profile_name)
    for key in keys:
        check_key(key)
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        before = environment.of_file(config, profile_name)
        members = {key: value for key, value in members_of(before).items() if key not in keys}
        after = from_members(profile_name, members, f"profile {profile_name}")
        editing.change(config, profile_name, {}, keys)
    runtime.terminal.message(f"removed {_and(keys)} of {profile_name} from {config.path}")
    say_what_next(runtime, before, after)


@command.command("default", examples="  tokenctl profile default work")
@_name
@with_runtime
def default(runtime: Runtime, name: str | None, profile_name: str) -> None:
    """Choose the profile that commands use when none is named."""
    _check_one_name(name, profile_name)
    with exclusive_config(runtime.environ):
        config = _read(runtime)
        environment.of_file(config, profile_name)
        editing.set_default(config, profile_name)
    runtime.terminal.message(f"{profile_name} is the default profile now")


@command.command("remove", examples="  tokenctl revoke -p work\n  tokenctl profile remove work")
@_name
@with_runtime
def remove(runtime: Runtime, name: str | None, profile_name: str) -> None:
    """Remove a profile from the config file.

    A profile that is signed in is not removed: its session would stay valid at the server, and nobody could end it.
    """
    _check_one_name(name, profile_name)
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


def _check_one_name(option: str | None, argument: str | None) -> None:
    """Raise UsageError when `-p` names another profile than the argument."""
    if option is not None and argument is not None and option != argument:
        raise UsageError(f"two profiles are named: {argument!r:.70}, and {option!r:.70} with -p", hint="leave -p out")


def _and(names: Sequence[str] | dict[str, Any]) -> str:
    return " and ".join(names)
