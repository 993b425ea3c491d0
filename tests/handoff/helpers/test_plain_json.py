"""JSON without the package: it reads what the package reads, and refuses what is doubtful."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.handoff.helpers import plain_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
)
NOISE = st.text(alphabet='{}[]":,\\u0019aeE+-. \t\ntrufalsn\u0000é', max_size=40)


@given(VALUES, st.sampled_from([None, 2]), st.booleans(), st.sampled_from(["", " ", "\n\t\r "]))
def test_every_json_text_is_read(value: Any, indent: int | None, ascii_only: bool, around: str) -> None:
    """As the package reads it, with space around it."""
    text = around + json.dumps(value, indent=indent, ensure_ascii=ascii_only) + around
    assert plain_json.loads(text) == json.loads(text)


@given(NOISE)
def test_what_is_no_json_is_refused(text: str) -> None:
    """With ValueError and nothing else; what is accepted means the same to the package."""
    try:
        found = plain_json.loads(text)
    except ValueError:
        return
    assert found == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "{", "{}{}", "{} x", '{"a":1,"a":2}', '{"a":{"b":1,"b":1}}', "NaN", "[Infinity]", "-Infinity"),
        *("[" * 100_000, '{"a":' * 100_000, "1" * 5000, '"\n"', "\ufeff{}", "'a'", '{"a" 1}', "[1,]"),
    ],
)
def test_doubtful_json_is_refused(text: str) -> None:
    """Two values, a name that is there twice, what is no number in JSON, and what is too deep or too long."""
    with pytest.raises(ValueError, match=r"\w"):
        plain_json.loads(text)


@pytest.mark.parametrize("text", ["[]", '"a"', "1", "null", ""])
def test_members_are_those_of_an_object(text: str) -> None:
    """Every other value is refused."""
    assert plain_json.members('{"a": [1]}') == {"a": [1]}
    with pytest.raises(ValueError, match=r"\w"):
        plain_json.members(text)


@given(st.text())
def test_a_string_is_written_as_the_package_writes_it(text: str) -> None:
    """In ASCII, whatever it has."""
    assert plain_json.quoted(text) == json.dumps(text)


@pytest.mark.slow
def test_the_package_is_not_loaded() -> None:
    """Its import costs as much as half an interpreter's start."""
    source = (
        "import sys; from tokenctl.handoff.helpers import plain_json as p;"
        "p.members('{\"a\": 1}'); p.quoted('a'); print({'json', 're', 'json.scanner'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
