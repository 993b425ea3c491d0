"""`tokenctl helper install`, `uninstall` and `status`: set up the clients that call the helpers."""

from typing import TYPE_CHECKING, Any

import click

from tokenctl.cli.grammar import Choice, Command, Group, Names
from tokenctl.cli.options import as_json, with_runtime
from tokenctl.handoff.clients import LINES

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_SAME = {
    **dict.fromkeys(("podman", "skopeo", "buildah"), "docker"),
    **dict.fromkeys(("tofu", "opentofu"), "terraform"),
    **dict.fromkeys(("helm", "k9s", "kubernetes"), "kubectl"),
    **dict.fromkeys(("claude", "claude_code"), "claude-code"),
}
"""A program that reads the configuration of a client -> that client."""


class _Client(Choice):
    """A client of `helper install`. For a program that reads the file of one, and for others, the message says more."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Say which clients there are, and which one is meant."""
        same = _SAME.get(str(value).lower())
        more = f"; for {value} it is {same!r}" if same else "; 'tokenctl help helpers' has others"
        return super().get_invalid_choice_message(value, ctx) + more


_client = click.argument("client", metavar="NAME", type=_Client(list(LINES)))
_host = click.option(
    "--host",
    "origin",
    metavar="ORIGIN",
    required=True,
    help="The server that gets the token, such as https://git.example.com.",
)
_file = click.option(
    "--config-file",
    "file",
    metavar="FILE",
    type=Names("file"),
    help="The client's file; else the one that it reads by itself.",
)


@click.command(
    "install",
    cls=Command,
    examples="  tokenctl helper install git --host https://git.example.com\n"
    "  tokenctl helper install docker --dry-run --host https://registry.example.com\n"
    "  tokenctl helper install kubectl --host https://cluster.example.com -p work",
)
@_client
@_host
@_file
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option("--replace", is_flag=True, help="Replace another helper of the same server.")
@with_runtime
def install(
    runtime: "Runtime", name: str | None, client: str, origin: str, file: str | None, dry_run: bool, replace: bool
) -> None:
    """Set a client up, so that it gets its token from tokenctl.

    Writes the client's own configuration file, and keeps everything else in it as it is. The server is added to the
    hosts of the profile: the one of -p, else the one that has the server already, else the default one.
    """
    from tokenctl.cli.actions import helper_install

    asked = helper_install.asked(client, origin, name, file, replace=replace)
    helper_install.install(runtime, asked, dry_run=dry_run)


@click.command("uninstall", cls=Command, examples="  tokenctl helper uninstall git --host https://git.example.com")
@_client
@_host
@_file
@with_runtime
def uninstall(runtime: "Runtime", name: str | None, client: str, origin: str, file: str | None) -> None:
    """Undo 'helper install'.

    The client's file is as it was before; where somebody has changed it since, only our helper is removed. The server
    is removed from the hosts of the profile if install added it, and no other helper needs it.
    """
    from tokenctl.cli.actions import helper_install

    helper_install.uninstall(runtime, helper_install.asked(client, origin, name, file))


@click.command(
    "status", cls=Command, examples="  tokenctl helper status\n  tokenctl helper status --json | jq '.[].answers'"
)
@as_json
@with_runtime
def status(runtime: "Runtime", name: str | None, as_json: bool) -> None:
    """Show what is installed, and whether it would get a token."""
    from tokenctl.cli.actions import helper_status

    helper_status.show(runtime, name, as_json=as_json)


def add_to(group: Group) -> None:
    """Add the commands to the group `helper`."""
    for each in (install, uninstall, status):
        group.add_command(each)
