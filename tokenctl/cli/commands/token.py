"""`tokenctl token`: a fresh access token on stdout."""

import json
from typing import Any

import click

from tokenctl.broker import asked
from tokenctl.cli.grammar import Choice, Command
from tokenctl.cli.options import min_ttl, narrower, wait, warn_if_short, with_runtime
from tokenctl.cli.output import answer
from tokenctl.handoff.masking import mask
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults

_EXAMPLES = """\
  # the token stays out of the list of processes
  tokenctl token --format header | curl -H @- https://api.example.com
  # a token that lives for 10 minutes or more
  tokenctl token -p work --min-ttl 10m
  # a token with fewer rights, and its expiry time
  tokenctl token --scope read --format json"""


@click.command("token", cls=Command, examples=_EXAMPLES)
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
    runtime: Runtime, name: str | None, min_ttl: int | None, wait: int, form: str, target: dict[str, Any]
) -> None:
    """Print a fresh access token, for a pipe.

    The token is renewed first if it would not live long enough. With --format header the answer is a complete
    HTTP header, which curl reads from a pipe with -H @-. With --scope, --resource or --audience it is a narrower
    token; the session does not change. With --wait a job survives a restart of the server.
    """
    vault = vaults.open(runtime, runtime.profile(name))
    session = asked.token_within(runtime, vault, runtime.asked(name) | target, min_ttl, wait)
    mask(runtime.environ, runtime.terminal, session)
    warn_if_short(runtime, session, min_ttl)
    if form == "raw":
        answer(session.access_token)
    elif form == "header":
        answer(f"Authorization: {session.token_type} {session.access_token}")
    else:
        document = {
            "access_token": session.access_token,
            "token_type": session.token_type,
            "expires_at": session.expires_at,
            "expires_in": session.remaining(runtime.time_of(session)),
            "scope": session.scope,
            "profile": vault.profile.name,
        }
        answer(json.dumps(document))
