"""The changes of a config document: each one works on what tomlkit reads, and on the plain mapping that tomllib reads.

The plain mapping tells what the text must say afterwards.
"""

import tomllib
from collections.abc import Collection, Mapping
from typing import Any

import tomlkit
from tomlkit.items import Array, InlineTable, Table


def change(
    name: str, values: Mapping[str, Any], removed: Collection[str], whole: Mapping[str, Any], document: Any
) -> None:
    """Change a profile, or add it with all of its settings, which `whole` has."""
    if not document.get("profiles") and "default_profile" not in document:
        document["default_profile"] = name
    if "profiles" not in document:
        document["profiles"] = tomlkit.table(is_super_table=True)
    tables = document["profiles"]
    if name not in tables:
        inline = isinstance(tables, InlineTable)
        tables[name] = tomlkit.inline_table() if inline else tomlkit.table()
        values = whole
    table = tables[name]
    comments = [each for key in (*removed, *values) for each in _comments_below(table.get(key))]
    for key in removed:
        table.pop(key, None)
    _set(table, values)
    if comments:
        _last_table(table).value.body.extend(comments)


def _set(table: Any, values: Mapping[str, Any]) -> None:
    """Set values; a new one comes before the comments at the table's end, which often are about the next table."""
    body = table.value.body if isinstance(table, Table) else []
    end = _end_of_settings(body)
    rest, body[end:] = body[end:], []
    for key, value in values.items():
        if not (isinstance(value, list) and _list_changed(table.get(key), value)):
            table[key] = value
    body += rest


def _list_changed(there: Any, wanted: list[Any]) -> bool:
    """Change a list entry by entry, so that the comments of those that stay are kept; tell whether it is as wanted now.

    tomlkit cannot add to every layout: not to one with a comma before each entry.
    """
    if not isinstance(there, list):
        return False
    for each in [each for each in there if each not in wanted]:
        there.remove(each)
    for each in wanted:
        if each not in there:
            there.append(each)
    return there == wanted and (not isinstance(there, Array) or _says(there.as_string(), wanted))


def _says(text: str, wanted: list[Any]) -> bool:
    try:
        return bool(tomllib.loads(f"list = {text}")["list"] == wanted)
    except tomllib.TOMLDecodeError:
        return False


def _end_of_settings(body: list[Any]) -> int:
    """Return the index behind the last setting of a table; only comments and blank lines follow it."""
    return max((at + 1 for at, (key, _) in enumerate(body) if key is not None), default=len(body))


def remove(name: str, document: Any) -> None:
    """Remove a profile, and the default profile that it was. What is said below its last setting stays."""
    tables = document.get("profiles")
    whole = isinstance(tables, Table) and isinstance(tables.get(name), Table)
    comments = _comments_below(tables[name]) if whole else []
    above = _above(name, tables) if whole else None
    (tables if tables is not None else {}).pop(name, None)
    if document.get("default_profile") == name:
        del document["default_profile"]
    if above is not None:
        _last_table(above).value.body.extend(comments)
    elif comments:  # as the last step: tomlkit does not find its entries after this any more
        at = next(at for at, (key, _) in enumerate(document.body) if key is not None and key.key == "profiles")
        document.body[at:at] = comments


def _comments_below(table: Any) -> list[Any]:
    """Return the comments and blank lines at the end of a table, which often are about the next table."""
    if not isinstance(table, Table):
        return []
    body = _last_table(table).value.body
    return list(body[_end_of_settings(body) :])


def _above(name: str, tables: Table) -> Table | None:
    names = list(tables)
    before = tables[names[names.index(name) - 1]] if names.index(name) else None
    return before if isinstance(before, Table) else None


def _last_table(table: Table) -> Table:
    last = next((item for key, item in reversed(table.value.body) if key is not None), None)
    return _last_table(last) if isinstance(last, Table) else table


def set_default(name: str, document: Any) -> None:
    """Make a profile the default one."""
    document["default_profile"] = name
