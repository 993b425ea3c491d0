"""What `tokenctl exec --proxy` does: run a command that gets no token, but a proxy that has it."""

from typing import Any

from tokenctl.cli.actions.exec import program_of
from tokenctl.cli.actions.fresh import fresh_session
from tokenctl.cli.actions.proxy import Wanted, profile_of, proxy_of
from tokenctl.errors import explained_on
from tokenctl.handoff.child import Child
from tokenctl.handoff.environment import child_environment
from tokenctl.handoff.live_token import LiveToken
from tokenctl.handoff.proxied import run_with_proxy
from tokenctl.runtime import Runtime
from tokenctl.storage import vault as vaults


@explained_on("proxy")
def run_proxied(
    runtime: Runtime,
    name: str | None,
    words: tuple[str, ...],
    wanted: Wanted,
    *,
    env: tuple[str, ...],
    target: dict[str, Any],
    min_ttl: int | None,
    wait: int,
) -> int:
    """Run the command `words` beside a proxy, and return its exit status.

    That there is a token is found out before it starts. Raises TokenctlError.
    """
    program = program_of(runtime, words[0])
    profile = profile_of(runtime, name, wanted)
    proxy = proxy_of(profile, wanted)
    vault = vaults.open(runtime, profile)
    target = runtime.asked(profile) | target
    fresh_session(runtime, vault, target, min_ttl, wait)
    live = LiveToken(runtime, profile, target, min_ttl, vault)
    environ = child_environment(runtime.environ, {}, profile.source_variable)
    child = Child(program=program, words=words, environ=environ)
    return run_with_proxy(runtime, live, proxy, child, env or ((profile.env,) if profile.env else ()))
