"""`tokenctl login`: sign in once."""

from typing import TYPE_CHECKING, Any

import click

from tokenctl.cli.grammar import Choice, Command
from tokenctl.cli.options import as_json, positive_seconds, with_runtime
from tokenctl.model.choices import FLOWS, SOURCES, STORES

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

_EXAMPLES = """\
  # asks for what it needs, and saves it as a profile
  tokenctl login
  # the first login with a client that is registered there
  tokenctl login -p work --issuer https://login.example.com --client-id ID \\
      --scope "openid offline_access"
  # every later login
  tokenctl login -p work
  # sign in with another device, for example over SSH
  tokenctl login -p work --flow device
  # a machine, with the client secret from a pipe
  pass show ci | tokenctl login -p ci --issuer https://login.example.com \\
      --client-id ID --flow client-credentials --client-secret-stdin
  # the page on the redirect URI, signing in without a browser, and secrets
  tokenctl help signing-in"""


@click.command("login", cls=Command, examples=_EXAMPLES)
@click.option("--issuer", metavar="URL", help="The authorization server, exactly as in its documentation.")
@click.option("--client-id", metavar="ID", help="The client registered there for this tool.")
@click.option(
    "--scope",
    multiple=True,
    metavar="SCOPE",
    help="Can be repeated, or several in quotes; offline_access asks for a refresh token.",
)
@click.option(
    "--resource", multiple=True, metavar="URL", help="The API that the token is for (RFC 8707); can be repeated."
)
@click.option("--audience", metavar="A", help="The API that the token is for, if the server uses audience.")
@click.option("--flow", type=Choice(FLOWS), help="How to sign in; auto: browser, else device code.")
@click.option(
    "--source",
    type=Choice(SOURCES),
    help="With the flow workload: the source of the job's identity; auto finds the platform.",
)
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="The port of the redirect URI, if the server needs an exact one; 8400 if you can choose.",
)
@click.option(
    "--timeout",
    callback=positive_seconds,
    default="5m",
    metavar="DURATION",
    show_default=True,
    help="How long to wait for the sign-in.",
)
@click.option("--client-secret-stdin", is_flag=True, help="Read the client secret from stdin.")
@click.option("--api-key-stdin", is_flag=True, help="Read the API key (or password) from stdin.")
@click.option("--store", type=Choice(STORES), help="Where the session is kept.")
@click.option(
    "--param",
    multiple=True,
    metavar="K=V",
    help="Another parameter of the authorization request; an empty V leaves one out.",
)
@click.option("--switch-account", is_flag=True, help="Replace the session of another person, client or server.")
@click.option("--if-needed", is_flag=True, help="Do nothing if the session gives a token without a sign-in.")
@as_json
@with_runtime
def command(
    runtime: "Runtime",
    name: str | None,
    no_browser: bool,
    timeout: int,
    client_secret_stdin: bool,
    api_key_stdin: bool,
    switch_account: bool,
    if_needed: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Sign in once; the session goes into the keyring.

    At a terminal it asks for what is missing. The options and answers are saved as that profile when the login succeeds.
    After that, 'tokenctl login -p NAME' is enough.
    """
    from tokenctl.cli.actions.login import log_in

    log_in(
        runtime,
        name,
        options,
        stdin={"--client-secret-stdin": client_secret_stdin, "--api-key-stdin": api_key_stdin},
        no_browser=no_browser,
        timeout=timeout,
        switch_account=switch_account,
        if_needed=if_needed,
        as_json=as_json,
    )
