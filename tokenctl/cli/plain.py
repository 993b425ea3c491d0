"""The common command lines of `token` and `exec`: they are read, and get their answer, without click.

Loading click takes a fifth of a fresh `token`. What `read` can read gets its answer from the kernel's keyring (see
`fast_path`), or else from `answer` here, by the same `actions/` as click's commands. Every other command line is click's:
more options, wrong words, `--help`. This file loads nothing, because it is looked at before everything else.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokenctl.adapters.terminal import Terminal
    from tokenctl.handoff.helpers.conversation import Conversation

_OPTIONS = {"": ("--profile",), "token": ("--profile", "--format"), "exec": ("--profile", "--env")}


def read(words: "Sequence[str]") -> "tuple[dict[str, str], list[str]] | None":
    """Read a command line of the common forms: its options, and the words of the child. None for any other.

    They are `token` with `--format`, and `exec` with `--env NAME` and `--` before the child; each with a profile.
    """
    given: dict[str, str] = {}
    command, left = "", list(words)
    while left:
        word = left.pop(0)
        if word == "--" and command == "exec":
            break
        option, equals, value = word.partition("=")
        option = "--profile" if word == "-p" else option
        if word in ("token", "exec") and not command:
            command = word
        elif option in _OPTIONS[command] and option not in given and (equals or left):
            given[option] = value if equals else left.pop(0)
        else:
            return None
    name, variable = given.get("--profile", "-"), given.get("--env", "_")
    valid = name.isascii() and name.replace("-", "_").replace(".", "_").replace("_", "a").isalnum()
    valid = valid and variable.isascii() and variable.isidentifier()
    valid = valid and given.get("--format", "raw") in ("raw", "header", "json")
    return (given, left) if valid and command and bool(left) is (command == "exec") else None


def read_helper(words: "Sequence[str]") -> "tuple[str, str | None, list[str]] | None":
    """Read a call of a helper: its name, the profile, and the words for it. None for any other command line.

    The profile can stand anywhere. What else is tokenctl's own is left to click; every other word is the client's.
    """
    profile: str | None = None
    left, own = list(words), []
    while left:
        word = left.pop(0)
        option, equals, value = word.partition("=")
        if word == "-p" or option == "--profile":
            if profile is not None or not (equals or left):
                return None
            profile = value if equals else left.pop(0)
        elif option in ("--config", "--verbose", "--quiet", "--help") or (
            word[:1] == "-" and word[1:2] not in ("", "-")
        ):
            return None
        else:
            own.append(word)
    valid = profile is None or (profile.isascii() and profile.strip() == profile != "")
    return (own[1], profile, own[2:]) if valid and own[:1] == ["helper"] and len(own) > 1 else None


def answer(options: "Mapping[str, str]", child: "Sequence[str]", terminal: "Terminal") -> int:
    """Answer as click's command does for the same words, and return the exit status.

    `options` are by their long names. `child` has the words after `exec --`; empty for `token`. Raises TokenctlError or
    KeyboardInterrupt.
    """
    from tokenctl.cli import due
    from tokenctl.runtime import Runtime

    runtime, name = Runtime(), options.get("--profile")
    try:
        due.tell(runtime)
        if not child:
            from tokenctl.cli.actions.token import print_token

            print_token(runtime, name, None, 0, options.get("--format", "raw"), {})
            return 0
        from tokenctl.cli.actions.exec import run_child

        env = (options["--env"],) if "--env" in options else ()
        return run_child(runtime, name, tuple(child), env=env, target={})
    except KeyboardInterrupt:
        terminal.plain_line("")  # as click does: the terminal has ^C in this line
        raise


def go_on(conversation: "Conversation") -> int:
    """Answer the client of a helper where the fast way could not, and return the exit status. Raises TokenctlError."""
    from tokenctl.cli.actions import helper
    from tokenctl.runtime import Runtime

    return helper.go_on(Runtime(), conversation)
