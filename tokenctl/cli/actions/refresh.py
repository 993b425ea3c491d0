"""What `tokenctl refresh` does: renew now."""

from functools import partial
from typing import Any

from tokenctl.broker.renewal import renew_now
from tokenctl.cli.options import each_profile
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def renew(runtime: Runtime, name: str | None, *, every: bool, as_json: bool, with_api_key: bool) -> int:
    """Renew the session of the profile, or of `every` one that has one. Returns the exit status. Raises TokenctlError."""
    renew_one = partial(_renew, runtime, with_api_key=with_api_key)
    documents, status = each_profile(runtime, renew_one, signed_in_only=True) if every else ([renew_one(name)], 0)
    if as_json:
        answer(document.as_text(documents if every else documents[0]))
    return status


def _renew(runtime: Runtime, name: str | None, *, with_api_key: bool) -> dict[str, Any]:
    vault = vaults.open(runtime, runtime.profile(name))
    session = renew_now(runtime, vault, with_credentials=with_api_key)
    with vault.exclusive():  # narrower tokens can have old rights too
        vault.forget_narrower()
    life = document.life(session.remaining(runtime.time_of(session)))
    runtime.terminal.message(f"renewed {vault.profile.name}; the access token {life}")
    return document.of_session(runtime, vault, session)
