"""The profiles' tables of a config file, each one read when it is asked for.

tomllib is written in Python. For a file with 1,000 profiles it takes as long as three starts of the interpreter, and a
command mostly needs one of them. So the text is cut at its headers `[profiles.NAME]`, and tomllib reads what is
before them, and the table that is asked for. Nothing else of TOML is known here: a text with any other header is
read whole, and so is one with texts of several lines, because such a text can have a line that looks like a header.
"""

import contextlib
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

_HEADER = re.compile(r"^[ \t]*\[", re.MULTILINE)
"""What can be the beginning of a header; or a list in a list, whose line never goes on with `profiles.`"""
_TEXT_OF_LINES = ('"""', "'''")
_BARE = frozenset(string.ascii_letters + string.digits + "_-")


class Tables(Mapping[str, Any]):
    """The tables of the profiles by name, in the file's order. To read one raises ValueError or RecursionError."""

    def __init__(self, texts: Mapping[str, str], whole: str) -> None:
        self._texts = texts
        self._whole = whole

    def __getitem__(self, name: str) -> Any:
        try:
            found = tomllib.loads(self._texts[name])
        except ValueError:
            found = tomllib.loads(self._whole)  # its error has the line in the file
        return found["profiles"][name]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def read(text: str) -> dict[str, Any]:
    """Read a config file as tomllib does, except that `profiles` can be `Tables`. Raises ValueError or RecursionError."""
    head, texts = _cut(text)
    if texts:
        with contextlib.suppress(ValueError):
            found = tomllib.loads(head)
            if "profiles" not in found:
                return {**found, "profiles": Tables(texts, text)}
    return tomllib.loads(text)


def _cut(text: str) -> tuple[str, dict[str, str]]:
    """Return what is before the first table, and each profile's text; no texts where that is not surely right."""
    if any(quotes in text for quotes in _TEXT_OF_LINES):
        return text, {}
    head, *pieces = _HEADER.split(text)
    texts: dict[str, str] = {}
    for piece in pieces:
        name = _name(piece.partition("]")[0])
        if name is None:
            return text, {}
        texts[name] = f"{texts.get(name, '')}[{piece}"
    return head, texts


def _name(header: str) -> str | None:
    """Return the profile's name in a header such as `profiles.work` or `profiles."work.eu".params`; None for another one."""
    room, _, key = header.partition(".")
    if key.startswith('"'):
        name, closing, rest = key[1:].partition('"')
        # Without the closing quote, the header was cut at a bracket in the name.
        known = closing != "" and _BARE.issuperset(name.replace(".", "")) and rest[:1] in ("", ".")
    else:
        name = key.partition(".")[0]
        known = name != "" and _BARE.issuperset(name)
    return name if known and room == "profiles" else None
