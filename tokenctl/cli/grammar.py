"""What every command and every group has in common: the shared options, the examples in its help, "did you mean".

It knows click and no other part of the program, because `--help` loads it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from tokenctl.errors import did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])

_META = "tokenctl.shared"


class Shared(NamedTuple):
    """The values of the options that stand before or after the command."""

    name: str | None = None
    config_file: str | None = None
    verbose: bool = False
    quiet: bool = False


class Misuse(click.UsageError):
    """Wrong words on the command line, with the next step."""

    def __init__(self, message: str, ctx: click.Context, *, hint: str | None) -> None:
        super().__init__(message, ctx)
        self.hint = hint


def shared(ctx: click.Context) -> Shared:
    """Return the shared options that were given so far, whatever their place in the command line."""
    found: Shared = ctx.meta.get(_META, Shared())
    return found


def _keep(ctx: click.Context, param: click.Parameter, value: tuple[str, ...] | bool | None) -> None:
    """Keep the value for the command, wherever its option stands. Raises BadParameter and Misuse."""
    for each in value if isinstance(value, tuple) else (value,):
        if each not in (None, False):
            _keep_one(ctx, param, each)


def _keep_one(ctx: click.Context, param: click.Parameter, value: str | bool) -> None:
    if isinstance(value, str) and not value.strip():
        raise click.BadParameter(EMPTY, ctx, param)
    before, name = shared(ctx), param.name or ""
    if getattr(before, name) not in (None, False, value):
        raise Misuse(
            f"{param.opts[-1]} is given twice, as {getattr(before, name)!r:.70} and as {value!r:.70}",
            ctx,
            hint="leave one of them out",
        )
    given: dict[str, Any] = {name: value}
    after = before._replace(**given)
    if after.verbose and after.quiet:
        raise Misuse("--verbose and --quiet contradict each other", ctx, hint="leave one of them out")
    ctx.meta[_META] = after


EMPTY = "it is empty; give it a value, or leave the option out"


class Names(click.types.StringParamType):
    """A text that TAB completes. `kind` says with what, as in `completion.table.Value`; `words` are the only ones."""

    def __init__(self, kind: str, *words: str) -> None:
        self.kind, self.words = kind, words


PROFILE = Names("profile")


def shared_options(function: Function) -> Function:
    """Add `-p`, `--config`, `-v` and `-q`. The function does not get their values; `shared` has them."""
    for add in reversed(_SHARED_OPTIONS):
        function = add(function)
    return function


_SHARED_OPTIONS = (
    click.option(
        "-p",
        "--profile",
        "name",
        metavar="NAME",
        multiple=True,
        type=PROFILE,
        callback=_keep,
        expose_value=False,
        help="The profile; else TOKENCTL_PROFILE, or the default one.",
    ),
    click.option(
        "--config",
        "config_file",
        metavar="FILE",
        multiple=True,
        type=Names("file"),
        callback=_keep,
        expose_value=False,
        help="The config file; else TOKENCTL_CONFIG, or the platform's default path.",
    ),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=_keep,
        expose_value=False,
        help="Write each step to stderr (never a secret).",
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        callback=_keep,
        expose_value=False,
        help="Leave out warnings and notes; errors stay.",
    ),
)


class Command(click.Command):
    """A command with examples in its help, and with a hint for a word that it does not expect."""

    def __init__(self, *arguments: Any, examples: str = "", **settings: Any) -> None:
        super().__init__(*arguments, **{"epilog": _epilog(examples), **settings})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options and arguments. Raises click.UsageError."""
        allowed, ctx.allow_extra_args = ctx.allow_extra_args, True
        rest = super().parse_args(ctx, args)
        if rest and not allowed and not ctx.resilient_parsing:
            raise Misuse(f"{rest[0]!r:.70} is one word too many", ctx, hint=_profile_hint(ctx, rest[0]))
        return rest


class CommandWithChild(Command):
    """A command whose last words are another command, after `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options and the child's words. Raises Misuse for `NAME -- CMD`, where a profile's name is meant."""
        given = list(args)
        rest = super().parse_args(ctx, args)
        words: tuple[str, ...] = ctx.params.get("words") or ()
        bare = given[-len(words) - 1 : -len(words)] != ["--"]
        if bare and words[1:2] == ("--",) and not ctx.resilient_parsing:
            hint = _profile_hint(ctx, words[0], " -- CMD ARG...")
            if hint:
                raise Misuse(f"{words[0]!r:.70} is a profile, and the command comes after '--'", ctx, hint=hint)
        return rest


def _profile_hint(ctx: click.Context, word: str, after: str = "") -> str | None:
    """Return the hint to use `-p`, for a word that is a profile's name."""
    from tokenctl.cli.known import profiles

    if not any(each.name == "name" for each in ctx.command.params):
        return None
    known = word in profiles(ctx.obj, shared(ctx).config_file)
    return f"name a profile with -p: {ctx.command_path} -p {word}{after}" if known else None


def _epilog(examples: str) -> str | None:
    return f"\b\nExamples:\n{examples}" if examples else None


class Group(click.Group):
    """A group whose shared options can stand before the command, and which says the nearest name for a wrong one."""

    command_class = Command

    def __init__(self, *arguments: Any, examples: str = "", **settings: Any) -> None:
        super().__init__(*arguments, **{"epilog": _epilog(examples), **settings})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names. Raises Misuse."""
        word = args[0]
        if not ctx.resilient_parsing and not word.startswith("-") and self.get_command(ctx, word) is None:
            hint = self.elsewhere(word) or did_you_mean(word, self.names(ctx))
            if hint is None and self.invoke_without_command:
                hint = _profile_hint(ctx, word)
            raise Misuse(f"there is no command {word!r:.70}", ctx, hint=hint)
        return super().resolve_command(ctx, args)

    def names(self, ctx: click.Context) -> list[str]:
        """List every name of a command that can be typed."""
        return self.list_commands(ctx)

    def elsewhere(self, word: str) -> str | None:
        """Return the hint for a word that other tools have as a command, and this one under another name."""
        return None


class Choice(click.Choice[str]):
    """A choice of words that says the nearest one for a wrong one."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        near = did_you_mean(str(value), self.choices)
        return super().get_invalid_choice_message(value, ctx).removesuffix(".") + (f"; {near}" if near else "")
