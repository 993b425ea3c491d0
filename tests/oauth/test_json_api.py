"""Token APIs that are not OAuth: requests that no value can break out of, and answers that are believed as far as they go."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import NOW, SECRET, answer, only
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable, UsageError
from tokenctl.model.token_api import Call
from tokenctl.oauth.json_api import check_revoked, parse, request, rotated
from tokenctl.oauth.wire import Response

CALL = Call(
    url="https://api.example.com/login",
    body='{"key": "{api_key}", "more": {"list": ["<{username}>", 1, null]}}',
    access_token="/data/0/access",
    refresh_token="/data/0/refresh",
)
GOOD = {"data": [{"access": "at", "refresh": SECRET}]}


@given(st.text(), st.text())
def test_no_value_can_change_the_bodys_meaning(key: str, username: str) -> None:
    """Values are JSON strings where their placeholders stand, whatever they hold, placeholders too."""
    built = request(CALL, {"api_key": key, "username": username})
    assert json.loads(built.json or "") == {"key": key, "more": {"list": [f"<{username}>", 1, None]}}
    assert built.method == "POST"


def test_a_secret_is_no_part_of_what_a_debugger_prints() -> None:
    """Neither the body nor the headers."""
    call = replace(CALL, headers=(("X-Key", "{api_key}"),))
    built = request(call, {"api_key": SECRET, "username": "u"})
    assert built.headers == {"X-Key": SECRET} and SECRET not in repr(built)


def test_a_header_cannot_be_forged() -> None:
    """A value with a line end in it goes into no header."""
    call = replace(CALL, body=None, headers=(("X-Key", "{api_key}"),))
    with pytest.raises(UsageError, match="header"):
        request(call, {"api_key": "a\r\nX-Admin: 1"})


def test_a_value_that_is_not_there_is_named() -> None:
    """A placeholder without a value is an error, never an empty text."""
    with pytest.raises(UsageError, match="username"):
        request(CALL, {"api_key": "k", "username": None})


@pytest.mark.parametrize("url", ["http://api.example.com/login", "ftp://a.example", "https://u@a.example"])
def test_a_key_goes_only_where_it_is_safe(url: str) -> None:
    """https, or this machine."""
    with pytest.raises(Refused):
        request(replace(CALL, url=url), {"api_key": "k", "username": "u"})


def test_the_tokens_lie_where_the_pointers_say() -> None:
    """RFC 6901, lists and escapes included; without a time nobody knows when the token ends."""
    found = parse(CALL, answer(GOOD), "login")
    assert (found.access_token, found.refresh_token) == ("at", SECRET)
    assert found.expires_at is None
    escaped = replace(CALL, access_token="/a~1b/~01", refresh_token=None)
    assert parse(escaped, answer({"a/b": {"~1": "x"}}), "login").access_token == "x"


@pytest.mark.parametrize(
    ("pointer", "value", "expires_at"),
    [
        ("expires_in", 60, NOW + 60),
        ("expires_in", "60", NOW + 60),
        ("expires_in", "60.9", NOW + 60),
        ("expires_at", NOW + 90, NOW + 90),
        ("expires_at", "2033-05-18T03:33:20Z", 2_000_000_000),
        ("expires_at", "2033-05-18T05:33:20+02:00", 2_000_000_000),
    ],
)
def test_the_expiry_is_relative_or_absolute(pointer: str, value: object, expires_at: int) -> None:
    """A number of seconds, a moment in epoch seconds, or a date with its zone."""
    call = replace(CALL, **{pointer: "/when"})  # type: ignore[arg-type]  # the name of a pointer
    assert parse(call, answer(GOOD | {"when": value}), "login").expires_at == expires_at


@pytest.mark.parametrize("value", [None, "soon", "2033-05-18T03:33:20", True, [], -5, 1e12, "", "9" * 30])
def test_a_time_that_is_none_is_refused_and_named(value: object) -> None:
    """Where the profile says that a time lies, one must lie."""
    with pytest.raises(Refused, match="/when"):
        parse(replace(CALL, expires_in="/when"), answer(GOOD | {"when": value}), "login")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"error": "no"},
        {"data": []},
        {"data": [{"access": 7, "refresh": "r"}]},
        {"data": [{"access": "", "refresh": "r"}]},
        {"data": [{"access": "a\nb", "refresh": "r"}]},
        {"data": [{"access": "at"}]},
        {"data": [{"access": "at", "refresh": ["r"]}]},
    ],
)
def test_a_path_that_is_missing_or_no_token_is_refused_and_named(document: dict[str, Any]) -> None:
    """An answer with 200 and an error in it is no success, and the message names the path and shows no token."""
    with pytest.raises(Refused, match="/data/0/") as caught:
        parse(CALL, answer(document), "login")
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(("status", "what", "error"), [
    (401, "login", Refused), (403, "login", Refused), (400, "login", Refused), (302, "login", Refused),
    (401, "refresh", LoginRequired), (400, "refresh", LoginRequired), (302, "refresh", Refused),
    (429, "refresh", Unreachable), (500, "login", Unreachable), (503, "refresh", Unreachable),
])  # fmt: skip
def test_a_status_says_what_it_means(status: int, what: str, error: type[TokenctlError]) -> None:
    """A refresh token that is refused asks for a new login; what the server says is never repeated."""
    with pytest.raises(error) as caught:
        parse(CALL, answer({"detail": SECRET}, status), what)
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_page_never_says_that_the_session_is_dead(status: int) -> None:
    """A firewall or a captive portal sent it in the server's place, and the refresh token may live; `OK` is no page."""
    with pytest.raises(Refused, match="HTML page") as caught:
        parse(CALL, answer(b"\n<!doctype html><h1>Blocked</h1>", status, "text/html"), "refresh")
    assert "captive portal" in (caught.value.hint or "")
    for body in (b"", b"Unauthorized"):
        with pytest.raises(LoginRequired):
            parse(CALL, answer(body, status, "text/html"), "refresh")


