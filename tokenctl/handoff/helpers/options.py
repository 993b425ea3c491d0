"""The options of the few helpers that have some. Without click, whose import costs more than a whole warm answer."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def split(words: "Sequence[str]", names: "Collection[str]") -> tuple[list[str], dict[str, str]]:
    """Return the words that are no options, and the options by their names. `names` has the known ones, such as `--user`.

    An option's value is the next word, or what is behind `=`. Raises ValueError with the reason.
    """
    others: list[str] = []
    given: dict[str, str] = {}
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            others.append(word)
        elif name not in names:
            raise ValueError(f"there is no option {name!a:.40}")
        elif name in given:
            raise ValueError(f"{name} is there twice")
        else:
            given[name] = value if equals else left.pop(0) if left else ""
            if not given[name]:
                raise ValueError(f"{name} needs a value")
    return others, given
