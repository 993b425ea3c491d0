"""The completion scripts of bash, zsh and fish, made from the command tree. No script starts a program at TAB.

`table` reads the tree: one table for all shells. One file for each shell writes the table in the shell's own words and
puts it into the script beside it (`tokenctl.bash`, `_tokenctl`, `tokenctl.fish`), which is written by hand and reads
the names of the profiles from the config file. bash and zsh share the reader (`profiles.sh`).
"""

import click

from tokenctl.cli.completion import bash, fish, zsh
from tokenctl.cli.completion.table import read
from tokenctl.cli.files import text_of

SHELLS = {"bash": "tokenctl.bash", "zsh": "_tokenctl", "fish": "tokenctl.fish"}
"""Shell -> the file of its script, here and in `completions/`."""
_TABLES = {"bash": bash.tables, "zsh": zsh.tables, "fish": fish.tables}


def script(shell: str, root: click.Group) -> str:
    """Make a shell's completion script."""
    text = text_of(__name__, SHELLS[shell]).replace("# @profiles.sh@\n", text_of(__name__, "profiles.sh"))
    return text.replace("# @tables@\n", _TABLES[shell](read(root)))
