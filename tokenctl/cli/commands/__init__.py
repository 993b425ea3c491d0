"""One file for each subcommand, with its `command`: what can be typed, and its help. It makes one call of `actions/`.

`load` imports a command's module when the command is named, so that a command does not import the others. What the
command does is imported when it runs, so that `--help` and wrong words do not wait for it.
"""

import click


def load(name: str) -> click.Command | None:
    """Import the command with this name; None when there is none."""
    command: click.Command
    match name:
        case "login":
            from tokenctl.cli.commands.login import command
        case "token":
            from tokenctl.cli.commands.token import command
        case "exec":
            from tokenctl.cli.commands.exec import command
        case "write-file":
            from tokenctl.cli.commands.write_file import command
        case "proxy":
            from tokenctl.cli.commands.proxy import command
        case "show":
            from tokenctl.cli.commands.show import command
        case "refresh":
            from tokenctl.cli.commands.refresh import command
        case "revoke" | "logout":
            from tokenctl.cli.commands.revoke import command
        case "profile":
            from tokenctl.cli.commands.profile import command
        case "store":
            from tokenctl.cli.commands.store import command
        case "helper":
            from tokenctl.cli.commands.helper import command
        case "audit":
            from tokenctl.cli.commands.audit import command
        case "doctor":
            from tokenctl.cli.commands.doctor import command
        case "demo":
            from tokenctl.cli.commands.demo import command
        case "completion":
            from tokenctl.cli.commands.completion import command
        case "help":
            from tokenctl.cli.commands.help import command
        case _:
            return None
    return command
