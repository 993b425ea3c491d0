"""Pushed authorization requests."""

import pytest
from hypothesis import given

from tests.support.responses import SECRET, answer, answers, only
from tokenctl.errors import Refused, TokenctlError, Unreachable
from tokenctl.oauth.client_auth import METHODS, Client
from tokenctl.oauth.pushed_request import parse, pushed_request
from tokenctl.oauth.wire import Response

PARAMETERS = (("response_type", "code"), ("client_id", "c"), ("state", "x"), ("resource", "a:b"), ("resource", "a:c"))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_parameter_is_pushed_and_the_client_named_once(method: str) -> None:
    """Whatever the client authentication adds, no parameter appears twice but those that may."""
    built = pushed_request("https://a.example/par", Client(client_id="c", auth_method=method, secret="s"), PARAMETERS)
    assert built.form is not None and set(PARAMETERS) <= set(built.form)
    assert [name for name, _ in built.form].count("client_id") == 1
    assert (built.method, built.url) == ("POST", "https://a.example/par")


@pytest.mark.parametrize("status", [200, 201])
def test_the_reference_is_returned(status: int) -> None:
    """201 is the standard's answer, 200 that of some servers."""
    assert parse(answer({"request_uri": "urn:x", "expires_in": 60}, status)) == "urn:x"


WRONG: list[tuple[object, int, type[TokenctlError]]] = [
    ({}, 201, Refused),
    ({"request_uri": None}, 201, Refused),
    ({"request_uri": 7}, 201, Refused),
    ([], 201, Refused),
    (b"<html>", 201, Refused),
    (None, 201, Refused),
    ({"request_uri": "urn:x", "error": "invalid_request"}, 201, Refused),
    *(({"request_uri": "urn:x"}, status, Refused) for status in (302, 400, 401, 404)),
    ({"error": "invalid_request"}, 400, Refused),
    (None, 429, Unreachable),
    ({}, 500, Unreachable),
    (b"<html>", 503, Unreachable),
]


@pytest.mark.parametrize(("body", "status", "error"), WRONG)
def test_what_is_no_reference_is_an_error(body: object, status: int, error: type[TokenctlError]) -> None:
    """Refused or not now, in the same words as everywhere."""
    with pytest.raises(error):
        parse(answer(body, status))


def test_an_empty_reference_is_refused() -> None:
    """The browser would be sent off with nothing."""
    with pytest.raises(Refused, match="request_uri"):
        parse(answer({"request_uri": ""}, 201))


def test_a_client_secret_is_redacted_from_the_servers_words() -> None:
    """Secret, state and nonce were in the request, and a server may quote it."""
    with pytest.raises(Refused) as caught:
        parse(answer({"error": "invalid_client", "error_description": SECRET}, 401), (SECRET,))
    assert SECRET not in caught.value.message


@given(answers("request_uri", "expires_in"))
def test_any_answer_is_a_reference_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the parser fail in another way."""
    with only(TokenctlError):
        assert isinstance(parse(response), str)
