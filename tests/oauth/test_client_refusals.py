"""Which answers refuse the client, and which say something else."""

import pytest
from hypothesis import given

from tests.support.responses import SECRET, TOKENS, answer, answers, only
from tokenctl.oauth.client_refusals import refuses_client, said
from tokenctl.oauth.wire import Response

HTML = "text/html"

REFUSED = [
    *(answer({"error": "invalid_client"}, status) for status in (200, 400, 401, 403, 500)),
    answer({"error": "INVALID_CLIENT"}, 400),
    answer({"error": "invalid_client", **TOKENS}),
    answer({"error": "incorrect_client_credentials", "error_description": "The client_id is incorrect."}),  # GitHub
    answer({"ok": False, "error": "bad_client_secret"}),  # Slack
    answer({"error": "unauthorized_client", "error_description": "Invalid client or Invalid client credentials"}, 401),
    answer({"error": "unauthorized_client", "error_description": "Client secret not provided in request"}, 401),
    answer({"error": "unauthorized_client", "error_description": "Invalid OAuth client credentials"}, 400),  # Bitbucket
    answer({"error": "unauthorized_client", "error_description": "Missing valid authorization header"}, 401),  # X
    answer({"error": "access_denied", "error_description": "Unauthorized"}, 401),  # Auth0, Atlassian
    answer({"error": "Unauthorized", "status": 401, "path": "/oauth/token"}, 401),  # Spring
    answer({"error": "invalid_request", "error_description": "client_secret is missing."}, 400),  # Google
    answer({"error": "invalid_request", "error_description": 'A required parameter "client_id" is missing'}, 400),
    answer({"status": 400, "message": "missing client id"}, 400),  # Twitch
    answer({"status": 403, "message": "invalid client secret"}, 403),  # Twitch
    answer({"status": "BAD_CLIENT_ID", "message": "missing or invalid client id"}, 400),  # HubSpot
    answer({"message": "Unauthorized"}, 401),
    answer({}, 401),
    answer(None, 401),
    answer(None, 403),
    answer(b"<h1>Unauthorized</h1>", 401, HTML),
    answer(b"<h1>HTTP Status 403</h1><p>Bad client credentials</p>", 403, HTML),
    answer(b"error=incorrect_client_credentials&error_description=x", 200, "application/x-www-form-urlencoded"),
]
OTHER = [
    answer(TOKENS),
    answer({**TOKENS, "message": "invalid client secret"}),
    *(answer({"error": "invalid_grant"}, status) for status in (200, 400, 401, 403)),
    answer({"error": "invalid_grant", "error_description": "the client secret is not for this code"}, 400),
    answer({"error": "authorization_pending"}, 400),
    answer({"error": "slow_down"}, 401),
    answer({"error": "access_denied", "error_description": "the user said no"}, 401),
    answer({"error": "access_denied"}, 403),
    answer({"error": "unauthorized_client", "error_description": "client_id x may not use this grant"}, 401),
    answer({"error": "unauthorized_client"}, 401),
    answer({"error": "invalid_request"}, 400),
    answer({"error": "invalid_request", "error_description": "invalid redirect_uri for this client_id"}, 400),
    answer({"error": "invalid_scope", "error_description": "invalid client secret"}, 400),
    answer({"error": {"code": 401}}, 400),
    answer({"message": "Forbidden"}, 403),
    answer({"message": "invalid client secret"}, 500),
    *(answer({"error": "invalid_client"}, status) for status in (429, 503)),
    *(answer(None, status) for status in (200, 302, 400, 404, 429, 500, 502, 503)),
    *(answer(b"<h1>Request blocked</h1>", status, HTML) for status in (200, 400, 403, 404, 500)),
    answer([TOKENS]),
]


@pytest.mark.parametrize("response", REFUSED)
def test_these_answers_refuse_the_client(response: Response) -> None:
    """Servers say it with many codes, statuses and words, and with none at all."""
    assert refuses_client(response)


@pytest.mark.parametrize("response", OTHER)
def test_these_answers_say_something_else(response: Response) -> None:
    """A grant, a scope, a person, a firewall or an overloaded server: another client authentication would not help."""
    assert not refuses_client(response)


def test_what_the_server_said_is_short_and_without_secrets() -> None:
    """The code and the words, or status and kind of an answer that has none."""
    document = {"error": "invalid_client", "error_description": f"wrong: {SECRET}"}
    assert said(answer(document, 401), (SECRET,)) == "invalid_client: wrong: ***"
    assert said(answer(None, 403), ()) == "HTTP 403 with an empty body"
    assert len(said(answer({"error": "x" * 9000, "message": "y" * 9000}, 401), ())) < 500


@given(answers("error", "error_description", "message", "access_token"))
def test_any_answer_can_be_judged(response: Response) -> None:
    """No answer makes it fail, and no known secret is told."""
    with only():
        assert isinstance(refuses_client(response), bool)
        assert SECRET not in said(response, (SECRET,))
