"""Token introspection."""

import pytest
from hypothesis import given

from tests.support.responses import SECRET, answer, answers, only
from tokenctl.errors import Refused, TokenctlError, Unreachable
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.introspection import introspection_request, parse
from tokenctl.oauth.wire import Response


def test_the_token_goes_into_the_body() -> None:
    """A token in a URL would be in somebody's log."""
    built = introspection_request("https://a.example/x", Client(client_id="c"), SECRET)
    assert built.form == (("token", SECRET), ("token_type_hint", "access_token"), ("client_id", "c"))
    assert SECRET not in built.url


@pytest.mark.parametrize("document", [{"active": False}, {"active": True, "scope": "api", "exp": 7, "x": [1]}])
def test_the_answer_is_handed_on_whole(document: dict[str, object]) -> None:
    """It is shown, and nothing is decided on it."""
    assert parse(answer(document)) == document


@pytest.mark.parametrize("active", [None, "true", 1, 0, [True], {}])
def test_active_is_a_boolean(active: object) -> None:
    """A token is not active because some text says so."""
    with pytest.raises(Refused, match="active"):
        parse(answer({"active": active}))


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (None, 200, Refused),
        (b"<html>", 401, Refused),
        ({}, 200, Refused),
        ({"active": True}, 401, Refused),
        ({"error": "invalid_client"}, 401, Refused),
        ({"active": True}, 503, Unreachable),
        (None, 429, Unreachable),
        (b"<html>", 500, Unreachable),
    ],
)
def test_what_is_no_answer_is_an_error(body: object, status: int, error: type[TokenctlError]) -> None:
    """Refused or not now, in the same words as everywhere."""
    with pytest.raises(error):
        parse(answer(body, status))


def test_the_token_is_redacted_from_the_servers_words() -> None:
    """A server that quotes the request does not bring it to the terminal."""
    with pytest.raises(Refused, match=r"\*\*\*"):
        parse(answer({"error": "invalid_request", "error_description": SECRET}, 400), (SECRET,))


def test_known_secrets_are_redacted_from_a_good_answer_too() -> None:
    """A server that echoes the token, however deep, does not bring it to the terminal."""
    document = {"active": True, "token": SECRET, SECRET: [7, {"x": f"a {SECRET} b"}, None]}
    assert parse(answer(document), (SECRET,)) == {"active": True, "token": "***", "***": [7, {"x": "a *** b"}, None]}


@given(answers("active", "error", "error_description"))
def test_any_answer_is_handed_on_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the parser fail in another way or repeat a secret."""
    with only(TokenctlError):
        shown = parse(response, (SECRET,))
        assert isinstance(shown["active"], bool) and SECRET not in str(shown)
