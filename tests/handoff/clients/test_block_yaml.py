"""The part of YAML that kubectl writes: read as YAML reads it, or refused."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.config_files.kubectl import FILES, REFUSED
from tokenctl.handoff.clients.block_yaml import Node, NotUnderstood, read


def plain(node: Node) -> object:
    """Return what a node has, without its lines."""
    if node.members:
        return {key: plain(member) for key, member in node.members.items()}
    return [plain(item) for item in node.items] or node.text


UNDERSTOOD = {
    "a: b": {"a": "b"},
    "a:\n- b\n- c: d\n  e: f\n": {"a": ["b", {"c": "d", "e": "f"}]},
    "a:\n  -   b: c\n      d: e\n": {"a": [{"b": "c", "d": "e"}]},
    "- a\n": None,
    "a: 'it''s' # c": {"a": "it's"},
    'a: "\\u0041\\n#"': {"a": "A\n#"},
    "a: b#c # d": {"a": "b#c"},
    "a: null\nb: ~\nc:\nd: {}\ne: []\nf: 'null'": {"a": None, "b": None, "c": None, "d": None, "e": None, "f": "null"},
    "a: http://b:c": {"a": "http://b:c"},
    "a: [b, c]\n": {"a": "[b, c]"},
    "a: b\n  c\n  - d\ne: f": {"a": "b c - d", "e": "f"},
    "a: |\n  b: c\n  d\ne: f": {"a": "| b: c d", "e": "f"},
    "---\r\n# c\r\na: b\r\n": {"a": "b"},
    "": None,
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_understood(text: str) -> None:
    """What kubectl and people write is read as YAML reads it; a document that is no mapping is refused."""
    if text.startswith("-") and not text.startswith("---"):
        with pytest.raises(NotUnderstood):
            read(text)
    else:
        assert plain(read(text)) == UNDERSTOOD[text]


@pytest.mark.parametrize(
    "text",
    [
        "a:\n" + "- " * 5000 + "b",
        "a: &b c", "a: *b", "a: !b c", "a: b: c", "a:\n\tb: c", "a: b\tc", 'a: "b\n  c"', "a: {b: {c: d}}", "a: [b", "? a",
        "a: b\n c: d", "a: 'b' c", "a: b\na: c", "a: b\n---\nc: d", "a: b\n...\n", "%YAML 1.1\n---\na: b", "{a: b}", "a",
        "a:\n  b: c\n d: e", "-\n  a: b", "a: b # c\n  d", "a: b\n# c\n  d", "\ufeffa: b", "a: \udcff", "#\ra: b", 'a: "\\x41"',
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    """The rest of YAML, and what is no YAML, is refused."""
    with pytest.raises(NotUnderstood):
        read(text)


@given(st.data())
def test_lines_belong_to_one_node(data: st.DataObject) -> None:
    """However a file is cut and mixed, it is refused, or each node has its own lines inside of its parent's."""
    files = [content for content in [*FILES.values(), *REFUSED.values()] if content]
    lines = data.draw(st.sampled_from(files)).decode(errors="surrogateescape").split("\n")
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(
                st.sampled_from([*lines, "  " + lines[at], lines[at].lstrip(), "# c", "- x", "a: |", "'"]), max_size=2
            )
        )
        lines = lines or [""]
    with suppress(NotUnderstood):
        check(read("\n".join(lines)))


def check(node: Node) -> None:
    """Check the lines of a node and of all in it."""
    inside = [*node.members.values(), *node.items]
    assert all(node.begin <= each.begin < each.end <= node.end for each in inside)
    assert all(one.end <= other.begin for one, other in pairwise(inside))
    for each in inside:
        check(each)
