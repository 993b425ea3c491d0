"""The program as click knows it: the command table, and the words for what click finds wrong.

A command's module is imported when the command is named. The list of commands is the table's.
"""

import sys
from collections.abc import Sequence

import click

from tokenctl import __version__
from tokenctl.adapters.terminal import Terminal
from tokenctl.cli.commands import load
from tokenctl.cli.grammar import Group, Misuse, shared_options
from tokenctl.cli.output import answer
from tokenctl.errors import TokenctlError, UsageError, did_you_mean

COMMANDS = {
    "login": "Sign in once; the session goes into the keyring.",
    "token": "Print a fresh access token, for a pipe.",
    "exec": "Run a command with a fresh access token in its environment.",
    "write-file": "Write a fresh access token into a file.",
    "proxy": "Forward requests to one server with the token.",
    "show": "Show who is signed in, where, and for how long.",
    "refresh": "Renew the session now.",
    "revoke": "Sign out: revoke at the server, then forget here.",
    "profile": "Show and change the profiles of the config file.",
    "helper": "Give tokens to git, docker, kubectl and other tools.",
    "store": "Show where sessions are kept, or move one.",
    "audit": "Look for signs that somebody else uses a session.",
    "doctor": "Find out why it does not work here, and what to do.",
    "demo": "See the whole life of a session, without an account.",
    "completion": "Print the completion script of a shell.",
    "help": "Show the help of a command, or the page of a topic.",
}
"""Name of a command -> its line in the list of commands, in the order of the list."""

ELSEWHERE = {
    **dict.fromkeys(("signin", "sign-in", "auth", "authenticate", "init", "add"), "login"),
    **dict.fromkeys(("signout", "sign-out"), "revoke"),
    **dict.fromkeys(("status", "whoami", "info", "inspect"), "show"),
    **dict.fromkeys(("get", "print-access-token", "access-token"), "token"),
    **dict.fromkeys(("list", "ls", "accounts"), "profile list"),
    **dict.fromkeys(("config", "set", "configure"), "profile"),
    **dict.fromkeys(("run", "env"), "exec -- CMD"),
    **dict.fromkeys(("renew", "rotate"), "refresh"),
    **dict.fromkeys(("use", "switch", "default"), "profile default NAME"),
    **dict.fromkeys(("keyring", "keyrings"), "store"),
    **dict.fromkeys(("log", "logs", "events", "history", "anomalies"), "audit"),
    **dict.fromkeys(("check", "diagnose", "debug", "health"), "doctor"),
    "version": "--version",
}
"""What other tools call a command, and what is the nearest here."""


class LazyGroup(Group):
    """A group that lists its commands from the table, and imports a command when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the table's order."""
        return list(COMMANDS)

    def names(self, ctx: click.Context) -> list[str]:
        """List every name of a command that can be typed."""
        return [*COMMANDS, "logout"]

    def elsewhere(self, word: str) -> str | None:
        """Return the hint for a word that other tools have as a command, and this one under another name."""
        own = ELSEWHERE.get(word.lower())
        return f"here it is 'tokenctl {own}'" if own else None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command with this name."""
        return load(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table; click would import every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_EPILOG = """\b
First steps:
  tokenctl demo          see how it works; no account, no keyring
  tokenctl login         sign in; asks for what it needs
  tokenctl show          who is signed in, and for how long
  tokenctl exec -- CMD   run CMD with the token in ACCESS_TOKEN
  tokenctl token --format header | curl -H @- https://api.example.com

\b
More:
  tokenctl COMMAND --help     a command, its options and examples
  tokenctl help               the pages on CI, keyrings, security, ..."""


@click.group(
    cls=LazyGroup,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@shared_options
@click.version_option(__version__, message="%(prog)s %(version)s")
def tokenctl() -> None:
    """One login; after that every tool gets a fresh access token, and nothing ever sees the refresh token."""


def run(arguments: Sequence[str], terminal: Terminal, obj: object) -> int:
    """Run the command that is named, and return its exit status. `obj` is a Runtime, or None.

    Raises TokenctlError, for wrong words after their usage line was written to the terminal, or KeyboardInterrupt.
    """
    try:
        return _invoke(arguments, obj)
    except click.UsageError as error:
        if error.ctx is not None:
            terminal.plain_line(error.ctx.get_usage())
        raise UsageError(_in_one_line(_message(error)), hint=_hint(error)) from None
    except click.ClickException as error:
        raise TokenctlError(_in_one_line(error.format_message())) from None
    except click.Abort:  # Ctrl-C; click has ended the line that shows it
        raise KeyboardInterrupt from None


def _invoke(arguments: Sequence[str], obj: object) -> int:
    try:
        # No variable is named, so click's own completion at TAB is off.
        status = tokenctl.main(list(arguments), prog_name="tokenctl", complete_var="", standalone_mode=False, obj=obj)
    except click.exceptions.NoArgsIsHelpError as error:  # a group without a command asks for its help: no error
        answer(error.message)
        return 0
    if sys.stdout is not None:
        sys.stdout.flush()  # now, because an error at the end of Python would be a traceback
    return status if isinstance(status, int) else 0


def _message(error: click.UsageError) -> str:
    # For an option that does not exist, click adds the options that begin alike. The hint has the nearest one.
    return error.message if isinstance(error, click.NoSuchOption) else error.format_message()


def _hint(error: click.UsageError) -> str:
    """Return the next step after wrong words: the nearest option, else the command's help."""
    found = error.hint if isinstance(error, Misuse) else None
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        known = [option for param in error.ctx.command.get_params(error.ctx) for option in param.opts]
        found = did_you_mean(error.option_name, known)
    path = error.ctx.command_path if error.ctx is not None else "tokenctl"
    return found or f"run '{path} --help' for help"


def _in_one_line(text: str) -> str:
    text = " ".join(text.split())  # click writes a list of choices on several lines
    return text[:1].lower() + text[1:].removesuffix(".")
