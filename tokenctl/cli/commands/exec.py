"""`tokenctl exec`: run a command with a fresh access token in its environment."""

import os
from typing import Any

import click

from tokenctl.adapters import signals
from tokenctl.broker import asked
from tokenctl.cli.grammar import CommandWithChild, Names
from tokenctl.cli.known import profiles
from tokenctl.cli.options import min_ttl, narrower, wait, warn_if_short, with_runtime
from tokenctl.errors import UsageError
from tokenctl.handoff.child import Child, NotFound, find_program, replace_process
from tokenctl.handoff.environment import child_environment, variables
from tokenctl.handoff.masking import mask
from tokenctl.model.session_state import older_access_tokens
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def on_refresh(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read what to do after a renewal, `signal:NAME`, as the signal's number. Raises click.BadParameter."""
    if value is None:
        return None
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
  tokenctl exec --token-file -- ./long-job"""


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
@click.argument("words", metavar="-- CMD ARG...", nargs=-1, required=True, type=Names("program"))
@with_runtime
def command(
    runtime: Runtime,
    name: str | None,
    env: tuple[str, ...],
    min_ttl: int | None,
    wait: int,
    target: dict[str, Any],
    token_file: bool,
    on_refresh: int | None,
    words: tuple[str, ...],
) -> int:
    """Run a command with a fresh access token in its environment.

    The token is in ACCESS_TOKEN (or in the variables of --env or the profile). Its expiry time is in
    ACCESS_TOKEN_EXPIRES_AT, in epoch seconds. The exit status is CMD's own; 125: tokenctl failed before CMD
    started, 126: CMD is not executable, 127: there is no CMD.
    """
    if on_refresh is not None and not token_file:
        raise UsageError(
            "--on-refresh needs --token-file: without it tokenctl becomes CMD, and nothing renews the token",
            hint="add --token-file, and let CMD read the file that ACCESS_TOKEN_FILE names again when the signal comes",
        )
    program = _program(runtime, words[0])
    profile = runtime.profile(name)
    vault = vaults.open(runtime, profile)
    target = runtime.asked(name) | target
    session = asked.token_within(runtime, vault, target, min_ttl, wait)
    mask(runtime.environ, runtime.terminal, session)
    warn_if_short(runtime, session, min_ttl)
    wanted = env or ((profile.env,) if profile.env else ())
    environ = child_environment(runtime.environ, variables(wanted, session), profile.source_variable)
    child = Child(program=program, words=words, environ=environ)
    if not token_file:
        if session.expires_at is not None and older_access_tokens(profile, session) == "ended":
            runtime.terminal.message(
                "a renewal at this server ends the older access token: for a long command use exec --token-file"
            )
        return replace_process(child)
    from tokenctl.handoff.token_file import Kept, run_with_token_file

    kept = Kept(vault=vault, session=session, min_ttl=min_ttl, target=target)
    return run_with_token_file(runtime, kept, child, on_refresh)


def _program(runtime: Runtime, word: str) -> str:
    try:
        return find_program(word, runtime.environ.get("PATH", os.defpath))
    except NotFound as error:
        if word in profiles(runtime, None):
            error.hint = f"name a profile with -p: tokenctl exec -p {word} -- CMD ARG..."
        raise
