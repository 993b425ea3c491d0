"""What `tokenctl revoke` does: sign out."""

from functools import partial

from tokenctl.broker import lifecycle
from tokenctl.cli.options import each_profile
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def sign_out(runtime: Runtime, name: str | None, *, every: bool, local: bool) -> int:
    """Sign out of the profile, or of `every` one; only here if `local`. Returns the exit status. Raises TokenctlError."""
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
