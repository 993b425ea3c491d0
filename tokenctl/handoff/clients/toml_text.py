"""Change values of a TOML text, and leave every other character as it is.

People write TOML in many ways. So a change is tried in each of them, as an inserted or removed line, and the first one
whose text says exactly what it must say is taken. A line that only looks like a table's header is found out by that.
"""

import copy
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Path = Sequence[str | int]
"""Names of tables, and the number of an entry in an array of tables; a value's own name is the last one."""

_BOM = "\ufeff"
_HEADER = re.compile(r"[ \t]*\[")
_MARK = "  # tokenctl"
_MOST = 12
"""Lines of one value that is removed, at most."""


def read(text: str) -> dict[str, Any]:
    """Read a text; a byte order mark is allowed, as TOML's libraries for Rust have it. Raises ValueError."""
    text.encode()  # UnicodeEncodeError where the file is not UTF-8
    try:
        return tomllib.loads(text.removeprefix(_BOM))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def with_value(text: str, path: Path, value: Any, *, mark: bool = False) -> str:
    """Set a value that is not there; a table that is not there is made at the end. `mark` adds a comment that it is ours.

    Raises ValueError.
    """
    expected = read(text)
    _set(expected, path, value)
    end = "\r\n" if "\r\n" in text else "\n"
    line = f"{_key(path[-1])} = {_literal(value)}{_MARK if mark else ''}{end}"
    return _first(text, _insertions(_lines(text), path, line, end), expected)


def without_value(text: str, path: Path) -> str:
    """Remove a value, and its table where that is empty then. Raises ValueError."""
    expected = read(text)
    _drop(expected, path)
    return _first(text, _removals(_lines(text), str(path[-1])), expected, path[:-1])


def without_table(text: str, path: Path) -> str:
    """Remove a table: one with a header of its own, an inline one, or one by dotted names. Raises ValueError."""
    expected = read(text)
    names = list(_at(expected, path))
    _drop(expected, path)
    whole = (*_without_section(_lines(text)), *_removals(_lines(text), str(path[-1])))
    try:
        return _first(text, whole, expected, path[:-1])
    except ValueError:
        for name in names:
            text = without_value(text, (*path, name))
        return text


def without_marked(text: str, path: Path) -> str:
    """Remove a value whose line has our mark; a text that has none is returned as it is. Raises ValueError."""
    expected = read(text)
    _drop(expected, path)
    lines = _lines(text)
    marked = [i for i, each in enumerate(lines) if _says(each, path[-1]) and each.rstrip("\r\n").endswith(_MARK)]
    try:
        return _first(text, (_without(lines, range(i, i + 1)) for i in marked), expected)
    except ValueError:
        return text


def _first(before: str, texts: Iterable[str], expected: dict[str, Any], maybe_empty: Path = ()) -> str:
    """Return the first text that says what is expected; an empty table may be there, or not. Raises ValueError."""
    wanted = _without_empty(expected, maybe_empty)
    bom = _BOM if before.startswith(_BOM) else ""
    for text in texts:
        try:
            if _without_empty(read(text), maybe_empty) == wanted:
                return bom + text
        except ValueError:
            continue
    raise ValueError("tokenctl cannot change it as it is written")


def _insertions(lines: Sequence[str], path: Path, line: str, end: str) -> Iterator[str]:
    """Yield the text with the line in each of the places where it can be."""
    headers = [i for i, each in enumerate(lines) if _HEADER.match(each)]
    if len(path) == 1:
        for first in [*headers, len(lines)]:  # a line in a text can look like a header
            while first and _is_blank(lines[first - 1]):
                first -= 1
            yield _with(lines, first, line if first or not lines else line + end)
        return
    names = [_key(each) for each in path[:-1]]
    likely = [i for i in headers if isinstance(path[-2], int) or path[-2] in lines[i]]  # each try reads the whole text
    yield from (_with(lines, i + 1, line) for i in likely)
    for i, each in enumerate(lines):
        yield from (
            _with(lines, i + 1, prefix + line) for prefix in _prefixes(names) if each.lstrip().startswith(prefix)
        )
        yield from _inline(lines, i, _prefixes(names), line.removesuffix(end).removesuffix(_MARK))
    yield _with(lines, len(lines), f"{end if lines else ''}[{'.'.join(names)}]{end}{line}")
    yield from (_with(lines, i + 1, line) for i in headers if i not in likely)


