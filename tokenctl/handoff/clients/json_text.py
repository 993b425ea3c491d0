"""Change members of a JSON text (RFC 8259), and leave every other character as it is: spaces, tabs, order, numbers."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SPACES = " \t\r\n"
_SPACE = re.compile(f"[{_SPACES}]*")


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
    if not text.strip(_SPACES):
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
    if not text.strip(_SPACES):
        layout = _Layout(line_end="\r\n" if "\r\n" in text else "\n", unit=unit, colon=": ")
        return text + layout.written(_nested(path, value), "") + layout.line_end
    at, known = _found(text, path)
    if len(known) == len(path):
        return text[: known[-1].value_at] + json.dumps(value) + text[known[-1].end :]
    name, new = path[len(known)], _nested(path[len(known) + 1 :], value)
    members = _members(text, at)
    if members:
        return _appended(text, at, members, name, new, _layout(text, unit))
    return _begun(text, at, name, new, _layout(text, unit), alone=not known)


def _appended(text: str, at: int, members: Sequence[Member], name: str, value: Any, layout: "_Layout") -> str:
    """Put a member after the last one of the object at `at`, as the first one is put."""
    before = text[at + 1 : members[0].at]
    if "\n" in before:
        indentation = before.rpartition("\n")[2]
        shown = layout.line_end + indentation + layout.member(name, value, indentation)
    else:
        shown = _between(text, members, layout) + layout.member(name, value, None)
    end = members[-1].end
    return f"{text[:end]},{shown}{text[end:]}"


def _begun(text: str, at: int, name: str, value: Any, layout: "_Layout", *, alone: bool) -> str:
    """Put the first member into the object at `at`; on one line where the text is one. `alone`: the text is `{}`."""
    closing = _skip(text, at + 1)
    if "\n" not in text.strip(_SPACES) and not alone:
        return text[: at + 1] + layout.member(name, value, None) + text[closing:]
    outer = _indentation(text, at)
    shown = f"{layout.line_end}{outer}{layout.unit}{layout.member(name, value, outer + layout.unit)}"
    if "\n" in text[at + 1 : closing]:
        return text[: at + 1] + shown + text[at + 1 :]
    return f"{text[: at + 1]}{shown}{layout.line_end}{outer}{text[closing:]}"


def without_member(text: str, path: Sequence[str]) -> str:
    """Remove the member at a path, and the objects on the way that are empty then. Raises ValueError."""
    read(text)
    at, known = _found(text, path) if text.strip(_SPACES) else (0, [])
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How a text is written: its line ends, one indentation, and the colon with the spaces around it."""

    line_end: str
    unit: str
    colon: str

    def member(self, name: str, value: Any, indentation: str | None) -> str:
        """Write a member; on one line where there is no indentation."""
        return f"{json.dumps(name)}{self.colon}{self.written(value, indentation)}"

    def written(self, value: Any, indentation: str | None) -> str:
        """Write a value."""
        if indentation is None:
            return json.dumps(value, separators=(", " if self.colon.endswith(" ") else ",", self.colon))
        lines = json.dumps(value, indent=self.unit, separators=(",", self.colon)).split("\n")
        return f"{self.line_end}{indentation}".join(lines)


def _layout(text: str, unit: str) -> _Layout:
    """Tell how a text is written; `unit` where it has no indentation."""
    start = _start(text)
    members = _members(text, start)
    colon = ": "
    if members:
        colon = text[_DECODER.raw_decode(text, members[0].at)[1] : members[0].value_at]
        before = text[start + 1 : members[0].at]
        unit = ("\n" in before and before.rpartition("\n")[2]) or unit
    return _Layout(line_end="\r\n" if "\r\n" in text else "\n", unit=unit, colon=colon)


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


def _between(text: str, members: Sequence[Member], layout: _Layout) -> str:
    """Return the space after the comma between two members of one line."""
    if len(members) > 1:
        return text[members[0].end : members[1].at].partition(",")[2]
    return " " if layout.colon.endswith(" ") else ""
