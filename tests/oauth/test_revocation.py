"""Token revocation."""

import pytest
from hypothesis import given

from tests.support.responses import SECRET, answer, answers, only
from tokenctl.errors import Unreachable
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.revocation import Outcome, parse, revocation_request
from tokenctl.oauth.wire import Response


@pytest.mark.parametrize("hint", ["refresh_token", "access_token"])
def test_the_token_goes_into_the_body_with_its_kind(hint: str) -> None:
    """A token in a URL would be in somebody's log."""
    built = revocation_request("https://a.example/revoke", Client(client_id="c"), SECRET, hint)
    assert built.form == (("token", SECRET), ("token_type_hint", hint), ("client_id", "c"))
    assert (built.method, built.url) == ("POST", "https://a.example/revoke")


@pytest.mark.parametrize(
    "body", [None, b"{}", b"OK", b"null", {"error": None}, {"error": ""}, {"ok": True}, {"x": [1]}]
)
@pytest.mark.parametrize("status", [200, 201, 202, 204, 205])
def test_a_success_means_done(status: int, body: object) -> None:
    """For an unknown token too, and with any body that names no error (RFC 7009 section 2.2)."""
    assert parse(answer(body, status, "text/html")) == (Outcome.REVOKED, "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "invalid_client"}, "invalid_client"),
        ({"error": f"no {SECRET}"}, "no ***"),
        ({"ok": False, "error": "invalid_auth"}, "invalid_auth"),
        ({"ok": False}, "ok: false"),
        ({"ok": False, "error": "token_revoked"}, "token_revoked"),
        ({"error": "invalid_token"}, "invalid_token"),
        ({"success": False}, "success: false"),
        ({"revoked": False}, "revoked: false"),
        ({"error": {"code": 7}}, "HTTP 200"),
        ({"error": True}, "HTTP 200"),
        (b"error=incorrect_client_credentials&error_description=wrong", "incorrect_client_credentials"),
        (b" <!doctype html><title>Sign in to the Wi-Fi</title>", "HTML page"),
        (b"\xef\xbb\xbf<html>Sign in to the Wi-Fi</html>", "HTML page"),
        ("<html>Sign in to the Wi-Fi</html>".encode("utf-16"), "HTML page"),
        (b"Sign in <a href='/'>here</a>", "HTML page"),
    ],
)
def test_a_success_that_names_an_error_is_a_refusal(body: object, reason: str) -> None:
    """Some servers send errors with 200, and a page is the answer of somebody else: the token may live."""
    outcome, said = parse(answer(body, 200, "text/html"), (SECRET,))
    assert outcome is Outcome.REFUSED and reason in said


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize(
    "body",
    [
        *({"error": code} for code in ("invalid_token", "invalid_grant", "INVALID_TOKEN", "expired_token")),
        {"error": "token_revoked"},
        {"error": "bad_refresh_token", "error_description": "incorrect or expired"},
        b"error=invalid_token",
        {"status": 400, "message": "Invalid token"},
        {"message": "unknown refresh token"},
    ],
)
def test_a_token_that_is_dead_or_unknown_is_revoked(status: int, body: object) -> None:
    """Nothing is left to revoke, although RFC 7009 section 2.2 wants 200 for it."""
    assert parse(answer(body, status)) == (Outcome.REVOKED, "")


@pytest.mark.parametrize("body", [None, {}, {"error": "unsupported_token_type"}, b"<html>"])
@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_an_overloaded_server_has_not_revoked(status: int, body: object) -> None:
    """The token must be assumed to live (section 2.2.1), and the wait is told."""
    with pytest.raises(Unreachable) as caught:
        parse(answer(body, status, retry_after=9))
    assert "9 s" in (caught.value.hint or "")


@pytest.mark.parametrize("status", [400, 401, 404])
def test_an_unsupported_kind_is_an_outcome_of_its_own(status: int) -> None:
    """Some servers revoke refresh tokens only."""
    assert parse(answer({"error": "unsupported_token_type"}, status))[0] is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"error": "invalid_client"}, 401, "invalid_client"),
        ({"error": f"no {SECRET}"}, 400, "no ***"),
        ({"error": "x" * 999}, 400, "x" * 100),
        ({"error": ["unsupported_token_type"]}, 400, "HTTP 400 with application/json"),
        ({"error": ""}, 403, "HTTP 403 with application/json"),
        (None, 401, "HTTP 401 with an empty body"),
        (b"[]", 302, "HTTP 302 with application/json"),
        (None, 404, "HTTP 404 with an empty body"),
        (None, 501, "HTTP 501 with an empty body"),
        ({"message": "missing client id"}, 400, "HTTP 400 with application/json"),
    ],
)
def test_every_other_answer_is_a_refusal_with_its_reason(body: object, status: int, reason: str) -> None:
    """In the server's words where it has some, short, and without the token."""
    assert parse(answer(body, status), (SECRET,)) == (Outcome.REFUSED, reason)


@given(answers("error", "error_description"))
def test_any_answer_is_an_outcome_or_unreachable(response: Response) -> None:
    """No answer makes the parser fail in another way or repeat a secret."""
    with only(Unreachable):
        outcome, reason = parse(response, (SECRET,))
        assert SECRET not in reason and (outcome is Outcome.REVOKED) == (reason == "")
        assert outcome is not Outcome.REVOKED or response.status < 500
