"""`tokenctl helper`: speak the credential protocol of another tool, and set that tool up."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.commands import helper_setup
from tokenctl.cli.grammar import Command, Group
from tokenctl.cli.options import with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl helper install git --host https://git.example.com
  tokenctl helper status
  tokenctl help helpers          one line for each client"""


@click.group("helper", cls=Group, examples=_EXAMPLES, invoke_without_command=True)
@with_runtime
@click.pass_context
def command(ctx: click.Context, runtime: "Runtime", name: str | None) -> None:
    """Give tokens to git, docker, kubectl and other tools.

    A client calls a helper by itself, as its configuration says. 'tokenctl helper install' writes that configuration.
    Without a command: list the clients, and what is installed.
    """
    if ctx.invoked_subcommand is None:
        from tokenctl.cli.actions import helper_status

        helper_status.overview(runtime)


def _helper(name: str, line: str) -> None:
    @command.command(
        name,
        cls=Command,
        help=f"{line[0].upper()}{line[1:]}.",
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    @with_runtime
    def speak(runtime: "Runtime", name: str | None, words: tuple[str, ...]) -> int:
        from tokenctl.cli.actions import helper

        return helper.speak(runtime, name, here, words)

    here = name


def _add_helpers() -> None:
    from tokenctl.handoff.helpers import LINES

    for name, line in LINES.items():
        _helper(name, line)


_add_helpers()
helper_setup.add_to(command)
