"""`tokenctl completion`: the completion script of a shell."""

import click
from click.shell_completion import ShellComplete, get_completion_class

from tokenctl.cli.grammar import Choice, Command
from tokenctl.cli.output import answer

SHELLS = {"bash": "tokenctl.bash", "zsh": "_tokenctl", "fish": "tokenctl.fish"}
"""Shell -> its file in `completions/`."""


_EXAMPLES = """\
  bash:  mkdir -p ~/.local/share/bash-completion/completions
         tokenctl completion bash > ~/.local/share/bash-completion/completions/tokenctl
  zsh:   mkdir -p ~/.zfunc
         tokenctl completion zsh > ~/.zfunc/_tokenctl
         (and in ~/.zshrc, before compinit: fpath+=(~/.zfunc))
  fish:  mkdir -p ~/.config/fish/completions
         tokenctl completion fish > ~/.config/fish/completions/tokenctl.fish"""


def script(shell: str, root: click.Command) -> str:
    """Make a shell's completion script. The script calls tokenctl, so it is never out of date."""
    shell_class = get_completion_class(shell)
    if shell_class is None:
        raise ValueError(f"no completion for {shell}")
    # The base class's method: the one of the bash class would start bash to check its version.
    return ShellComplete.source(shell_class(root, {}, "tokenctl", "_TOKENCTL_COMPLETE"))


@click.command("completion", cls=Command, examples=_EXAMPLES)
@click.argument("shell", type=Choice(list(SHELLS)))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, profiles, and after 'exec --' programs and files. Start a new shell afterwards.
    """
    answer(script(shell, ctx.find_root().command).strip())
