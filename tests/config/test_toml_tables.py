"""The tables of a config file, read one at a time: the same as tomllib reads from the whole file."""

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenctl.config.toml_tables import Tables, read

PARTS = (
    *("[profiles.a]", "[profiles.b]", '[profiles."a"]', '[profiles."b.c"]', "  [profiles.c] # mine", "[profiles.a] x"),
    *("[profiles.a.params]", "[profiles.b.api.login]", '[profiles."b.c".params]', "[ profiles.d ]", "[profiles . e]"),
    *("[profiles]", "[profiles.'f']", "[[profiles.g]]", "[profiles.]", "[profiles..h]", "[profile.i]", "[profiles.a"),
    *('[profiles."a]b"]', '[profiles."]"]', '[profiles.a."]"]'),
    *("x = 1", "y = 'z]'", "s = '[profiles.a]'", "l = [1, 2]", "l = [", "[1],", "]", "m = {n = '\\'}", "p.q = true"),
    *('t = """', "t = '''", '"""', "'''", "[profiles.x]\\", "# [profiles.y]", "\t[profiles.z]\t", "", " ", "\r"),
    *("default_profile = 'a'", "profiles.k.x = 1", "profiles = {}", 'u = "\u00fc\u2028[profiles.v]"', "[[1], [2]]"),
)


def outcome(text: str, reader: Callable[[str], Mapping[str, Any]]) -> object:
    """Read everything, and return it with the profiles' order, or the error."""
    try:
        found = reader(text)
        everything = {name: dict(each) if isinstance(each, Mapping) else each for name, each in found.items()}
    except ValueError as reason:
        return str(reason)
    return everything, list(found.get("profiles", ()))


@settings(max_examples=300)
@given(parts=st.lists(st.sampled_from(PARTS), max_size=12), end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_tables_are_what_tomllib_reads_from_the_whole_text(parts: list[str], end: str, last: bool) -> None:
    """The same names in the same order, the same values, and for a text that is not valid the same error."""
    text = end.join(parts) + (end if last else "")
    assert outcome(text, read) == outcome(text, tomllib.loads)


@pytest.mark.parametrize(
    "text",
    [
        'default_profile = "a"\n[profiles.a]\nx = [\n  "y",\n]\n\n# next\n[profiles.a.params]\n[profiles."b.c"]\n',
        "\r\n[profiles.a]\r\nx = 1\r\n  [profiles.a.params]\r\n",
        "# mine\n\n[profiles.a]",
    ],
)
def test_a_usual_file_is_cut(text: str) -> None:
    """With comments, lists over several lines, settings that are tables, quoted names, and the line ends of Windows."""
    assert isinstance(read(text)["profiles"], Tables)


def test_a_table_is_read_when_it_is_asked_for() -> None:
    """A table that is not valid TOML does not keep another one from being read, and its error has the file's line."""
    tables = read("[profiles.a]\nx = 1\n\n[profiles.b]\ny =\n")["profiles"]
    assert (list(tables), "b" in tables, len(tables), tables["a"]) == (["a", "b"], True, 2, {"x": 1})
    with pytest.raises(ValueError, match="line 5"):
        tables["b"]
    with pytest.raises(KeyError):
        tables["c"]
