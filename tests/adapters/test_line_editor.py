"""A line while it is typed or pasted: the keys of a terminal, marks of a paste, addresses that were broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.adapters.line_editor import PASTE_BEGINS, PASTE_ENDS, Keys, LineEditor, addresses, unquoted

URL = "http://127.0.0.1:8400/callback?code=abc&state=xyz"


def typed(keys: bytes) -> tuple[str, bytes]:
    """Press the keys, and return the line and what the terminal shows of it."""
    editor = LineEditor(Keys())
    shown = b"".join(editor.press(key) for key in keys)
    return editor.text.decode(), shown


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"abd\x7fc", "abc"),
        (b"abd\x08c", "abc"),
        ("Köl\x7f\x7fn".encode(), "Kn"),
        ("日本\x7f語".encode(), "日語"),
        (b"\x7f\x7fa", "a"),
        (b"wrong\x15right", "right"),
        (b"two words\x17", "two "),
        (b"a\x1b[Db\x1b[1;5Cc\x1bOPd", "abcd"),
        (b"\x1bab", "ab"),
        (b"ab\x04c", "abc"),
    ],
    ids=["Backspace", "Ctrl-H", "umlaut", "wide", "nothing to erase", "Ctrl-U", "Ctrl-W", "arrows", "Escape", "Ctrl-D"],
)
def test_the_keys_of_a_terminal_edit_the_line(keys: bytes, line: str) -> None:
    """Whole characters are erased, and keys that only move a cursor leave nothing in the line."""
    assert typed(keys)[0] == line


def test_erasing_takes_the_columns_that_were_shown() -> None:
    """A wide character has two columns."""
    assert typed("日\x7f".encode())[1].endswith(b"\b \b\b \b")
    assert typed(b"abc\x15")[1] == b"abc" + b"\b \b" * 3


@pytest.mark.parametrize(("keys", "closed"), [(b"\x04", True), (b"a\x04", False), (b"\r", False), (b"\n", False)])
def test_only_ctrl_d_at_the_beginning_closes(keys: bytes, closed: bool) -> None:
    """After the first character Ctrl-D does nothing."""
    editor = LineEditor(Keys())
    for key in keys:
        editor.press(key)
    assert editor.closed is closed


def test_line_ends_of_a_marked_paste_are_text() -> None:
    """Only Enter after the paste ends the line, and the marks are not in it."""
    editor = LineEditor(Keys())
    for key in PASTE_BEGINS + b"one\r\ntwo\n\x04\x15" + PASTE_ENDS:
        editor.press(key)
    before_enter = editor.ended
    assert not before_enter and editor.text == b"one\r\ntwo\n\x04\x15"
    editor.press(0x0D)
    assert editor.ended and not editor.closed


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200))
def test_every_text_is_taken_whole(text: str) -> None:
    """Nothing of what has no control characters is lost."""
    assert typed(text.encode())[0] == text


@pytest.mark.parametrize(
    "pasted", [f" {URL} ", f"'{URL}'", f'"{URL}"', f"<{URL}>", f"`{URL}`", f"\u201c{URL}\u201d", f"  < {URL} >\t"]
)
def test_what_stands_around_an_address_is_removed(pasted: str) -> None:
    """Blanks, quotation marks and angle brackets come with a copy."""
    assert unquoted(pasted) == URL
    assert list(addresses(pasted)) == [(URL,)]


@pytest.mark.parametrize("text", ["'", "a'b", "'a", "<a", "a>"])
def test_half_a_pair_is_text(text: str) -> None:
    """Only a whole pair is removed."""
    assert unquoted(text) == text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n  "])
@pytest.mark.parametrize("around", ["{}", "<{}>", "'{}'"])
def test_an_address_that_a_mail_program_broke_is_joined(end: str, around: str) -> None:
    """The whole one is tried first."""
    pasted = around.format(f"{URL[:30]}{end}{URL[30:45]}{end}{URL[45:]}")
    [forms] = addresses(pasted)
    assert forms[0] == URL


def test_what_stands_below_an_address_is_not_a_part_of_it() -> None:
    """A line with blanks or with a scheme begins something else; a word can be a part, so the address alone is tried too."""
    assert list(addresses(f"{URL}\nSent from my phone")) == [(URL,), ("Sent from my phone",)]
    assert list(addresses(f"{URL}\n{URL}2")) == [(URL,), (f"{URL}2",)]
    assert list(addresses(f"{URL}\nGreetings")) == [(f"{URL}Greetings", URL)]