def _prefixes(names: Sequence[str]) -> list[str]:
    """Return what can stand before a key, from `registries.my.` to `my.`: where it is depends on the table's header."""
    return [".".join([*names[i:], ""]) for i in range(len(names))]


def _inline(lines: Sequence[str], number: int, prefixes: Sequence[str], value: str) -> Iterator[str]:
    """Yield the text with the value at the end of each inline table of a line: my = { index = "..." }."""
    line = lines[number]
    for found in re.finditer(r"[ ]*\}", line):
        for prefix in ("", *prefixes):
            changed = f"{line[: found.start()]}, {prefix}{value}{found[0]}{line[found.end() :]}"
            yield "".join([*lines[:number], changed, *lines[number + 1 :]])


def _removals(lines: Sequence[str], name: str) -> Iterator[str]:
    """Yield the text without each value of this name: a line, several lines, or a part of an inline table."""
    for i, line in enumerate(lines):
        if _says(line, name):
            yield from (_without(lines, range(i, after)) for after in range(i + 1, min(i + _MOST, len(lines)) + 1))
        for found in re.finditer(rf",[ \t]*(?:[\w.-]+\.)?{re.escape(_key(name))}\b", line):
            for end in re.finditer(r"[\]\"']", line):
                cut = line[: found.start()] + line[end.end() :]
                yield "".join([*lines[:i], cut, *lines[i + 1 :]])


def _with(lines: Sequence[str], at: int, line: str) -> str:
    before = "".join(lines[:at])
    if before and not before.endswith("\n"):  # it stays so, for what the person writes behind it later
        end = "\r\n" if line.endswith("\r\n") else "\n"
        return before + end + line.removesuffix(end)
    return before + line + "".join(lines[at:])


def _without_section(lines: Sequence[str]) -> Iterator[str]:
    """Yield the text without each section; its comments at the end, which are about the next one, stay."""
    headers = [i for i, each in enumerate(lines) if _HEADER.match(each)]
    for i, after in zip(headers, [*headers, len(lines)][1:], strict=True):
        while after > i and _is_blank(lines[after - 1]):
            after -= 1
        yield _without(lines, range(i - 1 if i and not lines[i - 1].strip() else i, after))


def _is_blank(line: str) -> bool:
    """Tell whether the line says nothing, but perhaps a comment."""
    return not line.partition("#")[0].strip()


def _without(lines: Sequence[str], gone: range) -> str:
    return "".join([*lines[: gone.start], *lines[gone.stop :]])


def _says(line: str, name: str | int) -> bool:
    """Tell whether the line begins with this name, perhaps after those of its tables."""
    before, equals, _ = line.partition("=")
    return bool(equals) and before.strip().rpartition(".")[2].strip("\"' ") == str(name)


def _lines(text: str) -> list[str]:
    """Split at line feeds alone: other characters that `splitlines` knows can be in a value."""
    return re.findall(r"[^\n]*\n|[^\n]+", text.removeprefix(_BOM))


def _set(document: Any, path: Path, value: Any) -> None:
    for name in path[:-1]:
        document = document[name] if isinstance(name, int) else document.setdefault(name, {})
        if not isinstance(document, dict | list):
            raise ValueError(f"{name} is not a table")
    document[path[-1]] = value


def _at(document: Any, path: Path) -> Any:
    for name in path:
        document = document[name]
    return document


def _drop(document: Any, path: Path) -> None:
    del _at(document, path[:-1])[path[-1]]


def _without_empty(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the document without the table at a path, and those around it, where they are empty."""
    document = copy.deepcopy(document)
    for length in range(len(path), 0, -1):
        table: Any = document
        for name in path[: length - 1]:
            table = table.get(name, {}) if isinstance(table, dict) else table[name]
        if isinstance(table, dict) and table.get(path[length - 1]) == {}:
            del table[path[length - 1]]
    return document


def _key(name: str | int) -> str:
    text = str(name)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _literal(text)


def _literal(value: Any) -> str:
    """Write texts and lists of texts: what JSON writes is TOML too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
