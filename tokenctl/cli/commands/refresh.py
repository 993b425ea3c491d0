"""`tokenctl refresh`: renew now."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Command
from tokenctl.cli.options import as_json, every, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl refresh
  tokenctl refresh -p work
  tokenctl refresh --all"""


@click.command("refresh", cls=Command, examples=_EXAMPLES)
@every
@as_json
@click.option(
    "--with-api-key", is_flag=True, help="Sign in again with the API key, or with the machine's own credentials."
)
@with_runtime
def command(runtime: "Runtime", name: str | None, every: bool, as_json: bool, with_api_key: bool) -> int:
    """Renew the session now.

    The access token is renewed even if it is still fresh, for example because your rights have changed.
    """
    from tokenctl.cli.actions.refresh import renew

    return renew(runtime, name, every=every, as_json=as_json, with_api_key=with_api_key)
