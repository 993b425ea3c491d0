"""`tokenctl revoke` (alias `logout`): sign out."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Command
from tokenctl.cli.options import every, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl revoke
  tokenctl revoke -p work
  tokenctl revoke --all
  # only forget the session here, when the server does not revoke
  tokenctl revoke -p work --local"""


@click.command("revoke", cls=Command, examples=_EXAMPLES)
@every
@click.option("--local", is_flag=True, help="Only forget the session here; it stays valid at the server.")
@with_runtime
def command(runtime: "Runtime", name: str | None, every: bool, local: bool) -> int:
    """Sign out: revoke at the server, then forget here.

    If the server cannot be reached or does not revoke, the session is kept: a valid session must not be forgotten. The
    profile stays in the config file; a client secret or an API key that was kept here goes with the session.
    """
    from tokenctl.cli.actions.revoke import sign_out

    return sign_out(runtime, name, every=every, local=local)
