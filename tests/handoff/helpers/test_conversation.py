"""What is read of a client: its questions in their order, whatever stdin is."""

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import TokenctlError
from tokenctl.handoff import helpers
from tokenctl.handoff.helpers.conversation import Conversation
from tokenctl.handoff.helpers.question import LONGEST, Answer, Given, Question


class Echo:
    """A protocol whose question has what was read as its answer."""

    GREETING = b"hello\n"

    def __init__(self, reads: Any) -> None:
        self._reads = reads

    def reads(self, words: Sequence[str], /) -> Any:
        return self._reads

    def read(self, words: Sequence[str], content: bytes, environ: Mapping[str, str], /) -> Question:
        if content == b"defect":
            raise LookupError("SECRET")
        return Question("nothing", answer=Answer(content))

    def found(self, question: Question, given: Sequence[Given], now: int, /) -> Answer:
        return Answer()

    def failed(self, question: Question, error: TokenctlError, /) -> Answer:
        return Answer()


class Endless(io.RawIOBase):
    """A stdin that never ends; with `line` there is an end of a line now and then."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self.given += len(buffer)
        buffer[:] = (self._line * len(buffer))[: len(buffer)]
        return len(buffer)


class Broken(io.RawIOBase):
    """A stdin that is open and cannot be read."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        raise OSError(5, "Input/output error")


def questions(reads: str, source: io.RawIOBase | bytes | None) -> list[bytes | str]:
    """The questions of a client with this stdin: what was read, or the error."""
    buffer = io.BufferedReader(source) if isinstance(source, io.RawIOBase) else io.BytesIO(source or b"")
    before, sys.stdin = sys.stdin, None if source is None else io.TextIOWrapper(buffer)
    try:
        conversation = Conversation(Echo(reads), None, [])
        found: list[bytes | str] = []
        while (question := conversation.next({})) is not None:
            assert conversation.question is question
            found.append(question.answer.error or question.answer.out)
        assert conversation.question is None and conversation.next({}) is None
        return found
    finally:
        sys.stdin = before


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), max_size=5), st.booleans())
def test_what_is_read_is_what_the_protocol_says(lines: list[bytes], ended: bool) -> None:
    """Nothing, all, the lines up to an empty one, or a question for each line."""
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    if b"defect" in content:
        return
    assert questions("nothing", content) == [b""]
    assert questions("all", content) == [content]
    assert questions("lines", content) == list(io.BytesIO(content))
    block, empty, _ = (b"\n" + content).partition(b"\n\n")
    assert questions("block", content) == [(block + empty)[1:]]


@pytest.mark.parametrize("source", [None, Broken()])
def test_a_stdin_that_is_closed_or_broken_has_no_question(source: io.RawIOBase | None) -> None:
    """It is as if the client had said nothing."""
    assert [questions(reads, source) for reads in ("nothing", "all", "block")] == [[b""]] * 3
    assert questions("lines", source) == []


@pytest.mark.parametrize("line", [b"x", b"a\n"])
@pytest.mark.parametrize("reads", ["all", "block"])
def test_a_stdin_without_an_end_has_no_question(reads: str, line: bytes) -> None:
    """After a little more than the most that a client can say, and without more memory."""
    source = Endless(line)
    assert questions(reads, source) == [b""]
    assert source.given < 4 * LONGEST


def test_a_line_without_an_end_is_empty_and_is_the_last_question() -> None:
    """What follows it cannot be told from it."""
    assert questions("lines", b"first\n" + b"x" * (LONGEST + 5) + b"\nlast\n") == [b"first\n", b""]


@pytest.mark.parametrize(
    ("name", "words", "status", "out"),
    [
        ("git", ["get"], 0, b""),
        ("docker", ["get"], 1, b"credentials not found in native keychain\n"),
        ("docker", ["store"], 1, b"tokenctl can store nothing for this: it names no registry\n"),
        ("cargo", ["--cargo-plugin"], 0, b'{"Err":{"kind":"other",'),
        ("terraform", ["store", "app.example.com"], 2, b""),
        ("bazel", ["get"], 2, b""),
    ],
)
def test_a_question_that_is_too_long_is_answered_in_the_words_of_the_protocol(
    monkeypatch: pytest.MonkeyPatch, name: str, words: list[str], status: int, out: bytes
) -> None:
    """The reason is where the client reads it: for docker on stdout, for cargo in JSON."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Endless(b"x"))))
    question = Conversation(helpers.protocol(name), None, words).next({})
    assert question is not None and question.wants == "nothing"
    answer = question.answer
    assert answer.status == status and answer.out[: len(out) or 1] == out and bool(answer.error) is (status == 2)


def test_a_defect_of_a_protocol_is_an_error_without_its_text() -> None:
    """There is no traceback, and nothing of what the client wrote."""
    assert questions("all", b"defect") == ["unexpected LookupError when the question was read"]


def test_only_who_reads_lines_is_greeted() -> None:
    """The greeting comes before the first question."""
    assert Conversation(Echo("lines"), None, []).greeting == b"hello\n"
    assert Conversation(Echo("all"), None, []).greeting == b""
