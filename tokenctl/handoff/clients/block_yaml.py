"""The part of YAML that kubectl writes: mappings and lists in block style, and values of one line.

What is read knows its lines, so that a change can leave all others as they are. The rest of YAML (anchors, tags, several
documents, values over several lines, tabs) is not understood, and said so. No YAML library keeps a file as it is, so none is
among our dependencies.
"""

import json
import re
from dataclasses import dataclass, field

from tokenctl.handoff.clients.lines import lines_of

_KEY = re.compile(r"""([\w./-]+|"[^"\\]*"|'[^']*'):(?=\s|$)[ ]*""")
_VALUE = re.compile(
    r"""(?: (?P<double> "(?:\\.|[^"\\])*" ) | (?P<single> '(?:''|[^'])*' )
    | (?P<flow> [{\[].*[}\]] ) | (?P<block> [|>][-+0-9]* ) | (?P<plain> [^\s"'{}\[\],&*!|>%@`\#?-].*? | -[^\s].*? | ) )
    [ ]*(?:(?:^|(?<=\s))\#.*)?""",
    re.VERBOSE,
)
_NO_UTF_8 = re.compile("[\udc80-\udcff]")
_NULLS = ("", "~", "null", "Null", "NULL")


class NotUnderstood(Exception):
    """The line with this number, from 1, is not in this part of YAML."""

    def __init__(self, number: int) -> None:
        super().__init__(f"line {number}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value: `members` of a mapping, `items` of a list, or the `text` of a scalar; a null has nothing.

    `begin` and `end` are the numbers of its lines, from 0, `end` behind the last. `column` is the indentation of its
    members or items; of a scalar `column` and `stop` are where it is written in its line. `flow` tells that it
    is written between brackets in one line, and was not read further.
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
    if match := _NO_UTF_8.search(text):
        raise NotUnderstood(text.count("\n", 0, match.start()) + 1)
    found = list[_Line]()
    for number, line in enumerate(lines_of(text)):
        content = line.rstrip("\r\n").rstrip(" ")
        bare = content.lstrip(" ")
        if bare and not bare.startswith("#") and not (content == "---" and not found):
            found.append(_Line(number=number, column=len(content) - len(bare), content=bare))
    if not found:
        return Node(begin=0, end=0, column=0)
    node, rest = _block(found)
    if rest or not node.members:
        raise NotUnderstood((rest or found)[0].number + 1)
    return node


def _block(lines: list[_Line]) -> tuple[Node, list[_Line]]:
    """Read the mapping, the list or the scalar that begins with the first line; return what follows too."""
    first = lines[0]
    if re.match(r"-(\s|$)", first.content):
        return _list(lines)
    if _KEY.match(first.content):
        return _mapping(lines)
    return _scalar(first, 0), lines[1:]


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
    value = _scalar(first, at)
    inside = [line for line in below[:1] if line.column > first.column]
    same = [line for line in below[:1] if line.column == first.column and re.match(r"-(\s|$)", line.content)]
    if first.content[at : at + 1] in ("|", ">"):
        while below and below[0].column > first.column:
            value, below = Node(begin=first.number, end=below[0].number + 1, column=0, text="|", flow=True), below[1:]
        return value, below
    if value.text is None and value.column == value.stop and (inside or same):
        return _block(below)
    return value, below


def _list(lines: list[_Line]) -> tuple[Node, list[_Line]]:
    column, begin, items = lines[0].column, lines[0].number, list[Node]()
    while lines and lines[0].column == column and re.match(r"-(\s|$)", lines[0].content):
        first = lines[0]
        inner = first.content[1:].lstrip(" ")
        if not inner:
            raise NotUnderstood(first.number + 1)
        shifted = _Line(number=first.number, column=column + len(first.content) - len(inner), content=inner)
        item, lines = _block([shifted, *lines[1:]])
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
    stop = match.end("plain")
    if match["double"] is not None:
        try:
            text = str(json.loads(match["double"]))
        except ValueError:
            raise NotUnderstood(line.number + 1) from None
    elif match["single"] is not None:
        text = match["single"][1:-1].replace("''", "'")
    elif match["flow"] is not None:
        text = None if re.fullmatch(r"\{\s*\}|\[\s*\]", match["flow"]) else match["flow"]
    elif text is not None and (": " in text or text.endswith(":")):
        raise NotUnderstood(line.number + 1)
    elif text in _NULLS:
        text = None
    stop = max(match.end(name) for name in ("plain", "double", "single", "flow", "block"))
    return Node(
        begin=line.number,
        end=line.number + 1,
        column=line.column + at,
        stop=line.column + stop,
        text=text,
        flow=match["flow"] is not None,
    )
