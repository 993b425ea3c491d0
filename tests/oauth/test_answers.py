"""The body of an answer: JSON or a form, and whose answer it is."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import answer
from tokenctl.oauth.answers import LONGEST_LIFETIME, members, seconds, unanswered, whole
from tokenctl.oauth.token_response import rotated


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"access_token": "a"}', {"access_token": "a"}),
        (b"access_token=a", {"access_token": "a"}),
        (b"access_token=a&scope=&token_type=bearer\n", {"access_token": "a", "scope": "", "token_type": "bearer"}),
        (b"error=slow_down&interval=10", {"error": "slow_down", "interval": "10"}),
        (
            b"device_code=1&verification_uri=https%3A%2F%2Fa.example%2Fd",
            {"device_code": "1", "verification_uri": "https://a.example/d"},
        ),
        (b"access_token=a%2Bb+c%C3%A9", {"access_token": "a+b c\u00e9"}),
    ],
)
def test_json_and_forms_are_read(body: bytes, found: dict[str, Any]) -> None:
    """Whatever the content type says: `text/plain` is common for forms."""
    assert members(body) == found


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"OK", b"a=b", b"<html>access_token=a</html>", b"access_token=a b", b"access_token", b"error"),
        *(b"access_token=a&b", b"access_token=a&a=1&a=2", b"access_token=%ff", b"access_token=a" + b"&x=1" * 60),
        *(
            b"[]",
            b'"access_token=a"',
            b'{"error": 1, "error": 2}',
            b"access_token=a\nerror=b",
            b"access_token=\xc3\xa9",
        ),
    ],
)
def test_everything_else_is_no_answer(body: bytes) -> None:
    """A page, half a form, a member that comes twice: nothing is guessed."""
    with pytest.raises(ValueError, match=r"^(it |a member)"):
        members(body)


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=9), max_size=5), st.text(max_size=9))
def test_a_form_is_read_as_it_was_written(more: dict[str, str], token: str) -> None:
    """Every character survives, and no value becomes a member."""
    written = {**more, "access_token": token}
    try:
        body = urlencode(written).encode()
    except UnicodeEncodeError:
        return
    assert members(body) == written


@given(st.binary() | st.text().map(str.encode) | st.dictionaries(st.text(), st.none()).map(json.dumps).map(str.encode))
def test_any_body_is_members_or_a_value_error(body: bytes) -> None:
    """No bytes make the reader fail in another way."""
    try:
        assert isinstance(members(body), dict)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("value", "found"),
    [(5, 5), (5.5, 5.5), ("5", 5), (" 5.5 ", 5.5), (0, 0), ("0", 0), (None, None), ("", None), (" \n", None)],
)
def test_seconds_may_be_text_and_have_a_fraction(value: object, found: float | None) -> None:
    """Empty means absent."""
    assert seconds(value) == found


@pytest.mark.parametrize("value", [-1, "-1", "soon", True, [], {}, "1e3", float("nan"), 10**400, LONGEST_LIFETIME + 1])
def test_what_is_no_number_of_seconds_is_refused(value: object) -> None:
    """The caller says what then: refuse, or take the usual number."""
    with pytest.raises(ValueError, match="seconds"):
        seconds(value)


DEFECTIVE = [
    b'{"refresh_token": "new", "expires_in": NaN}',
    b'{"refresh_token": "new", "expires_in": -1e999}',
    b'{"refresh_token": "new", "expires_in": ' + b"9" * 5000 + b"}",
    b'{"refresh_token": "new", "scope": "a", "scope": "a"}',
    b'{"refresh_token": "new", "name": "\\ud800"}',
    b'{"refresh_token": "new", "name": "M\xfcller"}',
    b'{"refresh_token": "new", "name": "a\nb"}',
    b"access_token=a&refresh_token=new&scope=a&scope=a",
]
"""Answers that are whole, and have a defect for which they are refused."""


@pytest.mark.parametrize("body", DEFECTIVE)
def test_what_must_not_be_lost_is_found_in_an_answer_with_a_defect(body: bytes) -> None:
    """The answer is refused, and the refresh token that it brings is the only one that still works."""
    with pytest.raises(ValueError, match=r"^(it |a member|-?[IN1])"):
        members(body)
    assert (whole(body) or {})["refresh_token"] == "new"
    assert rotated(answer(body)) == "new"


@pytest.mark.parametrize(
    "body", [b"", b"OK", b"<html>", b"[]", b"null", b'{"refresh_token": "ne', b"a=b", b"[" * 200_000]
)
def test_what_is_no_whole_answer_brings_nothing(body: bytes) -> None:
    """Half an answer, a page, or JSON of another kind."""
    assert whole(body) is None and rotated(answer(body)) is None


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"{}", False),
        (200, b"access_token=a", False),
        (200, b"<html>", True),
        (200, b"", True),
        (200, b'{"access_token": "a', True),
        (200, b"[]", True),
        *((200, body, False) for body in DEFECTIVE),
        (502, b"{}", True),
        (504, b"", True),
        (400, b"<html>", False),
        (503, b"", False),
    ],
)
def test_a_gateway_or_half_an_answer_is_no_answer(status: int, body: bytes, expected: bool) -> None:
    """What is whole is the server's own, be it a form."""
    assert unanswered(answer(body, status)) is expected
