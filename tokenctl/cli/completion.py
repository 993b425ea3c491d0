"""Completion after `--option=` and of a child's words, which click's own completion does not support.

It is loaded only when a shell asks for completion. bash splits words at `=`, so click does not see the option. zsh
and fish replace the whole word, so each value needs the option's name before it.

CompletionItem has a type argument since click 8.4. So annotations with one are quoted.
"""

import os
from pathlib import Path

from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete, add_completion_class


class _Bash(BashComplete):
    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        return args[:-1] if args[-1:] == ["="] else args, incomplete


class _Zsh(ZshComplete):
    def get_completions(self, args: list[str], incomplete: str) -> "list[CompletionItem[str]]":
        return _with_option(incomplete, super().get_completions(args, incomplete))


class _Fish(FishComplete):
    def get_completions(self, args: list[str], incomplete: str) -> "list[CompletionItem[str]]":
        return _with_option(incomplete, super().get_completions(args, incomplete))


def register() -> None:
    """Replace click's own classes by these."""
    for each in (_Bash, _Zsh, _Fish):
        add_completion_class(each)


def programs(incomplete: str) -> "list[CompletionItem[str]]":
    """Complete the name of a program in PATH."""
    found = set()
    for folder in filter(os.path.isabs, os.environ.get("PATH", "").split(os.pathsep)):
        try:
            names = [each for each in os.listdir(folder) if each.startswith(incomplete)]
        except OSError:
            continue
        found |= {each for each in names if _is_program(Path(folder, each))}
    return [CompletionItem(each) for each in sorted(found)]


def files(incomplete: str) -> "list[CompletionItem[str]]":
    """Let the shell complete a file."""
    return [CompletionItem(incomplete, type="file")]


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _with_option(incomplete: str, items: "list[CompletionItem[str]]") -> "list[CompletionItem[str]]":
    option, equals, _ = incomplete.partition("=")
    if equals and option.startswith("--"):
        for item in items:
            item.value = option + equals + item.value
    return items
