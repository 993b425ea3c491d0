"""`tokenctl token`: a fresh access token on stdout."""

from typing import TYPE_CHECKING, Any

import click

from tokenctl.cli.grammar import Choice, Command
from tokenctl.cli.options import min_ttl, narrower, wait, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  # the token stays out of the list of processes
  tokenctl token --format header | curl -H @- https://api.example.com
  # a token that lives for 10 minutes or more
  tokenctl token -p work --min-ttl 10m
  # the token of the profile that is for this server, if one is
  tokenctl token --for https://api.example.com
  # a token with fewer rights, and its expiry time
  tokenctl token --scope read --format json"""


@click.command("token", cls=Command, examples=_EXAMPLES)
@click.option(
    "--for",
    "url",
    metavar="URL",
    help="The token for this server: of the profile whose 'hosts' has it; no token for any other one.",
)
@min_ttl
@wait
@click.option(
    "--format",
    "form",
    type=Choice(["raw", "header", "json"]),
    default="raw",
    show_default=True,
    help="What to print.",
)
@narrower
@with_runtime
def command(
    runtime: "Runtime",
    name: str | None,
    url: str | None,
    min_ttl: int | None,
    wait: int,
    form: str,
    target: dict[str, Any],
) -> None:
    """Print a fresh access token, for a pipe.

    The token is renewed first if it would not live long enough. With --format header the answer is a complete
    HTTP header, which curl reads from a pipe with -H @-. With --scope, --resource or --audience it is a narrower
    token; the session does not change. With --wait a job survives a restart of the server.
    """
    from tokenctl.cli.actions.token import print_token

    print_token(runtime, name, min_ttl, wait, form, target, url)
