"""Completion after `--option=`, which click's own completion does not support.

It is loaded only when a shell asks for completion. bash splits words at `=`, so click does not see the option. zsh
and fish replace the whole word, so each value needs the option's name before it.

CompletionItem has a type argument since click 8.4. So annotations with one are quoted.
"""

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


def _with_option(incomplete: str, items: "list[CompletionItem[str]]") -> "list[CompletionItem[str]]":
    option, equals, _ = incomplete.partition("=")
    if equals and option.startswith("--"):
        for item in items:
            item.value = option + equals + item.value
    return items
