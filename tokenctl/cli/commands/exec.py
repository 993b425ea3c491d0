"""`tokenctl exec`: run a command with a fresh access token in its environment."""

import os
from typing import Any

import click

from tokenctl.broker import asked
from tokenctl.cli.grammar import CommandWithChild, words_of_child
from tokenctl.cli.known import profiles
from tokenctl.cli.options import min_ttl, warn_if_short, with_runtime
from tokenctl.handoff.child import Child, NotFound, find_program, replace_process
from tokenctl.handoff.environment import child_environment, variables
from tokenctl.handoff.masking import mask
from tokenctl.model.session import Session
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults
from tokenctl.storage.vault import Vault

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
@click.option(
    "--token-file",
    is_flag=True,
    help="Also keep the token fresh in the file that ACCESS_TOKEN_FILE names, while CMD runs.",
)
@click.argument(
    "words", metavar="-- CMD ARG...", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=words_of_child
)
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

    The token is in ACCESS_TOKEN (or in the variables of --env or the profile). Its expiry time is in
    ACCESS_TOKEN_EXPIRES_AT, in epoch seconds. The exit status is CMD's own; 125: tokenctl failed before CMD
    started, 126: CMD is not executable, 127: there is no CMD.
    """
    program = _program(runtime, words[0])
    profile = runtime.profile(name)
    vault = vaults.open(runtime, profile)
    target = runtime.asked(name)
    session = mask(runtime.environ, runtime.terminal, asked.token(runtime, vault, target, min_ttl))
    warn_if_short(runtime, session, min_ttl)
    wanted = env or ((profile.env,) if profile.env else ())
    environ = child_environment(runtime.environ, variables(wanted, session), profile.source_variable)
    child = Child(program=program, words=words, environ=environ)
    if token_file:
        return _with_token_file(runtime, vault, session, target, min_ttl, child)
    return replace_process(child)


def _program(runtime: Runtime, word: str) -> str:
    try:
        return find_program(word, runtime.environ.get("PATH", os.defpath))
    except NotFound as error:
        if word in profiles(runtime, None):
            error.hint = f"name a profile with -p: tokenctl exec -p {word} -- CMD ARG..."
        raise


def _with_token_file(
    runtime: Runtime, vault: Vault, session: Session, target: dict[str, Any], min_ttl: int | None, child: Child
) -> int:
    from tokenctl.handoff.token_file import run_with_token_file

    return run_with_token_file(runtime, vault, session, min_ttl, child, target)
