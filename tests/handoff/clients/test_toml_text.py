"""Values of a TOML text that are set and removed, in the forms that people write."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.clients.patch import patch
from tokenctl.handoff.clients.toml_text import read, with_value, without_value

PARTS = st.sampled_from(
    [
        "# a comment\n",
        "\n",
        "[a]\n",
        "[a.b]\n",
        "  [ a . b ]  # ours\n",
        '["a".b]\n',
        "[[c]]\n",
        "x = 1\n",
        "y = '''\n[a.b]\nk = 2\n'''\n",
        "a.b.x = 2\n",
        "a = { b = { x = 3 } }\n",
        "b = { x = 4 } # four\n",
        "b = {x=4}",
        'k = ["v",\n  "w", # two\n]\n',
        "k = 'old' # mine\n",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Write lines in any order, with any line end, and perhaps a byte order mark or without the last newline."""
    text = "".join(draw(st.lists(PARTS, max_size=7)))
    text = text.removesuffix("\n") if draw(st.booleans()) else text
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return ("\ufeff" if draw(st.booleans()) else "") + text


@given(texts(), st.sampled_from([("k",), ("a", "k"), ("a", "b", "k"), ("c", 0, "k"), ("new", "k")]))
def test_set_and_removed(text: str, path: tuple[str | int, ...]) -> None:
    """A value is set or refused; all characters of before are there; and it can be removed again."""
    try:
        before = read(text)
    except ValueError:
        return
    inner = before
    try:
        for name in path[:-1]:
            inner = inner[name]  # type: ignore[index]
        if "k" in inner:
            assert "k" not in _at(read(without_value(text, path)), path)
            return
    except (KeyError, IndexError, TypeError):
        pass
    try:
        found = with_value(text, path, ["v"], mark=True)
    except (ValueError, IndexError, KeyError, TypeError):
        return
    assert _at(read(found), path)["k"] == ["v"]
    assert "".join(each.removed for each in patch(text, found).edits).strip() == ""
    assert _full(read(without_value(found, path))) == _full(before)


def _at(document: object, path: tuple[str | int, ...]) -> dict[str, object]:
    for name in path[:-1]:
        document = document.get(name, {}) if isinstance(document, dict) else document[name]  # type: ignore[index]
    assert isinstance(document, dict)
    return document


def _full(document: object) -> object:
    """Leave out the tables that are empty: a header alone says nothing."""
    if isinstance(document, dict):
        return {name: full for name, each in document.items() if (full := _full(each)) != {}}
    return [_full(each) for each in document] if isinstance(document, list) else document


def test_a_header_in_a_text_is_none() -> None:
    """A line in a text that looks like the header is found out."""
    text = "y = '''\n[a]\n'''\n[a]\nx = 1\n"
    found = with_value(text, ("a", "k"), "v")
    assert found == "y = '''\n[a]\n'''\n[a]\nk = \"v\"\nx = 1\n"
    assert tomllib.loads(found)["a"] == {"k": "v", "x": 1}
