"""The answer to the common command lines of `token` and `exec`, without click.

Loading click takes a fifth of a fresh `token`. So what `fast_path.parse` can read gets its answer here, by the same
`actions/` as click's commands, where the kernel's keyring has none. Every other command line is click's: more options,
wrong words, `--help`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenctl.adapters.terminal import Terminal


def answer(options: Mapping[str, str], child: Sequence[str], terminal: "Terminal") -> int:
    """Answer as click's command does for the same words, and return the exit status.

    `options` are by their long names. `child` has the words after `exec --`; empty for `token`. Raises TokenctlError or
    KeyboardInterrupt.
    """
    from tokenctl.runtime import Runtime

    runtime, name = Runtime(), options.get("--profile")
    try:
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
