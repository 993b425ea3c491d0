"""Change members of a JSON text (RFC 8259), and leave every other character as it is: spaces, tabs, order, numbers."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an object: where its name, its value and what follows begin, in characters of the text."""

    name: str
    at: int
    value_at: int
    end: int
    value: Any


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return dict(pairs)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def read(text: str) -> dict[str, Any]:
    """Read an object; an empty text is an empty one. Raises ValueError, also for names that are there twice."""
    if not text.strip(" \t\r\n"):
        return {}
    try:
        found = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found


def with_member(text: str, path: Sequence[str], value: Any, unit: str = "  ") -> str:
    """Set the member at a path of names; the objects on the way are made. `unit` is one indentation, where none is seen.

    Raises ValueError.
    """
    read(text)
    line_end = "\r\n" if "\r\n" in text else "\n"
    if not text.strip(" \t\r\n"):
        return text + _written(_nested(path, value), line_end, unit, "", ": ") + line_end
    at, known = _found(text, path)
    members = _members(text, at)
    if len(known) == len(path):
        return text[: known[-1].value_at] + json.dumps(value) + text[known[-1].end :]
    name, new = path[len(known)], _nested(path[len(known) + 1 :], value)
    colon = _colon(text)
    outer = _indentation(text, at)
    unit = _unit(text) or unit
    if members:
        inner = _indentation_of_member(text, at, members[0])
        space = _between(text, members) if inner is None else line_end + inner
        inner = outer if inner is None else inner
        one_line = "\n" not in space
        shown = _written(new, "" if one_line else line_end, unit, inner, colon)
        return f"{text[: members[-1].end]},{space}{json.dumps(name)}{colon}{shown}{text[members[-1].end :]}"
    one_line = "\n" not in text.strip(" \t\r\n") and bool(known or len(text.strip()) > 2)
    rest = _SPACE.match(text, at + 1)
    kept = rest.group() if rest else ""
    if one_line:
        return (
            f"{text[: at + 1]}{json.dumps(name)}{colon}{_written(new, '', unit, '', colon)}{text[at + 1 + len(kept) :]}"
        )
    shown = f"{line_end}{outer}{unit}{json.dumps(name)}{colon}{_written(new, line_end, unit, outer + unit, colon)}"
    end = "" if "\n" in kept else line_end + outer
    return text[: at + 1] + shown + end + text[at + 1 + (0 if "\n" in kept else len(kept)) :]


def without_member(text: str, path: Sequence[str]) -> str:
    """Remove the member at a path, and the objects on the way that are empty then. Raises ValueError."""
    read(text)
    at, known = _found(text, path) if text.strip(" \t\r\n") else (0, [])
    if len(known) < len(path):
        return text
    *outer, member = known
    at = outer[-1].value_at if outer else _start(text)
    members = _members(text, at)
    index = next(i for i, each in enumerate(members) if each.at == member.at)
    if len(members) == 1:
        if outer:
            return without_member(text, path[:-1])
        closing = _closing(text, member.end)
        return text[: at + 1] + text[closing:]
    if index:
        return text[: members[index - 1].end] + text[member.end :]
    return text[: member.at] + text[members[1].at :]


def _nested(path: Sequence[str], value: Any) -> Any:
    return {path[0]: _nested(path[1:], value)} if path else value


def _written(value: Any, line_end: str, unit: str, outer: str, colon: str) -> str:
    """Write a value; on one line where there is no `line_end`."""
    if not line_end:
        return json.dumps(value, separators=(", " if colon.endswith(" ") else ",", colon))
    lines = json.dumps(value, indent=unit, separators=(",", colon)).split("\n")
    return f"{line_end}{outer}".join(lines)


def _start(text: str) -> int:
    return text.index("{")


def _closing(text: str, at: int) -> int:
    return text.index("}", at)


def _found(text: str, path: Sequence[str]) -> tuple[int, list[Member]]:
    """Return where the innermost object on the path begins, and the members on the path that are there."""
    at, known = _start(text), list[Member]()
    for i, name in enumerate(path):
        member = next((each for each in _members(text, at) if each.name == name), None)
        if member is None:
            break
        known.append(member)
        if i < len(path) - 1:
            if not isinstance(member.value, dict):
                raise ValueError(f"{name} is not an object")
            at = member.value_at
    return at, known


def _members(text: str, at: int) -> list[Member]:
    """List the members of the object that begins at `at`, in a text that is JSON."""
    found: list[Member] = []
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        value_at = _skip(text, _skip(text, end) + 1)
        value, end = _DECODER.raw_decode(text, value_at)
        found.append(Member(name=name, at=at, value_at=value_at, end=end, value=value))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _indentation(text: str, at: int) -> str:
    """Return the spaces at the beginning of the line that has the character at `at`."""
    found = re.compile(r"[ \t]*").match(text, text.rfind("\n", 0, at) + 1)
    return found.group() if found else ""


def _indentation_of_member(text: str, at: int, member: Member) -> str | None:
    """Return the indentation of the first member; None where it is on the line of the object's beginning."""
    before = text[at + 1 : member.at]
    return before.rpartition("\n")[2] if "\n" in before else None


def _between(text: str, members: Sequence[Member]) -> str:
    """Return the space after the comma between two members of one line."""
    if len(members) > 1:
        return text[members[0].end : members[1].at].partition(",")[2]
    return " " if _colon(text).endswith(" ") else ""


def _colon(text: str) -> str:
    """Return the colon with the spaces around it, as the text has it."""
    members = _members(text, _start(text))
    if not members:
        return ": "
    name_end = _DECODER.raw_decode(text, members[0].at)[1]
    return text[name_end : members[0].value_at]


def _unit(text: str) -> str | None:
    """Return one indentation of the text; None where it has none."""
    members = _members(text, _start(text))
    return (_indentation_of_member(text, _start(text), members[0]) or None) if members else None
