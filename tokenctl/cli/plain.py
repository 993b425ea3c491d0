"""The command lines that are answered without click: `token` and `exec`, as scripts mostly write them.

Loading click takes a fifth of a fresh `token`. So a command line of plain words is read here, and gets the answer of the
same `actions/` as click's commands. Every other one is click's: more options, options joined to their values, wrong
words, `--help`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokenctl.adapters.terminal import Terminal

_OPTIONS = {"": ("--profile",), "token": ("--profile", "--format"), "exec": ("--profile", "--env")}
"""Command -> the options that can follow it here; the first ones come before any command."""


class Plain(NamedTuple):
    """A plain command line: the command, the values of its options, and for `exec` the words of its child."""

    command: str
    options: dict[str, str]
    child: tuple[str, ...]


def read(words: Sequence[str]) -> Plain | None:
    """Read a plain command line; None for any other. An option is a word of its own, and is there once."""
    command, options, left = "", dict[str, str](), list(words)
    while left:
        word = left.pop(0)
        option = "--profile" if word == "-p" else word
        if word == "--" and command == "exec":
            break
        if word in ("token", "exec") and not command:
            command = word
        elif left and option in _OPTIONS[command] and option not in options:
            options[option] = left.pop(0)
        else:
            return None
    complete = bool(command) and bool(left) is (command == "exec")
    usual = all(value.strip() and not value.startswith("-") for value in options.values())
    if not complete or not usual or options.get("--format", "raw") not in ("raw", "header", "json"):
        return None
    return Plain(command, options, tuple(left))


def answer(given: Plain, terminal: "Terminal") -> int:
    """Answer as click's command does for the same words, and return the exit status.

    Raises TokenctlError or KeyboardInterrupt.
    """
    from tokenctl.runtime import Runtime

    runtime, name = Runtime(), given.options.get("--profile")
    try:
        if given.command == "token":
            from tokenctl.cli.actions.token import print_token

            print_token(runtime, name, None, 0, given.options.get("--format", "raw"), {})
            return 0
        from tokenctl.cli.actions.exec import run_child

        env = (given.options["--env"],) if "--env" in given.options else ()
        return run_child(runtime, name, given.child, env=env, target={})
    except KeyboardInterrupt:
        terminal.plain_line("")  # as click does: the terminal has ^C in this line
        raise
