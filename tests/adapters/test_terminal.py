"""The voice on stderr."""

import fcntl
import io
import os
import struct
import sys
import termios
import time
from collections.abc import Iterator
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.commandline import LONG
from tokenctl.adapters.terminal import Terminal, clean
from tokenctl.errors import UsageError

pty = pytest.importorskip("pty")


@pytest.fixture
def ends() -> Iterator[tuple[int, TextIO]]:
    """The two ends of a terminal: where a person types, and a stream that is one."""
    ours, theirs = pty.openpty()
    with open(theirs, "r+b", buffering=0) as raw, io.TextIOWrapper(raw, write_through=True) as stream:
        yield ours, stream
    os.close(ours)


@pytest.fixture
def keyboard(ends: tuple[int, TextIO]) -> int:
    """The end of the terminal where a person types."""
    return ends[0]


@pytest.fixture
def tty(ends: tuple[int, TextIO]) -> TextIO:
    """A stream that is a terminal."""
    return ends[1]


@pytest.mark.parametrize(
    "harmful",
    [
        "\x1b[2J",  # clears the screen
        "\x1b]0;title\x07",  # sets the window's title
        "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",  # a link that says something else
        "\x1b]52;c;aGk=\x07",  # writes to the clipboard
        "\x9b31m\x9d0;x\x9c",  # the same in one character
        "a\rb\nc\td\be\x00\x7f",
        "\u202etxt.exe",  # right to left
        "\u202a\u202b\u202c\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
        "pass\u200bword\u200c\u200d\u2060\ufeff",  # zero width
        "\u2028\u2029\x85",  # line ends
        "\U000e0041\U000e007f",  # invisible tags
        "\ud800",
    ],
)
def test_what_could_move_hide_or_forge_text_is_replaced(harmful: str) -> None:
    """One sign for each, so that a person sees there was something."""
    found = clean(harmful)
    assert len(found) == len(harmful) and found.isprintable() and "\N{REPLACEMENT CHARACTER}" in found


@pytest.mark.parametrize(
    "text", ["", "plain text", "Grüße aus Köln", "日本語", "עברית", "emoji 🙂", "https://a.example/?x=y&z=%20#f"]
)
def test_text_stays_text(text: str) -> None:
    """Every language's letters are left alone."""
    assert clean(text) == text


@given(st.text(st.characters()))
def test_clean_text_is_clean(text: str) -> None:
    """No control character of any kind is left, and cleaning twice changes nothing."""
    found = clean(text)
    assert clean(found) == found and not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in found)


@pytest.mark.parametrize("text", ["a\nb\x1b[2J", "\r\u202e"])
def test_everything_said_is_one_line_and_cleaned(text: str) -> None:
    """Message, warning, error, hint and what stands alone."""
    err = io.StringIO()
    terminal = Terminal({}, err=err, verbose=True)
    terminal.message(text)
    terminal.warning(text)
    terminal.error(text, text)
    terminal.detail(text)
    terminal.plain_line(text)
    assert err.getvalue().splitlines() == [
        *(f"tokenctl: {kind}{clean(text)}" for kind in ("", "warning: ", "error: ", "hint: ", "")),
        clean(text),
    ]
    assert "\x1b" not in err.getvalue()


def test_details_are_for_the_verbose() -> None:
    """Without -v nothing is said of them."""
    err = io.StringIO()
    Terminal({}, err=err).detail("x")
    assert err.getvalue() == ""


def test_a_progress_line_is_for_terminals() -> None:
    """In a pipe it would be noise."""
    err = io.StringIO()
    terminal = Terminal({}, err=err)
    terminal.progress("x")
    terminal.end_progress()
    assert err.getvalue() == ""


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_a_progress_line_never_wraps() -> None:
    """Of a line that took two, only one could be taken away again."""
    controller, terminal = os.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
        with os.fdopen(terminal, "w") as err:
            Terminal({}, err=err).progress("0123456789" * 5)
            assert os.read(controller, 1000).decode().endswith("0123456789012345678")
    finally:
        os.close(controller)


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
def test_a_wait_that_was_short_leaves_the_progress_line_around_it() -> None:
    """Each request of `show --all --introspect` is such a wait: a bar that each of them erased was hardly ever seen."""
    controller, there = os.openpty()
    try:
        with os.fdopen(there, "w") as err:
            terminal = Terminal({}, err=err)
            terminal.progress("1 of 3 profiles")
            with terminal.delayed_progress("waiting for a server"):
                pass
            os.write(there, b"; the end")
            said = b""
            while b"the end" not in said:
                said += os.read(controller, 1000)
            assert said.decode().endswith("1 of 3 profiles; the end")
    finally:
        os.close(controller)


