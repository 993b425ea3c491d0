"""The table in the words of bash: one `case` of strings, because bash 3.2 has no associative arrays."""

from tokenctl.cli.completion.table import Argument, Command, Option, Table, Value


def tables(table: Table) -> str:
    """Write the table, as the script's first comment describes it."""
    arms = "".join(_arm(each) for each in table.commands)
    settings = " ".join(f"{name}={_value(value)}" for name, value in table.settings)
    topics = " ".join(name for name, _ in table.topics)
    return f"{arms}  esac\n  settings='{settings}'\n  topics='{topics}'\n"


def _arm(command: Command) -> str:
    rows = {
        "commands": " ".join(name for name, _ in command.commands),
        "options": " ".join(map(_option, command.options)),
        "arguments": " ".join(map(_argument, command.arguments)),
    }
    lines = "".join(f"      {name}='{text}'\n" for name, text in rows.items() if text)
    return f"    '{' '.join(command.path)}')\n{lines}      ;;\n"


def _option(option: Option) -> str:
    repeated = "..." if option.repeatable else ""
    return ",".join(option.names) + repeated + (f"={_value(option.value)}" if option.value else "")


def _argument(argument: Argument) -> str:
    return _value(argument.value) + ("..." if argument.many else "")


def _value(value: Value) -> str:
    return ",".join(value.words) or f"@{value.kind}"
