"""`tokenctl exec`: run a command with a fresh access token in its environment."""

from typing import TYPE_CHECKING, Any

import click

from tokenctl.cli.grammar import CommandWithChild, Names
from tokenctl.cli.options import allow, bind, min_ttl, narrower, wait, with_runtime

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime


def on_refresh(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read what to do after a renewal, `signal:NAME`, as the signal's number. Raises click.BadParameter."""
    if value is None:
        return None
    from tokenctl.adapters import signals
    from tokenctl.errors import UsageError

    kind, _, signal = value.partition(":")
    if kind != "signal":
        raise click.BadParameter(f"{value!r:.60} is not written as signal:NAME, such as signal:HUP")
    try:
        return signals.number_of(signal)
    except UsageError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}") from None


_EXAMPLES = """\
  # the token is in ACCESS_TOKEN
  tokenctl exec -- ./deploy.sh
  # the token is in GITHUB_TOKEN
  tokenctl exec -p work --env GITHUB_TOKEN -- gh repo list
  # the token stays fresh in the file that ACCESS_TOKEN_FILE names
  tokenctl exec --token-file -- ./long-job
  # the same, with the variable that a library looks for
  tokenctl exec --token-file --env AZURE_FEDERATED_TOKEN_FILE="{token_file}" -- ./job
  # the command never gets the token, and can send it to this server alone
  tokenctl exec --proxy https://api.example.com --env OPENAI_BASE_URL="{proxy_url}/v1" \\
    --env OPENAI_API_KEY="{proxy_secret}" -- ./agent"""


@click.command(
    "exec",
    cls=CommandWithChild,
    examples=_EXAMPLES,
    context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False},
)
@click.option(
    "--env",
    "env",
    multiple=True,
    metavar="NAME[=TEMPLATE]",
    help='Set this variable, such as AUTH="Bearer {access_token}"; can be repeated.',
)
@min_ttl
@wait
@narrower
@click.option(
    "--token-file",
    is_flag=True,
    help="Also keep the token fresh in the file that ACCESS_TOKEN_FILE names, while CMD runs.",
)
@click.option(
    "--on-refresh",
    callback=on_refresh,
    type=Names("words", "signal:HUP", "signal:USR1", "signal:USR2"),
    metavar="signal:NAME",
    help="With --token-file: send CMD this signal when the file has a new token, such as signal:HUP.",
)
@click.option(
    "--proxy",
    "url",
    metavar="URL",
    help="Give CMD no token, but a proxy to this server: its address in ACCESS_PROXY_URL, its secret as the token.",
)
@allow
@bind
@click.argument("words", metavar="-- CMD ARG...", nargs=-1, required=True, type=Names("program"))
@with_runtime
def command(
    runtime: "Runtime",
    name: str | None,
    env: tuple[str, ...],
    min_ttl: int | None,
    wait: int,
    target: dict[str, Any],
    token_file: bool,
    on_refresh: int | None,
    url: str | None,
    allow: tuple[str, ...],
    bind: bool,
    words: tuple[str, ...],
) -> int:
    """Run a command with a fresh access token in its environment.

    The token is in ACCESS_TOKEN (or in the variables of --env or the profile). Its expiry time is in
    ACCESS_TOKEN_EXPIRES_AT, in epoch seconds. The exit status is CMD's own; 125: tokenctl failed before CMD
    started, 126: CMD is not executable, 127: there is no CMD.

    With --proxy tokenctl stays, and forwards CMD's requests to one server with the token: 'tokenctl help proxy'.
    """
    if url is not None:
        from tokenctl.cli.actions.exec_proxied import run_proxied
        from tokenctl.cli.actions.proxy import Wanted

        if token_file or on_refresh is not None:
            raise click.UsageError("--proxy contradicts --token-file and --on-refresh: with a proxy CMD gets no token")
        return run_proxied(
            runtime, name, words, Wanted(url, bind, allow), env=env, target=target, min_ttl=min_ttl, wait=wait
        )
    if allow or bind:
        raise click.UsageError("--allow and --bind are for a proxy: add --proxy URL, or leave them out")
    from tokenctl.cli.actions.exec import run_child

    return run_child(
        runtime,
        name,
        words,
        env=env,
        target=target,
        min_ttl=min_ttl,
        wait=wait,
        token_file=token_file,
        on_refresh=on_refresh,
    )
