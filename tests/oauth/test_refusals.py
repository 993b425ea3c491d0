"""The table of refusals that only a person who signs in again can mend."""

import pytest

from tests.support.responses import SECRET, answer
from tokenctl.errors import LoginRequired, Refused, Unreachable
from tokenctl.oauth.error_response import CLIENT, IDENTITY, SESSION_TOKEN, Credentials
from tokenctl.oauth.refusals import DEAD_CODES, PASSING_CODES, why_dead
from tokenctl.oauth.token_response import parse

# As servers send them: GitHub, Slack, HubSpot (two versions), Atlassian (two versions), Dex, Twitch, Entra.
DOCUMENTS: list[tuple[int, dict[str, object]]] = [
    (200, {"error": "bad_refresh_token", "error_description": "The refresh token passed is incorrect or expired."}),
    (200, {"ok": False, "error": "invalid_refresh_token"}),
    (400, {"error": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}),
    (400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"}),
    (403, {"error": "unauthorized_client", "error_description": "refresh_token is invalid"}),
    (403, {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}),
    (400, {"error": "invalid_request", "error_description": "Refresh token is invalid or has already been claimed."}),
    (400, {"error": "invalid_request", "error_description": "Refresh token expired."}),
    (400, {"status": 400, "message": "Invalid refresh token"}),
    (400, {"error": "interaction_required", "error_codes": [50076], "suberror": "basic_action"}),
]
OTHERS: list[dict[str, object]] = [
    {"error": "unauthorized_client"},
    {"error": "unauthorized_client", "error_description": "Grant type 'refresh_token' not allowed for the client."},
    {"error": "unauthorized_client", "error_description": "Invalid client or Invalid client credentials"},
    {"error": "invalid_request", "error_description": "refresh_token is missing"},
    {"error": "invalid_request", "error_description": "Invalid grant_type refresh_token"},
    {"error": "invalid_client", "error_description": "refresh_token is invalid"},
    {"error": "invalid_scope", "error_description": "not in the refresh token"},
    {"status": 400, "message": "missing client secret"},
    {},
]


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("code", DEAD_CODES)
def test_each_code_asks_for_a_sign_in_with_any_status(code: str, status: int) -> None:
    """An OAuth error counts whatever the HTTP status."""
    with pytest.raises(LoginRequired, match=code):
        parse(answer({"error": code}, status))


@pytest.mark.parametrize(("status", "document"), DOCUMENTS)
def test_a_dead_refresh_token_is_recognized_as_servers_name_it(status: int, document: dict[str, object]) -> None:
    """Where a code means several things, or there is none, the server's words decide."""
    with pytest.raises(LoginRequired):
        parse(answer(document, status))


@pytest.mark.parametrize(("words", "page"), [("was used before", "audit"), ("has expired", "troubleshooting")])
def test_a_refresh_token_that_was_used_before_may_be_stolen(words: str, page: str) -> None:
    """The page about theft is named at once, and not only by the next command."""
    with pytest.raises(LoginRequired) as caught:
        parse(answer({"error": "invalid_grant", "error_description": f"the refresh token {words}"}, 400))
    assert caught.value.page == page


@pytest.mark.parametrize("document", OTHERS)
def test_what_says_nothing_about_the_refresh_token_does_not_end_the_session(document: dict[str, object]) -> None:
    """The client, the request and the scope can be wrong, and the session is as good as before."""
    with pytest.raises(Refused):
        parse(answer(document, 400))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("document", [document for _, document in DOCUMENTS if "error" in document])
def test_an_overloaded_server_ends_no_session(status: int, document: dict[str, object]) -> None:
    """A gateway or a limiter can put any code into its page: the same request may work later."""
    if document["error"] in DEAD_CODES or status in (429, 503):
        with pytest.raises(Unreachable, match="overloaded"):
            parse(answer(document, status, retry_after=9))
    else:
        with pytest.raises((Refused, Unreachable)):
            parse(answer(document, status))


@pytest.mark.parametrize("code", PASSING_CODES)
@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_a_code_for_later_counts_with_any_status(code: str, status: int) -> None:
    """Some servers say with 400 what others say with 503."""
    with pytest.raises(Unreachable):
        parse(answer({"error": code}, status))


@pytest.mark.parametrize("presented", [IDENTITY, CLIENT, SESSION_TOKEN])
@pytest.mark.parametrize("code", ["invalid_grant", "interaction_required", "invalid_token"])
def test_no_person_is_asked_to_sign_in_for_a_machine(presented: Credentials, code: str) -> None:
    """Client credentials, a job's identity (JWT bearer too) and the token that is exchanged are no session."""
    with pytest.raises(Refused, match=f"{presented.name}: {code}") as caught:
        parse(answer({"error": code}, 400), presented=presented)
    assert caught.value.hint == presented.hint
    with pytest.raises(Unreachable):
        parse(answer({"error": code}, 503), presented=presented)


def test_the_servers_words_without_a_code_are_told_and_redacted() -> None:
    """They are all that there is."""
    with pytest.raises(Refused, match="slow lorry") as caught:
        parse(answer({"message": f"slow lorry {SECRET}"}, 400), (SECRET,))
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        ("invalid_grant", "Stale token", "reuse"),
        ("invalid_grant", "Maximum allowed refresh token reuse exceeded", "reuse"),
        ("invalid_request", "Refresh token is invalid or has already been claimed by another client.", None),
        ("invalid_grant", "Refresh token is expired or already used", None),
        ("invalid_grant", "was issued to another client. The refresh token was already used.", "reuse"),
        ("invalid_grant", "the refresh token was used before; the session is ended", "reuse"),
        (
            "invalid_grant",
            "AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed. The user"
            " might have changed or reset their password.",
            "password",
        ),
        ("invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.", "expired"),
        (
            "invalid_grant",
            "AADSTS70043: The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.",
            "interaction",
        ),
        ("invalid_grant", "reauth related error (invalid_rapt)", "interaction"),
        ("invalid_grant", "expired access/refresh token", None),
        ("invalid_grant", "Session doesn't have required client", None),  # Keycloak, after a reuse by somebody else
        ("invalid_grant", "Token is not active", "expired"),
        ("invalid_grant", "Session not active", "expired"),
        ("interaction_required", "AADSTS50076: multi-factor authentication", "interaction"),
        ("CONSENT_REQUIRED", "", "interaction"),
        ("invalid_grant", "", None),
        ("invalid_grant", "grant request is invalid", None),
        ("invalid_grant", "Token has been expired or revoked.", None),
        ("bad_refresh_token", "The refresh token passed is incorrect or expired.", None),
        ("invalid_grant", "The refresh token is invalid, expired or revoked", None),
        ("invalid_grant", "Unknown or invalid refresh token.", None),
    ],
)
def test_a_server_that_says_why_a_grant_is_dead_is_understood(code: str, words: str, reason: str | None) -> None:
    """And one that gives several reasons at once has given none."""
    assert why_dead(code, words) == reason
