"""The table in the words of fish: a line of `complete` for each command, option and argument."""

import re
from collections.abc import Iterable, Iterator

from tokenctl.cli.completion.table import Argument, Command, Option, Table, Value


def tables(table: Table) -> str:
    """Write the lists that the functions of the script use, and the lines of `complete`."""
    lists = {
        "__tokenctl_commands": [" ".join(each.path) for each in table.commands if each.path],
        "__tokenctl_takes_value": [_takes_value(table)],
        "__tokenctl_settings": [name for name, _ in table.settings],
        "__tokenctl_setting_values": [f"{name}={word}" for name, value in table.settings for word in value.words],
    }
    head = "".join(f"set -g {name} {' '.join(map(_quoted, words))}\n" for name, words in lists.items())
    files = "|".join(name for name, value in table.settings if value.kind == "file")
    lines = [line for each in table.commands for line in (*_commands(each), *_options(each), *_arguments(each, files))]
    lines += _helps((), table.topics)
    return head + "".join(f"{line}\n" for line in lines)


def _takes_value(table: Table) -> str:
    """Write a pattern of the words whose value is the next word; short options can stand together, as in -vp."""
    names = {name for command in table.commands for option in command.options if option.value for name in option.names}
    letters = "".join(sorted(name[1:] for name in names if not name.startswith("--")))
    long = "|".join(sorted(name[2:] for name in names if name.startswith("--")))
    return f"^(--({long})|-[^-{letters}]*[{letters}])$"


def _line(at: tuple[str, ...], rest: str, also: str = "") -> str:
    condition = " ".join(("__tokenctl_at", *(_quoted(each, '"') for each in at))) + also
    return f"complete -c tokenctl -n {_quoted(condition)} {rest}"


def _commands(command: Command) -> Iterator[str]:
    for name, line in command.commands:
        yield _line((" ".join(command.path), "0"), f"-a {name} -d {_quoted(line)}")
    yield from _helps(command.path, command.commands)


def _helps(path: tuple[str, ...], names: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write what `help` takes behind the words of a path."""
    condition = " ".join(("__tokenctl_helps", *path))
    for name, line in names:
        yield f"complete -c tokenctl -n {_quoted(condition)} -a {name} -d {_quoted(line)}"


def _options(command: Command) -> Iterator[str]:
    # Behind a program's name every option is the program's.
    until = ("0",) if any(each.value.kind == "program" for each in command.arguments) else ()
    for option in command.options:
        yield _line((" ".join(command.path), *until), _option(option))


def _option(option: Option) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
    value = f" {_value(option.value)}" if option.value else ""
    return f"{names}{value} -d {_quoted(option.help)}"


def _value(value: Value) -> str:
    if value.kind == "file":
        return "-r -F"
    offered = {"words": " ".join(value.words), "profile": "(__tokenctl_profiles)"}.get(value.kind)
    return f"-x -a {_quoted(offered)}" if offered else "-x"


def _arguments(command: Command, files: str) -> Iterator[str]:
    path = " ".join(command.path)
    for number, argument in enumerate(command.arguments):
        yield from _argument(path, str(number), argument, files)


def _argument(path: str, number: str, argument: Argument, files: str) -> Iterator[str]:
    value, at = argument.value, (path, f"{number}+" if argument.many else number)
    match value.kind:
        case "program":
            yield _line((path, "0"), "-a '(__tokenctl_programs)'")
            yield _line((path, "0"), "-F", '; and string match -q "*/*" -- (commandline -ct)')
            yield _line((path, "1+"), "-a '(__tokenctl_child)'")
        case "setting":
            yield _line(at, "-a '(__tokenctl_settings =)'")
            yield _line(at, "-F", f'; and string match -rq "^({files})=" -- (commandline -ct)')
        case "key":
            yield _line(at, "-a '(__tokenctl_settings)'")
        case "profile" | "words":
            yield _line(at, _value(value).removeprefix("-x "))


def _quoted(text: str, mark: str = "'") -> str:
    return mark + re.sub(rf"([\\{mark}])", r"\\\1", text) + mark
