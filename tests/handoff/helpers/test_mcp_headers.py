"""mcp-headers: one header as JSON, for the server that Claude Code names, and a reason in every other case."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import mcp_headers
from tokenctl.handoff.helpers.conversation import Conversation
from tokenctl.handoff.helpers.question import Given, Question

ERROR = LoginRequired("the session is over", hint="run it")
URL = "CLAUDE_CODE_MCP_SERVER_URL"


def read(url: str | None, *words: str) -> Question:
    """The question about a server."""
    return mcp_headers.read(words, b"", {} if url is None else {URL: url})


def test_the_answer_is_an_object_of_strings() -> None:
    """To the byte; the header has the shape of the origin."""
    question = read("https://mcp.example.com/mcp")
    found = mcp_headers.found(question, [Given("AT.1", "https://mcp.example.com", "u", "Bearer ", 2000)], 1000)
    assert (found.out, found.status, found.error) == (b'{"Authorization": "Bearer AT.1"}\n', 0, "")
    found = mcp_headers.found(question, [Given('A"T', "https://mcp.example.com", "u", "Token ", 2000)], 1000)
    assert json.loads(found.out) == {"Authorization": 'Token A"T'}


def test_the_servers_origin_must_be_bound() -> None:
    """Early questions are told apart by the whole URL. Claude Code has no "not found": the reason is on stderr."""
    question = read("https://MCP.example.com:443/one?x")
    assert (question.wants, question.address) == ("token", "https://mcp.example.com")
    assert (question.again, question.interval) == ("mcp|https://MCP.example.com:443/one?x", 300)
    absent = question.absent
    assert (absent.out, absent.status) == (b"", 2) and "https://mcp.example.com" in absent.error
    assert absent.hint is not None and "hosts+=https://mcp.example.com" in absent.hint


@pytest.mark.parametrize(
    ("profile", "environ", "wants"),
    [
        (None, {}, "nothing"),
        (None, {URL: ""}, "nothing"),
        ("t", {}, "token"),
        (None, {"TOKENCTL_PROFILE": "t"}, "token"),
        (None, {URL: "https://mcp.example.com"}, "token"),
    ],
)
def test_without_a_server_the_profile_must_be_named(profile: str | None, environ: dict[str, str], wants: str) -> None:
    """A default profile is not meant: the token could go anywhere."""
    question = Conversation(mcp_headers, profile, []).next(environ)
    assert question is not None and question.wants == wants
    if wants == "nothing":
        assert (question.answer.out, question.answer.status) == (b"", 2)
        assert URL in question.answer.error and question.answer.hint == "name the profile with -p"


@pytest.mark.parametrize(
    "url",
    [
        "mcp.example.com",
        "ftp://a",
        "https://u@a.example",
        "https://a\nb",
        "https://a b",
        "unix:///sock",
        "https://ü.example",
    ],
)
def test_a_url_without_an_origin_is_a_mistake(url: str) -> None:
    """The reason does not repeat it."""
    question = read(url)
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 2)
    assert URL in question.answer.error and url not in question.answer.error


def test_words_are_a_mistake() -> None:
    """Such as a URL in the place of the variable."""
    question = read(None, "https://mcp.example.com")
    assert (question.wants, question.answer.status) == ("nothing", 2) and "no word" in question.answer.error


def test_a_failure_is_a_reason_on_stderr() -> None:
    """Claude Code shows it in the log of the server."""
    failed = mcp_headers.failed(read("https://a"), ERROR)
    assert (failed.out, failed.status, failed.error, failed.hint) == (b"", 4, "the session is over", ERROR.next_step)


@given(st.text(), st.lists(st.text(), max_size=1))
def test_no_url_makes_a_traceback(url: str, words: list[str]) -> None:
    """What is no URL is refused, in words that a terminal can show."""
    question = read(url, *words)
    assert question.wants in ("token", "nothing") and question.answer.error.isprintable()