@pytest.mark.parametrize(
    ("environ", "colour"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_no_color_and_a_dumb_terminal_are_honoured(tty: TextIO, environ: dict[str, str], colour: bool) -> None:
    """An empty NO_COLOR is none, as its standard says."""
    assert Terminal(environ, err=tty).colour is colour


def test_a_pipe_is_never_coloured() -> None:
    """Whatever the environment says."""
    err = io.StringIO()
    Terminal({"TERM": "xterm", "FORCE_COLOR": "1"}, err=err).error("x")
    assert err.getvalue() == "tokenctl: error: x\n"


@pytest.mark.parametrize(
    ("environ", "attended"), [({}, True), ({"CI": ""}, True), ({"CI": "true"}, False), ({"CI": "1"}, False)]
)
def test_ci_has_nobody_to_ask(
    tty: TextIO, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], attended: bool
) -> None:
    """Even with a terminal there."""
    monkeypatch.setattr(sys, "stdin", tty)
    assert Terminal(environ).attended is attended


def test_a_question_nobody_hears_is_a_usage_error(tty: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CI set, or with stdin from elsewhere, nothing is asked and nothing waits."""
    monkeypatch.setattr(sys, "stdin", tty)
    err = io.StringIO()
    with pytest.raises(UsageError, match="passphrase: nobody can be asked"):
        Terminal({"CI": "true"}, err=err).ask_secret("passphrase")
    closed = io.StringIO()
    closed.close()
    for stdin in (io.StringIO("typed\n"), closed, None):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(UsageError, match="nobody can be asked"):
            Terminal({}, err=err).ask_secret("passphrase")
    assert err.getvalue() == ""


@pytest.mark.parametrize(
    ("typed", "agreed"), [("y", True), (" Yes ", True), ("n", False), ("", False), ("yesterday", False)]
)
def test_only_a_yes_is_a_yes(
    keyboard: int, tty: TextIO, monkeypatch: pytest.MonkeyPatch, typed: str, agreed: bool
) -> None:
    """A question is asked on stderr, cleaned, and everything but a yes is a no."""
    monkeypatch.setattr(sys, "stdin", tty)
    err = io.StringIO()
    os.write(keyboard, typed.encode() + b"\n")
    assert Terminal({}, err=err).confirm("switch to \x1b[2J?") is agreed
    assert err.getvalue() == "tokenctl: switch to �[2J? [y/N]: "
    with pytest.raises(UsageError, match="nobody can be asked"):
        Terminal({"CI": "true"}, err=err).confirm("switch?")


def test_what_was_typed_before_a_question_is_no_answer(
    keyboard: int, tty: TextIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a sign-in collects lines, a question takes the one that is typed after it."""

    class Person(io.StringIO):
        def write(self, text: str) -> int:
            os.write(keyboard, b"no\n")
            return super().write(text)

    monkeypatch.setattr(sys, "stdin", tty)
    terminal = Terminal({}, err=Person())
    with terminal.lines() as lines:
        os.write(keyboard, b"yes\n")
        while lines.empty():
            time.sleep(0.01)
    assert terminal.confirm("switch?") is False


def test_a_stderr_that_is_gone_fails_nothing() -> None:
    """A closed one, and one whose reader left."""
    closed = io.StringIO()
    closed.close()
    Terminal({}, err=closed).message("x")
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "w", encoding="utf-8", errors="strict", buffering=1) as pipe:
        Terminal({}, err=pipe).message("x")
        os.dup2(os.open(os.devnull, os.O_WRONLY), theirs)


def test_a_stderr_that_never_was_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python starts without one under `2>&-`, and in a program without a console."""
    monkeypatch.setattr(sys, "stderr", None)
    Terminal({}).message("x")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_old_encoding_fails_nothing(encoding: str) -> None:
    """What it has no letter for becomes a question mark."""
    raw = io.BytesIO()
    err = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    Terminal({}, err=err).message("日 \x1b")
    assert raw.getvalue() == b"tokenctl: ? ?\n"


def test_a_wait_that_takes_long_is_told_once() -> None:
    """Two waits for one keyring are announced by one line; one that ends soon by none."""
    said = io.StringIO()
    terminal = Terminal({}, err=said)
    for _ in range(2):
        with terminal.delayed_message(0.01, "waiting for the keyring"):
            while not said.getvalue():
                time.sleep(0.01)
    with terminal.delayed_message(LONG, "waiting for something else"):
        pass
    assert said.getvalue() == "tokenctl: waiting for the keyring\n"


def test_reading_shows_its_share_of_the_bytes_once_it_takes_long(ends: tuple[int, TextIO]) -> None:
    """After a second, and not with -q; every line comes through."""
    ours, stream = ends
    for quiet in (True, False):
        terminal = Terminal({}, err=stream)
        terminal.quiet = quiet
        lines = terminal.measured([b"x" * 10] * 4, 40, "reading the event log")
        with terminal.progressing():
            assert next(lines) == b"x" * 10
            time.sleep(1.2)
            assert next(lines) == b"x" * 10
        assert [*lines] == [b"x" * 10] * 2
        stream.write("|")
    shown = ""
    while shown.count("|") < 2:
        shown += os.read(ours, 4096).decode()
    quiet_part, _, other = shown.partition("|")
    assert quiet_part == "" and "tokenctl: reading the event log [###############....." in other
