"""bazel: `get` of the specification of credential helpers, to the byte. Bazel does not run here."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenctl.errors import UsageError
from tokenctl.handoff.helpers import bazel
from tokenctl.handoff.helpers.question import Answer, Given, Question

URI = "https://cache.example.com/v2/blob?x=1"
ORIGIN = "https://cache.example.com"


def read(content: object, *words: str) -> Question:
    """The question for what is on stdin."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return bazel.read(words or ["get"], text, {})


def refused(question: Question) -> str:
    """The reason why a question is not understood."""
    assert (question.wants, question.answer.out, question.answer.status) == ("nothing", b"", 2)
    assert question.answer.error.isprintable()
    return question.answer.error


def checked(answer: Answer) -> dict[str, object]:
    """Read an answer as the specification's schema of GetCredentialsResponse, and as Bazel: RFC 3339 without fractions."""
    assert (answer.status, answer.error) == (0, "")
    document = json.loads(answer.out)
    assert isinstance(document, dict) and {*document} <= {"headers", "expires"}
    assert isinstance(document["headers"], dict)
    for values in document["headers"].values():
        assert isinstance(values, list) and all(isinstance(each, str) for each in values)
    if "expires" in document:
        assert datetime.strptime(document["expires"], "%Y-%m-%dT%H:%M:%S%z") > datetime(1900, 1, 1, tzinfo=UTC)
    return document


def test_the_answer_has_the_header_of_the_origin() -> None:
    """To the byte; the end is a little early, and absent where nobody knows it."""
    question = read({"uri": URI, "more": ["members"]})
    found = bazel.found(question, [Given('A"T', ORIGIN, "u", "Token ", 1893456000)], 1893450000)
    headers = b'{"headers":{"Authorization":["Token A\\"T"]}'
    assert found.out == headers + b',"expires":"2029-12-31T23:59:30Z"}\n'
    assert checked(found)["headers"] == {"Authorization": ['Token A"T']}
    found = bazel.found(question, [Given('A"T', ORIGIN, "u", "Token ", None)], 1893450000)
    assert found.out == headers + b"}\n" and checked(found)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.none() | st.integers(1, 10**20))
def test_every_answer_is_of_the_schema(token: str, ends: int | None) -> None:
    """Whatever the token and its end are."""
    found = bazel.found(read({"uri": URI}), [Given(token, ORIGIN, "u", "Bearer ", ends)], 0)
    assert checked(found)["headers"] == {"Authorization": [f"Bearer {token}"]}


def test_the_uri_is_what_must_be_bound() -> None:
    """An unsupported URI is a failure by the specification: an answer without headers means that it needs no token."""
    question = read({"uri": URI})
    assert (question.wants, question.address, question.may_ask) == ("token", ORIGIN, False)
    assert (question.again, question.interval) == (f"bazel|{URI}", 0)
    assert (question.absent.out, question.absent.status) == (b"", 2)
    assert question.absent.error == f"no profile is bound to {ORIGIN}, or not the one that is named"


@pytest.mark.parametrize("words", [(), ("Get",), ("get", "x"), ("store",), ("erase",), ("--help",)])
def test_another_command_is_answered_with_the_usage(words: tuple[str, ...]) -> None:
    """So is none; nothing is read of stdin."""
    assert "usage: " in refused(bazel.read(words, b"", {}))
    assert bazel.reads(words) == "nothing" and bazel.reads(["get"]) == "all"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"\xff", b"[" * 5000, b'{"uri":"https://a.example","uri":"https://b.example"}'),
        *([], None, URI, {}, {"uri": None}, {"uri": 1}, {"uri": [URI]}, {"uri": {}}),
        *({"uri": f"https://cache.example.com{each}"} for each in ("\n", "\r", "\0", " ", "@a", ":x")),
        *(
            {"uri": each}
            for each in ("", "cache.example.com", "grpcs://cache.example.com", "https://u@a", "https://ü.a")
        ),
    ],
)
def test_a_question_without_an_origin_is_refused(content: object) -> None:
    """With a reason that does not repeat it."""
    assert "'uri'" in refused(read(content))


def test_a_failure_is_a_reason_on_stderr() -> None:
    """With the exit status of every command."""
    answer = bazel.failed(read({"uri": URI}), UsageError("no answer", hint="run it"))
    assert (answer.out, answer.status, answer.error, answer.hint) == (b"", 2, "no answer", "run it")


@given(st.binary() | st.builds(lambda uri: json.dumps({"uri": uri}).encode(), st.text()))
def test_no_content_makes_a_traceback(content: bytes) -> None:
    """Either it is refused, or the token is for an origin."""
    question = read(content)
    if question.wants == "nothing":
        refused(question)
    else:
        assert question.address.startswith(("http://", "https://"))
