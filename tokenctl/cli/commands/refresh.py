"""`tokenctl refresh`: renew now."""

from functools import partial
from typing import Any

import click

from tokenctl.broker.renewal import renew_now
from tokenctl.cli.grammar import Command
from tokenctl.cli.options import as_json, each_profile, every, with_runtime
from tokenctl.cli.output import answer
from tokenctl.cli.views import document
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

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
def command(runtime: Runtime, name: str | None, every: bool, as_json: bool, with_api_key: bool) -> int:
    """Renew the session now.

    The access token is renewed even if it is still fresh, for example because your rights have changed.
    """
    renew = partial(_renew, runtime, with_api_key=with_api_key)
    documents, status = each_profile(runtime, renew, signed_in_only=True) if every else ([renew(name)], 0)
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
