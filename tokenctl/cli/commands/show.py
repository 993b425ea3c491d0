"""`tokenctl show`: who is signed in, where, for how long; never the token itself."""

from typing import TYPE_CHECKING

import click

from tokenctl.cli.grammar import Command
from tokenctl.cli.options import as_json, every, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  tokenctl show
  tokenctl show --all
  tokenctl show -p work --claims
  tokenctl show --json | jq -r .state"""


@click.command("show", cls=Command, examples=_EXAMPLES)
@every
@as_json
@click.option("--claims", is_flag=True, help="Also the claims of the tokens, decoded but not verified.")
@click.option("--verify", is_flag=True, help="Also whether the issuer signed the tokens.")
@click.option("--introspect", is_flag=True, help="Also the server's introspection of the access token (RFC 7662).")
@with_runtime
def command(
    runtime: "Runtime", name: str | None, every: bool, as_json: bool, claims: bool, verify: bool, introspect: bool
) -> int:
    """Show who is signed in, where, and for how long.

    A token is never shown, only its fingerprint. A profile without a session, or whose session has ended, is shown too;
    the exit status is then 4. With --verify it is 5 when the issuer did not sign a token. With --all a profile that is
    signed out has not failed.
    """
    from tokenctl.cli.actions.show import show

    return show(runtime, name, every=every, as_json=as_json, claims=claims, verify=verify, introspect=introspect)
