"""The options that commands share, and the decorator that gives a command its runtime.

`--help` loads it, so the runtime and the records are imported when a command runs.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tokenctl.cli.grammar import EMPTY, Misuse, shared, shared_options
from tokenctl.errors import TokenctlError

if TYPE_CHECKING:
    from tokenctl.runtime import Runtime

Result = TypeVar("Result")


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read an option's duration, such as 90, 90s, 15m, 2h, 7d or 1h30m, as seconds. Raises click.BadParameter."""
    from tokenctl.model.profile_checks import duration

    try:
        return None if value is None else duration(value)
    except TokenctlError as error:
        raise click.BadParameter(f"{value!r} is not a duration: {error.hint}") from None


def positive_seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a duration that must not be 0, as seconds. Raises click.BadParameter."""
    found = seconds(ctx, param, value)
    if found == 0:
        raise click.BadParameter(f"{value!r} must be more than 0 seconds")
    return found


def runtime_of(ctx: click.Context) -> "Runtime":
    """Return the runtime of this run, with the shared options that were given so far."""
    from tokenctl.runtime import Runtime

    given = shared(ctx)
    if isinstance(ctx.obj, Runtime):
        runtime = ctx.obj
        runtime.config_file = given.config_file or runtime.config_file
    else:
        runtime = Runtime(config_file=given.config_file)
    runtime.terminal.verbose, runtime.terminal.quiet = given.verbose, given.quiet
    return runtime


_WITHOUT_NOTICE = ("audit", "doctor", "helper")
"""The commands that say more about an anomaly than the notice of a new one; and the helpers, which only say what a client
reads."""


def with_runtime(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared options, and call the command with `runtime` and the profile's `name`."""

    @shared_options
    @click.pass_context
    def wrapper(ctx: click.Context, /, **rest: Any) -> Any:
        _refuse_empty(ctx)
        if rest.get("every") and shared(ctx).name is not None:
            raise Misuse("--all and --profile contradict each other", ctx, hint="leave one of them out")
        runtime = runtime_of(ctx)
        if ctx.find_root().invoked_subcommand not in _WITHOUT_NOTICE:
            from tokenctl.cli import due

            due.tell(runtime)
        return ctx.invoke(function, runtime=runtime, name=shared(ctx).name, **rest)

    return update_wrapper(wrapper, function)


def _refuse_empty(ctx: click.Context) -> None:
    """Raise BadParameter for an option with an empty text, which is often an unset variable of a script.

    To treat it as absent would be wrong: `token --scope "$UNSET"` would print a token with all the session's rights.
    """
    for param in ctx.command.params:
        value = ctx.params.get(param.name or "")
        texts = value if isinstance(value, tuple) else (value,)
        if isinstance(param, click.Option) and any(isinstance(each, str) and not each.strip() for each in texts):
            raise click.BadParameter(EMPTY, ctx, param)


min_ttl = click.option(
    "--min-ttl",
    callback=seconds,
    metavar="DURATION",
    help="Renew if the token lives for less than this, such as 90, 15m or 1h30m (default 60s); at most half of the"
    " token's lifetime.",
)
wait = click.option(
    "--wait",
    callback=seconds,
    default="0",
    metavar="DURATION",
    help="Try again for this long if the server cannot be reached or the session is locked (exit status 6 and 7).",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Answer with JSON on stdout.")
every = click.option("--all", "every", is_flag=True, help="Every profile of the config file.")


allow = click.option(
    "--allow",
    multiple=True,
    metavar="'METHOD /PREFIX'",
    help="Let only these requests pass the proxy, such as 'GET /v1' or '* /v1'; can be repeated.",
)
bind = click.option(
    "--bind", is_flag=True, help="Let the proxy's server get the token in this run, though it is not in 'hosts'."
)


_NARROWER = (
    click.option("--scope", multiple=True, metavar="SCOPE", help="A token with fewer rights than the session's."),
    click.option("--resource", multiple=True, metavar="URL", help="A token for this API alone (RFC 8707)."),
    click.option("--audience", metavar="A", help="A token for this API, by token exchange (RFC 8693)."),
)


def narrower(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--scope`, `--resource` and `--audience`, and call the command with the `target` that they make."""

    def wrapper(*, scope: tuple[str, ...], resource: tuple[str, ...], audience: str | None, **rest: Any) -> Any:
        options = {"scope": " ".join(" ".join(scope).split()), "resource": resource, "audience": audience}
        return function(target={name: value for name, value in options.items() if value}, **rest)

    made: Callable[..., Any] = update_wrapper(wrapper, function)
    for option in reversed(_NARROWER):
        made = option(made)
    return made


def each_profile(
    runtime: "Runtime", action: Callable[[str], Result], *, signed_in_only: bool = False
) -> tuple[list[Result], int]:
    """Call `action` for every profile, and return the results, and the first failure's exit status or 0.

    A failure is written to stderr, and the next profile follows; a hint that several have is written once. With
    `signed_in_only` it is no failure that a profile has no session.
    """
    from tokenctl.model.session_state import LoggedOut

    results: list[Result] = []
    logged_out: list[str] = []
    hinted: set[str | None] = set()
    status = 0
    names = list(runtime.config.profiles)
    with runtime.terminal.progressing():
        for name in runtime.terminal.counted(names, "profiles"):
            try:
                results.append(action(name))
            except TokenctlError as error:
                if signed_in_only and isinstance(error, LoggedOut):
                    logged_out.append(name)
                    continue
                runtime.terminal.error(
                    f"{name}: {error.message}", None if error.next_step in hinted else error.next_step
                )
                hinted.add(error.next_step)
                status = status or error.exit_status
    if logged_out:
        runtime.terminal.message(f"not signed in, and passed over: {', '.join(logged_out)}")
    if not names:
        runtime.terminal.message(f"there is no profile in {runtime.config.path}")
    return results, status
