"""`tokenctl revoke` (alias `logout`): sign out."""

import click

from tokenctl.broker import lifecycle as moving
from tokenctl.cli.options import each_profile, every, with_runtime
from tokenctl.runtime import Runtime


@click.command("revoke")
@every
@click.option("--local", is_flag=True, help="Only forget it here; it stays alive at the server.")
@with_runtime
def command(runtime: Runtime, name: str | None, every: bool, local: bool) -> int:
    """Sign out: revoke at the server, then forget here.

    If the server cannot be reached or does not revoke, the session is kept, so that nothing lives on
    unseen. The profile stays in the config file.
    """

    def revoke(name: str | None) -> None:
        profile = runtime.profile(name)
        if profile.store == "memory":
            runtime.terminal.message(f"{profile.name}: nothing is kept of its tokens, so there is nothing to revoke")
            return
        revoked = moving.revoke(runtime, profile, local=local)
        done = (
            "revoked at the server, and forgotten here"
            if revoked
            else "forgotten here; nothing was revoked at the server"
        )
        runtime.terminal.message(f"{profile.name}: the session is {done}")

    if every:
        return each_profile(runtime, revoke)
    revoke(name)
    return 0
