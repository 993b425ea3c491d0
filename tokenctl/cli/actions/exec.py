"""What `tokenctl exec` does: run a command with a fresh access token in its environment."""

import os
from typing import Any

from tokenctl.cli.actions.fresh import fresh_session
from tokenctl.cli.known import profiles
from tokenctl.errors import UsageError
from tokenctl.handoff.child import Child, NotFound, find_program, replace_process
from tokenctl.handoff.environment import child_environment, of_session, variables
from tokenctl.model.session_state import older_access_tokens
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


def run_child(
    runtime: Runtime,
    name: str | None,
    words: tuple[str, ...],
    *,
    env: tuple[str, ...],
    target: dict[str, Any],
    min_ttl: int | None = None,
    wait: int = 0,
    token_file: bool = False,
    on_refresh: int | None = None,
) -> int:
    """Run the command `words` with a token, and return its exit status. On POSIX this process becomes the command.

    Raises TokenctlError.
    """
    if on_refresh is not None and not token_file:
        raise UsageError(
            "--on-refresh needs --token-file: without it tokenctl becomes CMD, and nothing renews the token",
            hint="add --token-file, and let CMD read the file that ACCESS_TOKEN_FILE names again when the signal comes",
        )
    program = program_of(runtime, words[0])
    profile = runtime.profile(name)
    vault = vaults.open(runtime, profile)
    target = runtime.asked(profile) | target
    session = fresh_session(runtime, vault, target, min_ttl, wait)
    wanted = env or ((profile.env,) if profile.env else ())
    environ = child_environment(runtime.environ, {}, profile.source_variable)
    if not token_file:
        if session.expires_at is not None and older_access_tokens(profile, session) == "ended":
            runtime.terminal.message(
                "a renewal at this server ends the older access token: for a long command use exec --token-file"
            )
        environ |= variables(wanted, of_session(session))
        return replace_process(Child(program=program, words=words, environ=environ))
    from tokenctl.handoff.token_file import Kept, run_with_token_file

    kept = Kept(vault=vault, session=session, min_ttl=min_ttl, target=target)
    child = Child(program=program, words=words, environ=environ)
    return run_with_token_file(runtime, kept, child, wanted, on_refresh)


def program_of(runtime: Runtime, word: str) -> str:
    """Find the command's file. Raises NotFound or NotExecutable, with the right command where a profile was named."""
    try:
        return find_program(word, runtime.environ.get("PATH", os.defpath))
    except NotFound as error:
        if word in profiles(runtime, None):
            error.hint = f"name a profile with -p: tokenctl exec -p {word} -- CMD ARG..."
        raise
