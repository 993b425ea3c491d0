"""`tokenctl completion`: the completion script of a shell."""

import click

from tokenctl.cli.grammar import Choice, Command
from tokenctl.cli.output import answer

_EXAMPLES = """\
  bash:  mkdir -p ~/.local/share/bash-completion/completions
         tokenctl completion bash > ~/.local/share/bash-completion/completions/tokenctl
         (without the package bash-completion: source that file in ~/.bashrc)
  zsh:   mkdir -p ~/.zfunc
         tokenctl completion zsh > ~/.zfunc/_tokenctl
         (in ~/.zshrc: fpath+=(~/.zfunc), then: autoload -U compinit && compinit)
  fish:  mkdir -p ~/.config/fish/completions
         tokenctl completion fish > ~/.config/fish/completions/tokenctl.fish"""


@click.command("completion", cls=Command, examples=_EXAMPLES)
@click.argument("shell", type=Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, values and profiles, and after 'exec --' programs and their own words. No program
    starts for that. Start a new shell afterwards, and write the file again after an update of tokenctl.
    """
    from tokenctl.cli.completion import script

    root = ctx.find_root().command
    if isinstance(root, click.Group):
        answer(script(shell, root).strip())
