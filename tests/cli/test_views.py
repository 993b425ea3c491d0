"""What `show` and `profile` write: tables that fit the terminal, and plain words in a pipe."""

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tokenctl.cli.help import TOPICS, page
from tokenctl.cli.views import document, tables
from tokenctl.cli.views.page import draw_page
from tokenctl.cli.views.tables import fitted, shortened

STATES = ("fresh", "stale", "expired", "login_required", "signing_out", "logged_out")
LONG: list[dict[str, Any]] = [
    {
        "profile": f"{state}-profile-of-a-customer-with-a-long-name",
        "state": state,
        "account": "ada.lovelace.of.the.analytical.engines@subsidiary.example.com",
        "issuer": "https://login.customers.example.com/realms/production/of/europe",
        "access_token": {"expires_in": 680},
        "store": {"kind": "keyring"},
    }
    for state in STATES
]


def drawn(table: object, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Draw at a width, as lines."""
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [70, 80, 120, 300])
def test_a_table_of_sessions_has_one_line_a_profile(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every column is there, names are shortened in the middle, and nothing wraps."""
    monkeypatch.setenv("COLUMNS", str(width))
    lines = drawn(tables.sessions(LONG), width, monkeypatch)
    assert len(lines) == 1 + len(LONG) and all(len(line) <= width for line in lines)
    for head in ("profile", "state", "account", "life left", "issuer", "kept in"):
        assert head in lines[0]
    for line, state in zip(lines[1:], STATES, strict=True):
        assert tables.STATES[state] in line and "11 m 20 s" in line and line.rstrip().endswith("keyring")
        assert line.startswith(state[:3]) and "example.com" in line if width == 300 else "…" in line


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_table_of_profiles_has_one_line_a_profile(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow is never cut, since it is a word to copy."""
    monkeypatch.setenv("COLUMNS", str(width))
    found = [
        {"profile": each["profile"], "issuer": each["issuer"], "flow": "client-credentials", "default": not at}
        for at, each in enumerate(LONG)
    ]
    lines = drawn(tables.profiles(found), width, monkeypatch)
    assert len(lines) == 1 + len(LONG) and all(len(line) <= width for line in lines)
    assert all(line.rstrip().endswith("client-credentials") for line in lines[1:])
    assert lines[1].startswith("*") and not lines[2].startswith("*")


@given(st.text(max_size=40), st.integers(3, 50))
def test_a_shortened_text_keeps_both_ends(text: str, width: int) -> None:
    """And is never wider than it may be, also in writing whose letters take two columns."""
    short = shortened(text, width)
    assert cell_len(short) <= width
    assert short == text if cell_len(text) <= width else "…" in short
    head, _, tail = short.partition("…")
    assert short == text or (text.startswith(head) and text.endswith(tail))


@pytest.mark.parametrize(
    ("widths", "total", "found"),
    [
        ([10, 5, 30], 45, [10, 5, 30]),
        ([10, 5, 30], 35, [10, 5, 20]),
        ([20, 5, 30], 35, [15, 5, 15]),
        ([9, 5, 9], 10, [8, 5, 8]),
    ],
)
def test_the_widest_columns_give_way_first(widths: list[int], total: int, found: list[int]) -> None:
    """Down to a width that still says something."""
    assert fitted(widths, (0, 2), total) == found


def test_a_pipe_gets_words_and_not_pythons() -> None:
    """Lists, truth and absence as a person writes them."""
    found = {
        "a": True,
        "b": {"c": False, "d": ["x", "y"], "e": []},
        "f": [None, True],
        "g": [{"h": 1}],
        "i": None,
        "j": 7,
    }
    assert document.lines(found) == [
        "a: yes",
        "b.c: no",
        "b.d: x, y",
        "b.e: none",
        "f: none, yes",
        'g: [{"h": 1}]',
        "j: 7",
    ]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_sets_no_background(
    topic: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal with dark text, an example on a dark background could not be read."""
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "", "NO_COLOR": ""}.items():
        monkeypatch.setenv(name, value)
    draw_page(page(topic))
    drawn = capsys.readouterr().out
    codes = {code for codes in re.findall(r"\x1b\[([0-9;]+)m", drawn) for code in codes.split(";")}
    assert "1" in codes and not codes & {"48", *map(str, range(40, 48)), *map(str, range(100, 108))}, codes
