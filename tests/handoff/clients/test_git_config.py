"""git's configuration files are read as git reads them: its own `git config` is asked what is right."""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.real_parts import available, program
from tokenctl.handoff.clients.git_config import parsed, written
from tokenctl.handoff.clients.wanted import Unreadable

FILE = Path("/home/you/.gitconfig")
pieces = st.sampled_from(
    [
        *("\n", "\r\n", "\r", " ", "\t", "#", ";", "\\", '"', "=", "[", "]", "a", "x-1", "é", "\ufeff", "."),
        *("[core]", '[core "x"]', '[Credential "https://GIT.example.com:443/"]', "[credential]", "[a.B]\n"),
        *("\tname = value\n", "helper = store\n", "\thelper =\n", "key\n", "# comment\n", "\\\n", '"a b"', "\\t"),
    ]
)
texts = st.lists(pieces, max_size=12).map("".join)
"""Files in which everything can be that means something to git."""


def listed(text: str) -> list[tuple[str, str | None]]:
    """The keys and values of a configuration file, as git itself reads them."""
    with available():
        git = program("git")
    command = [git, "config", "--file", "-", "--list", "-z"]
    done = subprocess.run(command, input=text.encode(errors="surrogateescape"), capture_output=True, check=True)
    found = [each.partition("\n") for each in done.stdout.decode(errors="surrogateescape").split("\0")[:-1]]
    return [(key, value if newline else None) for key, newline, value in found]


def read(text: str) -> list[tuple[str, str | None]]:
    """The same, as we read them."""
    return [(".".join(each for each in entry.name if each), entry.value) for entry in parsed(text, FILE)[1]]


def squeezed(pairs: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """The same with one space for several: git before 2.45 did that to values."""
    return [(name, value if value is None else " ".join(value.split())) for name, value in pairs]


@given(texts)
@example('[a.B.c]\n\td = e\n[A "O\\"r]\\\\g\\x"]d\n[a] [b] c=\n')
@example('[a]\n\tb = c\\\n\\\n  d ; e\\\n\tf = "g ;" h\t \ni\\')
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_read_is_what_git_reads(text: str) -> None:
    """Names, values and their order; and what git refuses is refused."""
    try:
        found = squeezed(read(text))
    except Unreadable:
        with pytest.raises(subprocess.CalledProcessError):
            listed(text)
    else:
        assert found == squeezed(listed(text))


@given(texts)
def test_each_part_is_where_it_says(text: str) -> None:
    """A section from its bracket to its bracket, an entry up to its line's end; in their order, and none in another."""
    try:
        sections, entries = parsed(text, FILE)
    except Unreadable:
        return
    for section in sections:
        assert (text[section.start], text[section.end - 1]) == ("[", "]")
    for entry in entries:
        lines = text[entry.start : entry.end]
        assert lines.lstrip("\ufeff \t\r").lower().startswith(entry.key)
        assert lines.endswith("\n") or entry.end == len(text)
    parts = sorted([(each.start, each.end) for each in sections] + [(each.start, each.end) for each in entries])
    assert all(end <= start for (_, end), (start, _) in pairwise(parts))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\b"), max_size=20))
def test_a_value_of_any_kind_is_read_as_it_was_written(value: str) -> None:
    """Also with what begins a comment, and with spaces at the ends."""
    assert parsed(f"[a]\n\tb = {written(value)}\n", FILE)[1][0].value == value
