"""Requests, strict JSON and safe URLs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import SECRET, answer, only, values
from tokenctl.errors import Refused, UsageError
from tokenctl.oauth.wire import (
    Request,
    describe,
    issuer_url,
    json_object,
    overloaded,
    query_of,
    safe_url,
    try_later,
    with_query,
)


def test_a_request_with_a_form_is_a_post() -> None:
    """A form is sent as a URL-encoded body with %20 for a blank, everything else is a GET without one."""
    assert (Request(url="https://a.example").method, Request(url="https://a.example").content) == ("GET", None)
    form = Request(url="https://a.example", form=(("a", "b c&d=é"), ("a", "2")))
    assert (form.method, form.content) == ("POST", ("application/x-www-form-urlencoded", b"a=b%20c%26d%3D%C3%A9&a=2"))


def test_no_secret_shows_in_a_request_or_response() -> None:
    """Neither form, header nor body is part of what a debugger or traceback prints."""
    request = Request(url="https://a.example", form=(("token", SECRET),), headers={"Authorization": SECRET})
    assert SECRET not in repr(request)
    assert SECRET not in repr(answer({"refresh_token": SECRET}))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>no</html>", "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": 1} x', "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not JSON"),
        (b'{"a": "\x80"}', "not JSON"),
        (b'{"a": "line\nbreak"}', "not JSON"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
        (b"42", "not an object"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "Infinity"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, reason: str) -> None:
    """Whatever two readers could understand differently has a reason and no value."""
    with pytest.raises(ValueError, match=reason):
        json_object(body)


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b'{"a": ["\\udc00"]}', b'{"\\ud800": 1}'])
def test_half_a_surrogate_pair_is_refused(body: bytes) -> None:
    """A text that cannot be encoded is no text."""
    with pytest.raises(ValueError, match="JSON"):
        json_object(body)


@pytest.mark.parametrize("body", [b'{"a": 1e999}', b'{"a": [-1e999]}'])
def test_a_number_beyond_every_float_is_refused(body: bytes) -> None:
    """An infinity is refused however it is written."""
    with pytest.raises(ValueError, match="number"):
        json_object(body)


def test_a_byte_order_mark_is_ignored() -> None:
    """Some servers send one, and it means nothing."""
    assert json_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_reason_tells_nothing_of_the_text() -> None:
    """The body of a broken answer can hold tokens, so neither the message nor the chained error quotes it."""
    with pytest.raises(ValueError, match="not JSON") as caught:
        json_object(b'{"refresh_token": "' + SECRET.encode() + b'", }')
    assert SECRET not in str(caught.value) and caught.value.__suppress_context__


@given(st.binary() | values.map(lambda found: json.dumps(found).encode()))
def test_any_bytes_are_an_object_or_a_value_error(body: bytes) -> None:
    """No bytes make the reader fail in another way."""
    with only(ValueError):
        assert isinstance(json_object(body), dict)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_json_comes_back_as_it_was(document: dict[str, object]) -> None:
    """A decent object is read as it was written."""
    assert json_object(json.dumps(document).encode()) == document


SAFE = [
    "https://a.example",
    "https://a.example/",
    "https://a.example:8443/path?query=1",
    "HTTPS://A.example/x",
    "https://[2001:db8::1]/x",
    "http://localhost:8080/x",
    "http://127.0.0.1/x",
    "http://[::1]:1/x",
]
UNSAFE: list[object] = [
    *(None, 1, ["https://a.example"], {}, True, ""),
    *("http://a.example/token", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://0.0.0.0/"),
    *("http://127.1/", "http://2130706433/", "http://[::]/", "ftp://a.example", "file:///etc/passwd"),
    *("javascript:alert(1)", "smb://a.example/x", "search-ms:query=x", "myapp://x", "-https://a.example", "--help"),
    *("//a.example/x", "/x", "a.example", "https:", "https://", "https:///x", "https:a.example", "https://:443/"),
    *("https://me@a.example/", "https://me:pw@a.example/", "https://a.example@evil.example/", "https://a.example/#x"),
    *("https://a.example/\n", "https://a.example/a b", "https://a.example/\x1b[31m", "https://\u0430.example/"),
    *("https://a.example\\@evil.example/", 'https://a.example/"', "https://a.example/<x>", "https://a.example/`x`"),
    *("https://[::1", "https://a.example:x/", "https://a.example:99999/", "https://a.example/\u202e", "https://a/\x7f"),
]


@pytest.mark.parametrize("url", SAFE)
def test_a_safe_url_comes_back_unchanged(url: str) -> None:
    """An https URL anywhere and an http one to this machine are safe, to the character."""
    assert safe_url(url, "the endpoint") == url


@pytest.mark.parametrize("url", UNSAFE)
def test_an_unsafe_url_is_refused(url: object) -> None:
    """Plain http elsewhere, other schemes, user names, fragments and control characters never get a secret or a browser."""
    with pytest.raises(Refused, match="the endpoint"):
        safe_url(url, "the endpoint")


@pytest.mark.parametrize("url", ["https://a.example/authorize#", "https://a.example/?a=b#"])
def test_an_empty_fragment_is_a_fragment(url: str) -> None:
    """What is added after a number sign would stay in the browser."""
    with pytest.raises(Refused):
        safe_url(url, "the endpoint")


@given(values | st.text(alphabet="htps:/[]@#?.a1%\\ \n-"))
def test_any_value_is_a_url_or_refused(url: object) -> None:
    """No value makes the check fail in another way."""
    with only(Refused):
        assert safe_url(url, "x") == url


@pytest.mark.parametrize(
    "url", ["https://a.example", "https://a.example/", "https://a.example/t1", "http://127.0.0.1:1"]
)
def test_an_issuer_is_kept_to_the_character(url: str) -> None:
    """A slash at the end makes another issuer, so nothing is tidied up."""
    assert issuer_url(url) == url


@pytest.mark.parametrize(
    "url", ["http://a.example", "a.example", "https://a.example?x=1", "https://a.example/?", "x\n"]
)
def test_a_wrong_issuer_is_a_usage_error(url: str) -> None:
    """A person gave it, so the message is about what they gave, with an example."""
    with pytest.raises(UsageError, match="issuer") as caught:
        issuer_url(url)
    assert "\n" not in caught.value.message and caught.value.hint


def test_a_query_is_added_to_the_one_there_is() -> None:
    """The endpoint's own parameters stay, and values are percent-encoded."""
    assert with_query("https://a.example/x", {"a": "b c&d"}) == "https://a.example/x?a=b%20c%26d"
    assert with_query("https://a.example/x?t=1", (("a", "é"), ("a", "2"))) == "https://a.example/x?t=1&a=%C3%A9&a=2"


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=10))
def test_a_query_comes_back_as_it_was(parameters: dict[str, str]) -> None:
    """What is encoded into a query is read out of it."""
    assert query_of(with_query("https://a.example/x", parameters)) == parameters


