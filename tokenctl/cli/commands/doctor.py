"""`tokenctl doctor`: find out why it does not work here."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Command
from tokenctl.cli.options import as_json, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl doctor
  tokenctl doctor -p work --offline
  tokenctl doctor --json > report.json"""


@click.command("doctor", cls=Command, examples=_EXAMPLES)
@click.option("--offline", is_flag=True, help="Send nothing over the network, and leave out what needs it.")
@click.option("--write-test", is_flag=True, help="Also write a probe entry to the keyring, read it and remove it.")
@as_json
@with_runtime
def command(runtime: "Runtime", name: str | None, offline: bool, write_test: bool, as_json: bool) -> int:
    """Find out why it does not work here, and what to do.

    Nothing is changed: no token is renewed, no browser is opened, and no secret is shown or sent. The exit status is the
    one that 'tokenctl token' would end with. The answer of --json can be put into a bug report.
    """
    from tokenctl.cli.actions.doctor import examine

    return examine(runtime, name, offline=offline, write_test=write_test, as_json=as_json)
