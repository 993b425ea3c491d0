"""What can be typed: the command tree as a table that knows no shell."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from tokenctl.cli.grammar import Group, Names
from tokenctl.cli.help import TOPICS
from tokenctl.model.profile import CHECKS
from tokenctl.model.profile_checks import absolute_path, words_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What completes a value: one of `words`, or what `kind` says.

    Kinds: `profile`, `setting` (KEY=VALUE), `key`, `topic` (of `help`), `program` (and its own words), `file`, `text`
    (nothing completes it), `words`.
    """

    kind: str
    metavar: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option: its names, and its value if it takes one. `alone`: nothing else is typed with it, as with `--help`."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    repeatable: bool
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument; `many` when it takes all the words that follow."""

    value: Value
    required: bool
    many: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: its path below `tokenctl`, and what can follow it. `commands` has the name and help of each."""

    path: tuple[str, ...]
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All that can be typed. `settings` are those of a profile, `topics` the pages of `help` with their lines.

    A topic that has the name of a command is only in `commands`, so that the word is offered once.
    """

    commands: tuple[Command, ...]
    settings: tuple[tuple[str, Value], ...]
    topics: tuple[tuple[str, str], ...]


def read(root: click.Group) -> Table:
    """Read the command tree below `root`. It imports every command."""
    commands = tuple(_commands(click.Context(root, **root.context_settings), ()))
    return Table(
        commands=commands,
        settings=tuple((name, _setting(name)) for name in CHECKS),
        topics=tuple((name, line) for name, line in TOPICS.items() if name not in dict(commands[0].commands)),
    )


def _commands(ctx: click.Context, path: tuple[str, ...]) -> Iterator[Command]:
    """Yield the command of `ctx`, then those below it."""
    below = {name: _child(ctx, name) for name in _names(ctx)}
    params = ctx.command.get_params(ctx)
    yield Command(
        path=path,
        options=tuple(_option(each) for each in params if isinstance(each, click.Option) and not each.hidden),
        arguments=tuple(_argument(each) for each in params if isinstance(each, click.Argument)),
        commands=tuple((name, _first_sentence(child.command)) for name, child in below.items()),
    )
    for name, child in below.items():
        yield from _commands(child, (*path, name))


def _names(ctx: click.Context) -> list[str]:
    group = ctx.command
    if not isinstance(group, click.Group):
        return []
    return group.names(ctx) if isinstance(group, Group) else group.list_commands(ctx)


def _child(ctx: click.Context, name: str) -> click.Context:
    group = ctx.command
    command = group.get_command(ctx, name) if isinstance(group, click.Group) else None
    if command is None:
        raise LookupError(name)
    return click.Context(command, info_name=name, parent=ctx, **command.context_settings)


def _first_sentence(command: click.Command) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


def _option(param: click.Option) -> Option:
    takes_value = not param.is_flag and not param.count
    return Option(
        names=tuple(param.opts),
        help=param.help or "",
        value=_value(param, param.opts[-1].strip("-")) if takes_value else None,
        # An option that stands before or after the command is `multiple` so that two of them can be compared.
        repeatable=param.multiple and param.expose_value,
        alone=param.is_eager,
    )


def _argument(param: click.Argument) -> Argument:
    return Argument(value=_value(param, param.name or ""), required=param.required, many=param.nargs == -1)


def _value(param: click.Parameter, name: str) -> Value:
    metavar = param.metavar or name.upper()
    if isinstance(param.type, click.Choice):
        return Value(kind="words", metavar=metavar, words=tuple(map(str, param.type.choices)))
    if isinstance(param.type, Names):
        return Value(kind=param.type.kind, metavar=metavar, words=param.type.words)
    return Value(kind="file" if isinstance(param.type, click.Path) else "text", metavar=metavar)


def _setting(name: str) -> Value:
    words = words_of(CHECKS[name])
    kind = "words" if words else "file" if CHECKS[name] is absolute_path else "text"
    return Value(kind=kind, metavar=name, words=words)
