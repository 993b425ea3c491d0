"""The table in the words of zsh: a function for each command, with the specifications of `_arguments`."""

from collections.abc import Iterable

from tokenctl.cli.completion.table import Argument, Command, Option, Table, Value


def tables(table: Table) -> str:
    """Write the functions of the commands, and the settings and topics."""
    functions = "\n".join(_of_command(each) for each in table.commands)
    keys = f"typeset -ga __tokenctl_keys=({' '.join(name for name, _ in table.settings)})\n"
    topics = f"typeset -ga __tokenctl_topics=(\n{_described(table.topics)})\n"
    return f"{functions}\n{_setting_values(table)}\n{keys}{topics}\n"


def _of_command(command: Command) -> str:
    name = "".join(f"_{word}" for word in command.path)
    if not command.commands:
        lines = [*map(_option, command.options), *(line for each in command.arguments for line in _argument(each))]
        return f"__tokenctl_command{name}() {{\n  _arguments -s -S{_continued(lines)}\n}}\n"
    lines = [*map(_option, command.options), f"'(-)1:command:__tokenctl_commands{name}'", "'(-)*::: :->below'"]
    return (
        f"__tokenctl_command{name}() {{\n"
        "  local context state state_descr line ret=1\n"
        "  typeset -A opt_args\n"
        f"  _arguments -s -S -C{_continued(lines)} && ret=0\n"
        f'  [[ $state != below ]] || {{ __tokenctl_below __tokenctl_command{name} "$line[1]" && ret=0; }}\n'
        "  return ret\n"
        "}\n\n"
        f"__tokenctl_commands{name}() {{\n"
        f"  local -a commands=(\n{_described(command.commands)}  )\n"
        "  _describe -t commands command commands\n"
        "}\n"
    )


def _continued(lines: Iterable[str]) -> str:
    return "".join(f" \\\n    {line}" for line in lines)


def _described(names: Iterable[tuple[str, str]]) -> str:
    return "".join(f"    {_quoted(f'{name}:{line}')}\n" for name, line in names)


def _option(option: Option) -> str:
    """Write the specification of an option: what it excludes, its names, its help, and its value."""
    names = [name + _joint(name) if option.value else name for name in option.names]
    spelled = f"{{{','.join(names)}}}" if len(names) > 1 else names[0]
    if option.repeatable:
        before = "'*'"
    elif option.alone:
        before = "'(- *)'"
    else:
        before = f"'({' '.join(option.names)})'"
    value = f":{_escaped(option.value.metavar)}:{_action(option.value)}" if option.value else ""
    return before + spelled + _quoted(f"[{_escaped(option.help)}]{value}")


def _joint(name: str) -> str:
    """Say how the value may follow: in the next word, and behind `=` for a long name, behind the letter for a short one."""
    return "=" if name.startswith("--") else "+"


def _argument(argument: Argument) -> list[str]:
    value = argument.value
    if value.kind == "program":
        return ["'(-)1:program:__tokenctl_program'", "'*::argument:_normal'"]
    count = "*" if argument.many else ""
    optional = "" if argument.required or argument.many else ":"
    return [_quoted(f"{count}{optional}:{_escaped(value.metavar)}:{_action(value)}")]


def _action(value: Value) -> str:
    if value.kind == "words":
        return f"({' '.join(map(_escaped, value.words))})"
    return {"text": " ", "file": "_files"}.get(value.kind, f"__tokenctl_{value.kind}")


def _setting_values(table: Table) -> str:
    arms = "".join(
        f"    {name}) {_offer(value)} ;;\n" for name, value in table.settings if value.kind in ("words", "file")
    )
    return f"__tokenctl_setting_value() {{\n  local expl\n  case $1 in\n{arms}    *) _message value ;;\n  esac\n}}\n"


def _offer(value: Value) -> str:
    return "_files" if value.kind == "file" else f"_wanted values expl value compadd - {' '.join(value.words)}"


def _escaped(text: str) -> str:
    return text.translate({ord(sign): f"\\{sign}" for sign in "\\[]:"})


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
