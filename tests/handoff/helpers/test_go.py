"""go: the two calls of GOAUTH, as cmd/go/internal/auth/userauth.go makes and reads them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokenctl.errors import LoginRequired
from tokenctl.handoff.helpers import go
from tokenctl.handoff.helpers.question import Given
from tokenctl.model.origins import origin_of

REFUSED = b"HTTP/2.0 401 Unauthorized\nContent-Type: text/plain\n\n"
ERROR = LoginRequired("the session is over", hint="sign in")


def token(origin: str, value: str = "AT.1", prefix: str = "Bearer ") -> Given:
    """A token for an origin."""
    return Given(value, origin, "oauth2", prefix, 2000)


def test_the_first_call_is_for_everything() -> None:
    """It has no URL, and nothing on stdin."""
    assert go.reads([]) == "nothing"
    question = go.read([], b"", {})
    assert (question.wants, question.address, question.again) == ("every token", "", "go")


def test_the_first_answer_has_a_block_for_each_origin() -> None:
    """Each ends with an empty line, without which Go reads none of them."""
    given = [token("https://a.example.com"), token("https://[::1]:8443", "AT.2", "token ")]
    assert go.found(go.read([], b"", {}), given, 1000).out == (
        b"https://a.example.com\n\nAuthorization: Bearer AT.1\n\nhttps://[::1]:8443\n\nAuthorization: token AT.2\n\n"
    )
    assert go.found(go.read([], b"", {}), [], 1000).out == b""


@pytest.mark.parametrize(
    ("answer", "wants"),
    [
        (REFUSED, "another token"),
        (REFUSED.replace(b"\n", b"\r\n"), "another token"),
        (b"HTTP/1.1 404 Not Found\n\n", "token"),
        (b"HTTP/1.1 403 Forbidden\nX: 401\n\n", "token"),
        (b"", "token"),
        (b"\0\xff", "token"),
    ],
)
def test_the_second_call_renews_after_401_alone(answer: bytes, wants: str) -> None:
    """Go makes it after each 4xx too, such as for a version that a module does not have."""
    words = ["https://proxy.example.com/mod/@v/list"]
    assert go.reads(words) == "all"
    question = go.read(words, answer, {})
    assert (question.wants, question.address) == (wants, "https://proxy.example.com")
    assert question.again == ("go" if wants == "another token" else "")


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("https://proxy.example.com/mod/@v/list", "https://proxy.example.com"),
        ("https://Proxy.Example.com:443/mod?x=/", "https://Proxy.Example.com:443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://proxy.example.com?go-get=1", "https://proxy.example.com"),
    ],
)
def test_the_second_answer_is_for_the_url_as_it_is_written(url: str, prefix: str) -> None:
    """Go compares texts: it would not find `proxy.example.com` for a URL that has port 443."""
    question = go.read([url], REFUSED, {})
    found = go.found(question, [token(question.address)], 1000)
    assert found.out == f"{prefix}\n\nAuthorization: Bearer AT.1\n\n".encode()


def test_a_failure_is_a_reason_on_stderr() -> None:
    """Go shows it with -x; stdout is empty."""
    failed = go.failed(go.read([], b"", {}), ERROR)
    assert (failed.out, failed.status, failed.error, failed.hint) == (b"", 4, "the session is over", ERROR.next_step)


@given(st.lists(st.text() | st.from_regex(r"https://[a-z\[\]:@0-9./?#\n\0]*", fullmatch=True)), st.binary())
@example(["http://127.0.0.1:8080/"], REFUSED)
@example(["https://user@a.example.com/"], REFUSED)
@example(["https://a.example.com", "https://b.example.com"], REFUSED)
def test_no_words_and_no_answer_make_a_traceback(words: list[str], answer: bytes) -> None:
    """What is asked for is an https origin, or everything, or the reason is on stderr."""
    question = go.read(words, answer, {})
    if question.wants == "nothing":
        assert (question.answer.out, question.answer.status) == (b"", 2) and question.answer.error
    elif words:
        assert question.address == origin_of(question.form) and question.address.startswith("https://")
        assert words[0].startswith(question.form) and "\n" not in question.form
    else:
        assert question.wants == "every token"
