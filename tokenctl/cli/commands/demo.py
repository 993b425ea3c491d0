"""`tokenctl demo`: the whole life of a session, without an account."""

import click

from tokenctl.cli.grammar import Command

_EXAMPLES = """\
  tokenctl demo
  # then try the commands that it prints, in another terminal
  tokenctl demo --serve"""


@click.command("demo", cls=Command, examples=_EXAMPLES)
@click.option("--serve", is_flag=True, help="Keep the server running, to try the commands yourself.")
@click.option(
    "--host",
    metavar="ADDRESS",
    help="With --serve: the loopback address (default 127.0.0.1).",
)
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="With --serve: this port.")
def command(serve: bool, host: str | None, port: int | None) -> None:
    """See the whole life of a session, without an account.

    It needs no keyring either. An authorization server for the demo runs on this machine for a few seconds. The real
    commands sign in, renew and sign out, in a temporary store. Your own sessions are not changed.
    """
    from tokenctl.cli.actions.demo import run

    run(host, port, serve=serve)
