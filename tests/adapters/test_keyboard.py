"""Questions at a real terminal: what is pasted is taken whole, and the terminal is left as it was found."""

import io
import sys
from collections.abc import Iterator

import pytest

from tests.killing.scene import wait_until
from tests.support.attended import CTRL_C, CTRL_D, attended
from tests.support.commandline import LONG, Home
from tests.support.demo_server import Make
from tests.support.desk import Desk, at_desk
from tokenctl.adapters.terminal import Terminal
from tokenctl.errors import UsageError

LONG_ADDRESS = "https://login.example.com/?code=" + "x" * 20_000
LONG_SECRET = "s" * 20_000


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A terminal that is this process's stdin."""
    with at_desk(monkeypatch) as desk:
        yield desk


def ask(question: str = "the address") -> str:
    """Ask, with messages to nowhere."""
    return Terminal({}, err=io.StringIO()).ask(question)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_of_any_length_is_read_whole(desk: Desk, end: bytes) -> None:
    """A terminal's own editing would keep 4,095 characters; afterwards the terminal is as before."""
    before = desk.mode
    desk.type(LONG_ADDRESS.encode() + end)
    assert ask() == LONG_ADDRESS
    assert desk.mode == before


def test_what_is_typed_is_shown_and_can_be_erased(desk: Desk) -> None:
    """The line on the screen is the line that is taken."""
    desk.type(b"wrong\x15abd\x7fc\r")
    assert ask() == "abc"
    wait_until(lambda: desk.shown.endswith(b"abd\b \bc\r\n"))


def test_a_marked_paste_is_taken_without_its_marks(desk: Desk) -> None:
    """Its line end is not the end of the answer, and is not in it."""
    desk.type(b"\x1b[200~ 'https://login.example.com'\r\n\x1b[201~\r")
    assert ask() == "https://login.example.com"


def test_windows_line_ends_answer_one_question_each(desk: Desk) -> None:
    """The second half of a line end is no empty answer to the next question."""
    terminal = Terminal({}, err=io.StringIO())
    desk.type(b"one\r\ntwo\r\n")
    assert [terminal.ask("first", "default"), terminal.ask("second", "default")] == ["one", "two"]


def test_what_was_typed_before_the_question_is_kept(desk: Desk) -> None:
    """A person who is faster than the program is no reason to lose an answer, nor the next one."""
    desk.type_now(b"one\ntwo\n")
    terminal = Terminal({}, err=io.StringIO())
    assert [terminal.ask("first"), terminal.ask("second")] == ["one", "two"]


def test_what_the_terminal_cut_before_the_question_is_an_error(desk: Desk) -> None:
    """Before the question the terminal's own limit holds, and a part of an answer is never taken for the whole."""
    desk.type_now(b"x" * 4000)
    desk.type_now(b"x" * 4000)
    wait_until(lambda: len(desk.shown) >= 4095)
    desk.type(b"\r")
    with pytest.raises(UsageError, match="was cut"):
        ask()


def test_ctrl_d_is_no_answer(desk: Desk) -> None:
    """It ends the question, and the terminal is as before."""
    before = desk.mode
    desk.type(CTRL_D)
    with pytest.raises(UsageError, match="no answer"):
        ask()
    assert desk.mode == before


def test_ctrl_d_from_before_the_question_is_no_answer(desk: Desk) -> None:
    """A person who has given up already is not asked."""
    desk.type_now(b"x\n" + CTRL_D)
    wait_until(lambda: desk.shown.endswith(b"\n"))
    assert ask() == "x"
    with pytest.raises(UsageError, match="no answer"):
        ask()


def test_lines_are_collected_while_something_else_goes_on(desk: Desk) -> None:
    """Each is whole, and after the block the terminal is as before, and nobody reads any more."""
    before = desk.mode
    with Terminal({}, err=io.StringIO()).lines() as lines:
        desk.type(LONG_ADDRESS.encode() + b"\r\ntwo\r")
        assert [lines.get(timeout=LONG), lines.get(timeout=LONG)] == [LONG_ADDRESS, "two"]
    assert desk.mode == before
    desk.type_now(b"three\n")
    assert sys.stdin.readline() == "three\n"


def api_key_profile(home: Home, issuer: str) -> None:
    home.write_config(
        f'[profiles.t]\nflow = "api-key"\n[profiles.t.api.login]\nurl = "{issuer}/api-key/login"\n'
        'body = { api_key = "{api_key}" }\naccess_token = "/access_token"\n'
    )


@pytest.mark.parametrize("typed", ["{}\n", "{}\r\n", " {}\t\r", "\x1b[200~{}\r\n\x1b[201~\r"])
def test_a_secret_of_any_length_is_read_whole(home: Home, make_server: Make, typed: str) -> None:
    """An API key can be longer than a line of a terminal; blanks around it are no part of it, and it is not shown."""
    server = make_server(api_key=LONG_SECRET)
    api_key_profile(home, server.issuer)
    result = attended(home, "login", answers=[("API key: ", typed.format(LONG_SECRET).encode())])
    assert result.status == 0, result.stderr
    assert "sss" not in result.stderr


def test_quotation_marks_of_a_secret_are_kept(home: Home, make_server: Make) -> None:
    """They can be a part of it."""
    server = make_server(api_key="'quoted'")
    api_key_profile(home, server.issuer)
    assert attended(home, "login", answers=[("API key: ", b"'quoted'\n")]).status == 0


def test_a_terminal_that_marks_a_paste_is_asked_to(home: Home, make_server: Make) -> None:
    """The marks are switched off again, also by Ctrl-C."""
    api_key_profile(home, make_server().issuer)
    for typed, status in ((b"wrong\n", 5), (CTRL_C, 130)):
        result = attended(home, "login", answers=[("API key: ", typed)], environ={"TERM": "xterm"})
        assert result.status == status, result.stderr
        assert result.stderr.count("\x1b[?2004h") == 1
        assert result.stderr.rindex("\x1b[?2004l") > result.stderr.rindex("\x1b[?2004h")
