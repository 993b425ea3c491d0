"""TAB after `--option=`: what click's own completion leaves to the shells, and they do not do.

Loaded only when a shell asks. bash splits at `=`, and click does not know the option any more; zsh and
fish replace the whole word, and so need the option's name before each value.

CompletionItem takes a type argument since click 8.4 only: the annotations that have one are quoted.
"""

from click.shell_completion import BashComplete, CompletionItem, FishComplete, ZshComplete, add_completion_class


class _Bash(BashComplete):
    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        return args[:-1] if args[-1:] == ["="] else args, incomplete


class _Zsh(ZshComplete):
    def get_completions(self, args: list[str], incomplete: str) -> "list[CompletionItem[str]]":
        return _joined(incomplete, super().get_completions(args, incomplete))


class _Fish(FishComplete):
    def get_completions(self, args: list[str], incomplete: str) -> "list[CompletionItem[str]]":
        return _joined(incomplete, super().get_completions(args, incomplete))


def register() -> None:
    """Put these classes in the place of click's own."""
    for each in (_Bash, _Zsh, _Fish):
        add_completion_class(each)


def _joined(incomplete: str, items: "list[CompletionItem[str]]") -> "list[CompletionItem[str]]":
    option, equals, _ = incomplete.partition("=")
    if equals and option.startswith("--"):
        for item in items:
            item.value = option + equals + item.value
    return items
