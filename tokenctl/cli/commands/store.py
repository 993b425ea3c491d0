"""`tokenctl store`: show where a session is kept, or move it to another store."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Choice, Group, shared_options
from tokenctl.cli.options import as_json, every, with_runtime
from tokenctl.model.choices import LASTING_STORES

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl store show
  tokenctl store migrate -p work --to keyring"""


@click.group("store", cls=Group, examples=_EXAMPLES)
@shared_options
def command() -> None:
    """Show where sessions are kept, or move one."""


@command.command("show", examples="  tokenctl store show\n  tokenctl store show --all --json")
@every
@as_json
@with_runtime
def show(runtime: "Runtime", name: str | None, every: bool, as_json: bool) -> int:
    """Show where the profile's session is kept.

    Also shows whether the session can be read there, and whether a renewed session is not there yet.
    """
    from tokenctl.cli.actions.store import show

    return show(runtime, name, every=every, as_json=as_json)


@command.command(
    "migrate", examples="  tokenctl store migrate --to file\n  tokenctl store migrate -p work --to keyring"
)
@click.option(
    "--to",
    "kind",
    type=Choice(LASTING_STORES),
    required=True,
    help="The new store of the session.",
)
@with_runtime
def migrate(runtime: "Runtime", name: str | None, kind: str) -> None:
    """Move the profile's session to another store.

    The session is written to the new store and read back before it is removed from the old one. The profile in the
    config file is changed too.
    """
    from tokenctl.cli.actions.store_migrate import migrate

    migrate(runtime, name, kind)
