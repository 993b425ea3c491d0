"""`tokenctl profile`: show and change the profiles of the config file. No command here reads a keyring but `remove`."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import PROFILE, Group, Names, shared_options
from tokenctl.cli.options import as_json, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

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
def list_(runtime: "Runtime", name: str | None, as_json: bool) -> None:
    """List the profiles.

    Who is signed in is not shown, because that needs the keyring: see 'tokenctl show --all'.
    """
    from tokenctl.cli.actions import profile

    profile.list_all(runtime, as_json=as_json)


@command.command("show", examples="  tokenctl profile show work\n  tokenctl profile show work --json")
@click.argument("profile_name", metavar="[NAME]", required=False, type=PROFILE)
@as_json
@with_runtime
def show(runtime: "Runtime", name: str | None, profile_name: str | None, as_json: bool) -> None:
    """Show the settings of a profile, as the config file has them.

    Without NAME: of the profile that -p, TOKENCTL_PROFILE or the config file chooses.
    """
    from tokenctl.cli.actions import profile

    profile.show(runtime, name, profile_name, as_json=as_json)


@command.command(
    "set",
    examples='  tokenctl profile set work scope="openid offline_access api"\n'
    "  # a list is written as words\n"
    '  tokenctl profile set work resource="https://a.example https://b.example"\n'
    "  # one more server that may get the token; hosts-= takes it out again\n"
    "  tokenctl profile set work hosts+=https://api.example.com\n"
    "  # a new NAME makes a profile\n"
    "  tokenctl profile set home issuer=https://login.example.com client_id=ID",
)
@_name
@click.argument("settings", metavar="KEY=VALUE...", nargs=-1, required=True, type=Names("setting"))
@with_runtime
def set_(runtime: "Runtime", name: str | None, profile_name: str, settings: tuple[str, ...]) -> None:
    """Change settings of a profile, or make a new profile.

    KEY+=VALUE adds to a list (scope, resource, hosts), and KEY-=VALUE removes from it.
    'tokenctl help config' explains the settings.
    """
    from tokenctl.cli.actions import profile_changes

    profile_changes.change(runtime, name, profile_name, settings)


@command.command("unset", examples="  tokenctl profile unset work audience")
@_name
@click.argument("keys", metavar="KEY...", nargs=-1, required=True, type=Names("key"))
@with_runtime
def unset(runtime: "Runtime", name: str | None, profile_name: str, keys: tuple[str, ...]) -> None:
    """Remove settings of a profile: their default values count again."""
    from tokenctl.cli.actions import profile_changes

    profile_changes.unset(runtime, name, profile_name, keys)


@command.command("default", examples="  tokenctl profile default work")
@_name
@with_runtime
def default(runtime: "Runtime", name: str | None, profile_name: str) -> None:
    """Choose the profile that commands use when none is named."""
    from tokenctl.cli.actions import profile_changes

    profile_changes.choose(runtime, name, profile_name)


@command.command("remove", examples="  tokenctl revoke -p work\n  tokenctl profile remove work")
@_name
@with_runtime
def remove(runtime: "Runtime", name: str | None, profile_name: str) -> None:
    """Remove a profile from the config file.

    A profile that is signed in is not removed: its session would stay valid at the server, and nobody could end it.
    """
    from tokenctl.cli.actions import profile_changes

    profile_changes.remove(runtime, name, profile_name)
