"""`tokenctl token`: a fresh access token on stdout."""

import json

import click

from tokenctl import broker
from tokenctl.commands.options import min_ttl, with_runtime
from tokenctl.handoff.masking import mask
from tokenctl.runtime import Runtime
from tokenctl.stdout import answer


@click.command("token")
@min_ttl
@click.option(
    "--format",
    "form",
    type=click.Choice(["raw", "header", "json"]),
    default="raw",
    show_default=True,
    help="What to print.",
)
@with_runtime
def command(runtime: Runtime, name: str | None, min_ttl: int | None, form: str) -> None:
    """Print a fresh access token, for a pipe.

    It is renewed first if it would not live long enough. With --format header the answer is a whole
    HTTP header: curl -H "$(tokenctl token --format header)" URL.
    """
    profile = runtime.profile(name)
    session = mask(runtime.environ, runtime.terminal, broker.current(runtime, profile, min_ttl))
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
            "profile": profile.name,
        }
        answer(json.dumps(document))
