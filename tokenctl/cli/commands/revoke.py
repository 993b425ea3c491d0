"""`tokenctl revoke` (alias `logout`): sign out."""

from functools import partial

import click

from tokenctl.broker import lifecycle
from tokenctl.cli.grammar import Command
from tokenctl.cli.options import each_profile, every, with_runtime
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

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
def command(runtime: Runtime, name: str | None, every: bool, local: bool) -> int:
    """Sign out: revoke at the server, then forget here.

    If the server cannot be reached or does not revoke, the session is kept: a valid session must not be forgotten. The
    profile stays in the config file; a client secret or an API key that was kept here goes with the session.
    """
    revoke = partial(_revoke, runtime, local=local)
    if every:
        _, status = each_profile(runtime, revoke, signed_in_only=True)
        return status
    revoke(name)
    return 0


def _revoke(runtime: Runtime, name: str | None, *, local: bool) -> None:
    vault = vaults.open(runtime, runtime.profile(name))
    kept = vault if vault.lasting else vaults.open_kept(runtime, vault.profile)
    if kept is None:
        runtime.terminal.message(f"{vault.profile.name}: its tokens are not kept, so there is nothing to revoke")
        return
    secret, revoked = lifecycle.kept_secret(kept), False
    if local:
        lifecycle.forget(kept)
    else:
        revoked = lifecycle.revoke(runtime, kept)
    done = (
        "revoked at the server, and forgotten here" if revoked else "forgotten here; nothing was revoked at the server"
    )
    runtime.terminal.message(f"{vault.profile.name}: the session is {done}")
    if secret is not None:
        runtime.terminal.message(
            f"{vault.profile.name}: its {secret.name} is forgotten here too; the next login needs it ({secret.option})"
        )
