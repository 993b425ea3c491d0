"""The part of YAML that kubectl writes: mappings and lists in block style.

What is read knows its lines, so that a change can leave all others as they are. The rest of YAML (anchors, tags, several
documents, quoted texts over several lines without backslashes, tabs) is refused. A library that writes YAML would not keep every byte, and one
that reads it would be a dependency for one client.
"""

import json
import re
from dataclasses import dataclass, field, replace

from tokenctl.handoff.clients.lines import lines_of

_KEY = re.compile(r"""([\w./-]+|"[^"\\]*"|'[^']*'):(?=\s|$)[ ]*""")
_QUOTED = r"""(?:"(?:\\.|[^"\\])*"|'(?:''|[^'])*')"""
_INSIDE = rf"""(?:{_QUOTED}|-*[\w./=](?:[^,\[\]{{}}\#"':?]|:[^\s,\[\]{{}}])*)"""
_MEMBER = rf"[\w./-]+:[ ]+{_INSIDE}"
_VALUE = re.compile(
    rf"""(?: (?P<quoted> {_QUOTED} ) | (?P<block> [|>][-+]? )
    | (?P<flow> \[[ ]*(?:{_INSIDE}(?:,[ ]*{_INSIDE})*)?\] | {{[ ]*(?:{_MEMBER}(?:,[ ]*{_MEMBER})*[ ]*)?}} )
    | (?P<plain> [^\s"'{{}}\[\],&*!|>%@`\#?-].*? | -[^\s].*? | ) )
    [ ]*(?:(?:^|(?<=\s))\#.*)?""",
    re.VERBOSE,
)
_GOES_ON = re.compile(r"""(?:\\.|[^"\\])*\\""")
_BEGUN = re.compile(rf'"{_GOES_ON.pattern}')
_ENDED = re.compile(r"""(?:\\.|[^"\\])*"(?:[ ]+\#.*)?""")
_NOT_MORE = re.compile(r":(\s|$)|\s\#|[^\S ]")
_NEVER = re.compile(r"[\udc80-\udcff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|\r(?!\n)")
_DEEPEST = 100
"""Columns of indentation: what is further to the right is no kubeconfig, and could be too deep for Python's stack."""
_NULLS = ("", "~", "null", "Null", "NULL")


