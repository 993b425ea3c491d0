"""`tokenctl token`: a fresh access token on stdout."""

import json

import click

from tokenctl.broker import asked
from tokenctl.cli.grammar import Choice, Command
from tokenctl.cli.options import min_ttl, warn_if_short, with_runtime
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
@click.option(
    "--format",
    "form",
    type=Choice(["raw", "header", "json"]),
    default="raw",
    show_default=True,
    help="What to print.",
)
@click.option("--scope", multiple=True, metavar="SCOPE", help="A token with fewer rights than the session's.")
@click.option("--resource", multiple=True, metavar="URL", help="A token for this API alone (RFC 8707).")
@click.option("--audience", metavar="A", help="A token for this API, by token exchange (RFC 8693).")
@with_runtime
def command(
    runtime: Runtime,
    name: str | None,
    min_ttl: int | None,
    form: str,
    scope: tuple[str, ...],
    resource: tuple[str, ...],
    audience: str | None,
) -> None:
    """Print a fresh access token, for a pipe.

    The token is renewed first if it would not live long enough. With --format header the answer is a complete
    HTTP header, which curl reads from a pipe with -H @-. With --scope, --resource or --audience it is a narrower
    token; the session does not change.
    """
    vault = vaults.open(runtime, runtime.profile(name))
    options = {"scope": " ".join(" ".join(scope).split()), "resource": resource, "audience": audience}
    target = runtime.asked(name) | {name: value for name, value in options.items() if value}
    session = asked.token(runtime, vault, target, min_ttl)
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
