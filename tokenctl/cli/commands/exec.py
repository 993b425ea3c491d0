"""`tokenctl exec`: run a command with a fresh access token in its environment."""

import os

import click

from tokenctl.broker import renewal as broker
from tokenctl.cli.options import min_ttl, warn_if_short, with_runtime
from tokenctl.handoff.environment import child_environment, variables
from tokenctl.handoff.masking import mask
from tokenctl.handoff.process import become, find_program
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime


@click.command("exec", context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option(
    "--env",
    "env",
    multiple=True,
    metavar="NAME[=TEMPLATE]",
    help='Set this variable, such as AUTH="Bearer {access_token}"; may be repeated.',
)
@min_ttl
@click.option(
    "--token-file",
    is_flag=True,
    help="Also keep the token fresh in the file that ACCESS_TOKEN_FILE names, while CMD runs.",
)
@click.argument("words", metavar="-- CMD ARG...", nargs=-1, required=True, type=click.UNPROCESSED)
@with_runtime
def command(
    runtime: Runtime,
    name: str | None,
    env: tuple[str, ...],
    min_ttl: int | None,
    token_file: bool,
    words: tuple[str, ...],
) -> int:
    """Run a command with a fresh access token in its environment.

    It is in ACCESS_TOKEN (or what --env or the profile says), its expiry in ACCESS_TOKEN_EXPIRES_AT,
    in epoch seconds. The exit status is CMD's own; 125: tokenctl failed before CMD started, 126: CMD
    is not executable, 127: there is no CMD.
    """
    program = find_program(words[0], runtime.environ.get("PATH", os.defpath))
    profile = runtime.profile(name)

    def current() -> Session:
        return mask(runtime.environ, runtime.terminal, broker.current(runtime, profile, min_ttl))

    session = current()
    warn_if_short(runtime, session, min_ttl)
    wanted = env or ((profile.env,) if profile.env else ())
    environ = child_environment(runtime.environ, variables(wanted, session), profile.source_variable)
    if token_file:
        # Loaded here: `exec` without a token file does not pay for what it takes.
        from tokenctl.handoff.token_file import run_with_token_file

        return run_with_token_file(
            words,
            program,
            environ,
            session,
            current,
            lambda error: runtime.terminal.warning(
                f"the token file could not be renewed: {getattr(error, 'message', type(error).__name__)}"
            ),
        )
    return become(program, words, environ)