class NotUnderstood(Exception):
    """The line with this number, from 1, is not in this part of YAML."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value: `members` of a mapping, `items` of a list, or the `text` of a scalar; a null has nothing.

    `begin` and `end` are the numbers of its lines, from 0, `end` behind the last. `column` is the indentation of its
    members or items; of a scalar `column` and `stop` are where it is written in its line. `flow` tells that it is between
    brackets in one line, or a text in block style, and was not read further.
    """

    begin: int
    end: int
    column: int
    stop: int = 0
    text: str | None = None
    flow: bool = False
    members: dict[str, "Node"] = field(default_factory=dict)
    items: list["Node"] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether it is null, an empty text, an empty mapping or an empty list."""
        return not (self.text or self.members or self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    column: int
    content: str


def read(text: str) -> Node:
    """Read a document that is a mapping. Raises NotUnderstood."""
    if match := _NEVER.search(text):
        raise NotUnderstood(text.count("\n", 0, match.start()) + 1)
    found, begun = list[_Line](), False
    for number, line in enumerate(lines_of(text)):
        content = line.rstrip("\r\n").rstrip(" ")
        bare = content.lstrip(" ")
        if bare and not bare.startswith("#"):
            if content != "---" or begun:
                found.append(_Line(number=number, column=len(content) - len(bare), content=bare))
            begun = True
    if not found:
        return Node(begin=0, end=0, column=0)
    node, rest = _block(found)
    if rest or not node.members:
        raise NotUnderstood((rest or found)[0].number + 1)
    return node


def _block(lines: list[_Line], outside: int = -1) -> tuple[Node, list[_Line]]:
    """Read the value that begins with the first line, inside of what is at the column `outside`; return the rest too."""
    if lines[0].column > _DEEPEST:
        raise NotUnderstood(lines[0].number + 1)
    if _is_item(lines[0]):
        return _list(lines)
    if _KEY.match(lines[0].content):
        return _mapping(lines)
    return _text(lines, 0, outside)


def _is_item(line: _Line) -> bool:
    return line.content == "-" or line.content.startswith("- ")


def _mapping(lines: list[_Line]) -> tuple[Node, list[_Line]]:
    column, begin, members = lines[0].column, lines[0].number, dict[str, Node]()
    end = begin
    while lines and lines[0].column == column and (match := _KEY.match(lines[0].content)):
        key = match[1].strip("\"'")
        if key in members:
            raise NotUnderstood(lines[0].number + 1)
        members[key], lines = _member(lines, match.end())
        end = members[key].end
    if lines and lines[0].column > column:
        raise NotUnderstood(lines[0].number + 1)
    return Node(begin=begin, end=end, column=column, members=members), lines


def _member(lines: list[_Line], at: int) -> tuple[Node, list[_Line]]:
    """Read the value of a key; `at` is where it begins in its line."""
    first, below = lines[0], lines[1:]
    inside = below and (below[0].column > first.column or (below[0].column == first.column and _is_item(below[0])))
    if inside and (at == len(first.content) or first.content[at] == "#"):
        return _block(below, first.column)
    return _text(lines, at, first.column)


def _text(lines: list[_Line], at: int, outside: int) -> tuple[Node, list[_Line]]:
    """Read a scalar that begins at a character of the first line, and goes on in the lines to the right of `outside`."""
    first, rest = lines[0], lines[1:]
    if _BEGUN.fullmatch(first.content, at):
        return _over_lines(lines, at, outside)
    value, sign = _scalar(first, at), first.content[at : at + 1]
    words, column = [first.content[at:]], rest[0].column if rest else 0
    if sign in ("|", ">") or (sign not in ("", '"', "'", "[", "{") and value.stop == first.column + len(first.content)):
        while rest and rest[0].column > outside and rest[0].number == first.number + len(words):
            if rest[0].column < column if sign in ("|", ">") else _NOT_MORE.search(rest[0].content):
                raise NotUnderstood(rest[0].number + 1)
            words.append(rest[0].content)
            rest = rest[1:]
    if words[1:]:
        return replace(value, end=first.number + len(words), text=" ".join(words), flow=sign in ("|", ">")), rest
    return value, rest


def _over_lines(lines: list[_Line], at: int, outside: int) -> tuple[Node, list[_Line]]:
    """Read over a text in double quotes whose lines end with a backslash, as Rancher writes certificates."""
    first = lines[0]
    for i, line in enumerate(lines[1:], 1):
        if line.number != first.number + i or line.column <= outside:
            break
        if _ENDED.fullmatch(line.content):
            return Node(
                begin=first.number, end=line.number + 1, column=first.column + at, text="...", flow=True
            ), lines[i + 1 :]
        if not _GOES_ON.fullmatch(line.content):
            break
    raise NotUnderstood(first.number + 1)


def _list(lines: list[_Line]) -> tuple[Node, list[_Line]]:
    column, begin, items = lines[0].column, lines[0].number, list[Node]()
    while lines and lines[0].column == column and _is_item(lines[0]):
        first = lines[0]
        inner = first.content[1:].lstrip(" ")
        if not inner:
            raise NotUnderstood(first.number + 1)
        shifted = _Line(number=first.number, column=column + len(first.content) - len(inner), content=inner)
        item, lines = _block([shifted, *lines[1:]], column)
        items.append(item)
    if lines and lines[0].column > column:
        raise NotUnderstood(lines[0].number + 1)
    return Node(begin=begin, end=items[-1].end, column=column, items=items), lines


def _scalar(line: _Line, at: int) -> Node:
    """Read the value that begins at a character of a line and ends in that line."""
    match = _VALUE.fullmatch(line.content, at)
    if match is None or "\t" in line.content or not line.content.isprintable():
        raise NotUnderstood(line.number + 1)
    text: str | None = match["plain"]
    if (quoted := match["quoted"]) is not None:
        try:
            text = str(json.loads(quoted)) if quoted[0] == '"' else quoted[1:-1].replace("''", "'")
        except ValueError:
            raise NotUnderstood(line.number + 1) from None
    elif match["flow"] is not None:
        text = match["flow"][1:-1].strip(" ") and match["flow"]
    elif text is not None and (": " in text or text.endswith(":")):
        raise NotUnderstood(line.number + 1)
    if not match["quoted"] and text in _NULLS:
        text = None
    stop = max(match.end(name) for name in ("plain", "quoted", "flow", "block"))
    return Node(
        begin=line.number,
        end=line.number + 1,
        column=line.column + at,
        stop=line.column + stop,
        text=text,
        flow=match["flow"] is not None,
    )