@pytest.mark.parametrize("refresh", [{}, {"refresh": None}, {"refresh": ""}, {"refresh": 7}])
def test_a_refresh_that_names_the_next_token_must_bring_it(refresh: dict[str, Any]) -> None:
    """An answer without what the profile promises is refused with the path, and never read as "keep the old one"."""
    document = {"data": [{"access": "at"} | refresh]}
    with pytest.raises(Refused, match=r"refresh .*/data/0/refresh"):
        parse(CALL, answer(document), "refresh")
    assert rotated(CALL, answer(document)) is None


def test_a_refresh_need_not_rotate() -> None:
    """A profile of an API that does not rotate names no next token, and the old one stays."""
    unnamed = replace(CALL, refresh_token=None)
    assert parse(unnamed, answer(GOOD), "refresh").refresh_token is None
    assert rotated(unnamed, answer(GOOD)) is None


def test_a_token_that_rotated_is_taken_out_of_an_answer_that_is_no_use_otherwise() -> None:
    """The next refresh token of a success counts whatever else is wrong with the answer, and nothing here raises."""
    assert rotated(CALL, answer({"data": [{"refresh": "new"}]})) == "new"
    assert rotated(CALL, answer(b'{"data": [{"refresh": "new", "life": NaN}]}')) == "new"
    assert rotated(CALL, answer({"data": [{"refresh": "new"}]}, 401)) is None
    assert rotated(CALL, answer({})) is None


def test_a_revocation_is_done_or_not() -> None:
    """Any 2xx that names no error is done, and a token that is dead already; an overloaded server is asked again later."""
    assert check_revoked(answer({}, 204)) is None
    assert check_revoked(answer({}, 404)) is not None
    assert check_revoked(answer({"ok": False})) is not None
    assert check_revoked(answer(b"<html>sign in to the Wi-Fi")) is not None
    assert check_revoked(answer({"error": f"no {SECRET}"}), (SECRET,)) == "no ***"
    assert check_revoked(answer({"message": "unknown token"}, 404)) is None
    with pytest.raises(Unreachable):
        check_revoked(answer({}, 502))


@given(st.binary())
def test_any_answer_is_a_token_set_or_one_of_our_errors(body: bytes) -> None:
    """No bytes make the reader fail in another way."""
    with only(TokenctlError):
        parse(replace(CALL, expires_in="/data"), Response(status=200, received_at=NOW, body=body), "login")