@pytest.mark.parametrize(
    "target", ["/cb?code=a&code=b&state=x", "/cb?a=&a=", "/cb?%61=1&a=2", "/cb?" + "&".join("a" * 60)]
)
def test_a_parameter_that_appears_twice_is_refused(target: str) -> None:
    """Two codes or two states leave open which one was checked."""
    with pytest.raises(ValueError, match=r"."):
        query_of(target)


@given(st.text())
def test_any_target_has_a_query_or_a_value_error(target: str) -> None:
    """No request line makes the reader fail in another way."""
    with only(ValueError):
        assert isinstance(query_of(target), dict)


@pytest.mark.parametrize(
    ("status", "body", "content_type", "text"),
    [
        (502, b"<html>", "text/html; charset=utf-8", "HTTP 502 with an HTML page"),
        (401, None, "", "HTTP 401 with an empty body"),
        (200, None, "application/json", "HTTP 200 with an empty body"),
        (400, b"x", "Text/Plain", "HTTP 400 with text/plain"),
    ],
)
def test_an_answer_is_described_without_its_text(status: int, body: object, content_type: str, text: str) -> None:
    """Status and kind say enough, and hold no secret."""
    assert describe(answer(body, status, content_type)) == text


def test_a_description_is_short() -> None:
    """A server that fills its Content-Type does not fill the terminal."""
    assert len(describe(answer(b"x", 400, "x" * 50_000))) < 200


@pytest.mark.parametrize(
    ("status", "expected"), [(200, False), (400, False), (429, True), (499, False), (500, True), (503, True)]
)
def test_429_and_5xx_mean_later(status: int, expected: bool) -> None:
    """Only these leave the question open."""
    assert overloaded(answer(None, status)) is expected


@pytest.mark.parametrize(("retry_after", "hint"), [(30, "30 s"), (None, "try again"), (0, "try again")])
def test_a_later_answer_says_when(retry_after: int | None, hint: str) -> None:
    """Retry-After reaches the person, and the request counts as sent."""
    error = try_later(answer(None, 503, retry_after=retry_after), "the server")
    assert hint in (error.hint or "") and error.sent and error.exit_status == 6
