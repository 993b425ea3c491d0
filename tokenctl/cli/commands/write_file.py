"""`tokenctl write-file`: a fresh access token alone in a file."""

from typing import TYPE_CHECKING, Any

import click

from tokenctl.cli.grammar import Command, Names
from tokenctl.cli.options import min_ttl, narrower, wait, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  # for a program that reads a token file, such as the AWS and Azure libraries
  tokenctl write-file -p ci ~/.cache/ci-token
  # a token that lives for 30 minutes or more
  tokenctl write-file -p ci --min-ttl 30m ~/.cache/ci-token"""


@click.command("write-file", cls=Command, examples=_EXAMPLES)
@click.argument("path", metavar="PATH", type=Names("file"))
@min_ttl
@wait
@narrower
@with_runtime
def command(
    runtime: "Runtime", name: str | None, path: str, min_ttl: int | None, wait: int, target: dict[str, Any]
) -> None:
    """Write a fresh access token into a file.

    It is for a program that reads one. The file has the token alone, without a newline. Only you can read it (mode
    0600). It is replaced in one step; after a failure the old file is there. PATH must be a plain file or a free name;
    a link is refused.

    The token in the file ends like every other: run the command again before that, or use 'tokenctl exec
    --token-file', which keeps a file fresh while a command runs.
    """
    from tokenctl.cli.actions.write_file import write_token

    write_token(runtime, name, path, min_ttl, wait, target)
