"""Members of a JSON text that are set and removed, in every form that JSON has."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.clients.json_text import read, with_member, without_member
from tokenctl.handoff.clients.patch import patch

NAMES = st.sampled_from(["a", "b", "c", 'q"', "\\", "é", "", "{", "\U0001f600"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)
SPACES = st.sampled_from(["", " ", "\n", "\t", "\r\n  ", " \n"])
PATHS = st.lists(NAMES, min_size=1, max_size=3)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Write an object with any spaces between its parts."""

    def written(value: Any) -> str:
        space = draw(SPACES)
        if isinstance(value, dict):
            parts = [f"{json.dumps(name)}{draw(SPACES)}:{space}{written(each)}" for name, each in value.items()]
            return "{" + space + f"{draw(SPACES)},{space}".join(parts) + draw(SPACES) + "}"
        if isinstance(value, list):
            return "[" + f"{space},".join(map(written, value)) + space + "]"
        return json.dumps(value, ensure_ascii=draw(st.booleans()))

    found = draw(OBJECTS)
    if draw(st.booleans()):
        return json.dumps(found, indent=draw(st.sampled_from([None, 0, 2, "\t"]))) + draw(SPACES)
    return draw(SPACES) + written(found) + draw(SPACES)


def changed(document: dict[str, Any], path: list[str], value: Any) -> dict[str, Any] | None:
    """Set a value in a document; None where that cannot be done."""
    whole = json.loads(json.dumps(document))
    inner = whole
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            return None
    inner[path[-1]] = value
    return dict(whole)


@given(texts(), PATHS)
def test_set(text: str, path: list[str]) -> None:
    """The text says what it must, and every character of before is there, but a value that was replaced."""
    expected = changed(read(text), path, "new")
    try:
        found = with_member(text, path, "new")
    except ValueError:
        assert expected is None
        return
    assert read(found) == expected
    if changed(read(text), path, None) != read(text) and read(without_member(text, path)) == read(text):
        assert "".join(each.removed for each in patch(text, found).edits).strip() == ""


@given(texts(), PATHS)
def test_removed(text: str, path: list[str]) -> None:
    """What was set can be removed, and nothing else is lost, but objects that are empty then."""
    try:
        found = without_member(with_member(text, path, "new"), path)
    except ValueError:
        return
    expected = changed(read(text), path, "new") or {}

    def drop(inner: dict[str, Any], names: list[str]) -> None:
        if names[1:]:
            drop(inner[names[0]], names[1:])
        if not names[1:] or inner[names[0]] == {}:
            del inner[names[0]]

    drop(expected, path)
    assert read(found) == expected


@given(st.text(st.sampled_from('{}[]",:a1 \n\\/'), max_size=30))
def test_whatever_is_there(text: str) -> None:
    """A text that is no JSON object is refused, and never changed into something else."""
    try:
        before = read(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            with_member(text, ["k"], "v")
        with pytest.raises(ValueError, match=r"."):
            without_member(text, ["k"])
    else:
        assert read(with_member(text, ["k"], "v")) == before | {"k": "v"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '{\n  "a": {\n    "b": "v"\n  }\n}\n'),
        ("{}", '{\n  "a": {\n    "b": "v"\n  }\n}'),
        ('{"x":1}', '{"x":1,"a":{"b":"v"}}'),
        ('{ "x": 1, "y": 2 }', '{ "x": 1, "y": 2, "a": {"b": "v"} }'),
        ('{\n\t"x": 1\n}', '{\n\t"x": 1,\n\t"a": {\n\t\t"b": "v"\n\t}\n}'),
        ('{\r\n  "a": {}\r\n}\r\n', '{\r\n  "a": {\r\n    "b": "v"\r\n  }\r\n}\r\n'),
        ('{\n  "a": {\n    "x": 1\n  }\n}', '{\n  "a": {\n    "x": 1,\n    "b": "v"\n  }\n}'),
        ('{\n  "a": {"b": "old", "c": 1}\n}', '{\n  "a": {"b": "v", "c": 1}\n}'),
    ],
)
def test_it_is_written_as_the_rest(text: str, expected: str) -> None:
    """A member has the indentation, the line ends and the spaces of the text that it comes into."""
    assert with_member(text, ["a", "b"], "v") == expected
