"""The device authorization grant."""

from urllib.parse import urlencode

import pytest
from hypothesis import given

from tests.support.responses import NOW, SECRET, answer, answers, only
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.device_code import (
    DEFAULT_INTERVAL,
    LONGEST_INTERVAL,
    DeviceAuthorization,
    Pending,
    after_no_answer,
    after_slow_down,
    device_request,
    parse_device,
    pending,
    poll_request,
)
from tokenctl.oauth.wire import Response

DEVICE = {
    "device_code": SECRET,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://a.example/device",
    "verification_uri_complete": "https://a.example/device?user_code=WDJB-MJHT",
    "interval": 7,
    "expires_in": 1800,
}
CLIENT = Client(client_id="c")


def device(**members: object) -> DeviceAuthorization:
    """Parse a decent answer with these members in it; None takes one out."""
    return parse_device(answer({name: value for name, value in {**DEVICE, **members}.items() if value is not None}))


def test_the_requests_are_the_rfcs() -> None:
    """Scope, resource and audience go with the first, the device code and the resource with every poll."""
    first = device_request("https://a.example/device", CLIENT, "api", ("https://x.example",), "aud")
    assert first.form == (("scope", "api"), ("resource", "https://x.example"), ("audience", "aud"), ("client_id", "c"))
    assert device_request("https://a.example/device", CLIENT, None).form == (("client_id", "c"),)
    assert poll_request("https://a.example/token", CLIENT, SECRET, ("https://x.example",)).form == (
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", SECRET),
        ("resource", "https://x.example"),
        ("client_id", "c"),
    )


def test_a_full_answer_becomes_a_record() -> None:
    """Expiry is counted from when it was received, and the device code is not shown."""
    found = device(x=1)
    assert found == DeviceAuthorization(
        device_code=SECRET,
        user_code="WDJB-MJHT",
        verification_uri="https://a.example/device",
        verification_uri_complete="https://a.example/device?user_code=WDJB-MJHT",
        interval=7,
        expires_at=NOW + 1800,
    )
    assert SECRET not in repr(found)


@pytest.mark.parametrize("standard", [None, ""])
def test_googles_name_for_the_page_is_understood(standard: str | None) -> None:
    """Its first version says verification_url, and some servers send both names, one of them empty."""
    names = {"verification_uri": standard, "verification_uri_complete": standard}
    found = parse_device(
        answer(
            {
                **DEVICE,
                **names,
                "verification_url": "https://b.example/x",
                "verification_url_complete": "https://b.example/y",
            }
        )
    )
    assert found.verification_uri == "https://b.example/x"
    assert found.verification_uri_complete == "https://b.example/y"


def test_a_form_is_a_device_authorization() -> None:
    """GitHub answers with a form unless it is asked for JSON."""
    body = urlencode({name: str(value) for name, value in DEVICE.items()}).encode()
    assert parse_device(answer(body, 200, "application/x-www-form-urlencoded")) == device()
    with pytest.raises(Refused, match="device_flow_disabled") as caught:
        parse_device(answer(b"error=device_flow_disabled&error_description=Device+Flow+must+be+enabled", 200))
    assert "--flow browser" in (caught.value.hint or "")


NONSENSE: tuple[object, ...] = (None, -1, "-1", "soon", "", True, [5], {}, 10**400, "9" * 400)


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        *((5, 5), ("9", 9), (" 9", 9), ("2.5", 3), (2.9, 3), (0, 1), (0.1, 1), (10**6, LONGEST_INTERVAL)),
        *((wrong, DEFAULT_INTERVAL) for wrong in NONSENSE),
    ],
)
def test_the_interval_is_sensible(interval: object, seconds: int) -> None:
    """Five seconds where it is absent or nonsense, never none at all, and never so long that a code expires unseen."""
    assert device(interval=interval).interval == seconds


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(600, 600), ("600", 600), (" 599.5", 599), (0.5, 1), (0, 300), *((wrong, 300) for wrong in NONSENSE)],
)
def test_the_code_lives_for_a_sensible_time(expires_in: object, seconds: int) -> None:
    """It ends some time, whatever the server says."""
    assert device(expires_in=expires_in).expires_at == NOW + seconds


@pytest.mark.parametrize("name", ["device_code", "user_code"])
@pytest.mark.parametrize("value", [None, "", 7, ["x"], "a\x1b[2Jb", "a\nb", "a\u202eb", "a\u200bb", "a\x9bb"])
def test_a_code_that_cannot_be_shown_is_refused(name: str, value: object) -> None:
    """It goes to a terminal, so nothing in it may move the cursor, and the message does not repeat it."""
    with pytest.raises(Refused, match=name) as caught:
        device(**{name: value})
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("name", ["verification_uri", "verification_uri_complete"])
@pytest.mark.parametrize(
    "url", ["http://a.example/device", "javascript:alert(1)", "file:///etc", "-x", "smb://a/b", 7, "https://a b/"]
)
def test_a_page_that_is_not_https_is_refused(name: str, url: object) -> None:
    """A browser is sent there."""
    with pytest.raises(Refused, match="device page"):
        device(**{name: url})


@pytest.mark.parametrize("complete", [None, ""])
def test_the_complete_address_is_optional(complete: object) -> None:
    """The plain one is always there, and required."""
    assert device(verification_uri_complete=complete).verification_uri_complete is None
    with pytest.raises(Refused):
        device(verification_uri=None)


@pytest.mark.parametrize(
    ("document", "status", "error"),
    [
        ({"error": "invalid_client"}, 401, Refused),
        ({"error": "unauthorized_client", **DEVICE}, 200, Refused),
        (None, 404, Refused),
        (b"<html>", 200, Refused),
        ({}, 500, Unreachable),
        (b"<html>", 503, Unreachable),
        (None, 429, Unreachable),
    ],
)
def test_an_error_of_the_device_endpoint_is_told(document: object, status: int, error: type[TokenctlError]) -> None:
    """Refused or not now, in the same words as everywhere."""
    with pytest.raises(error):
        parse_device(answer(document, status))


def test_a_client_secret_is_redacted_from_the_device_endpoints_words() -> None:
    """A confidential client sends its secret there too."""
    with pytest.raises(Refused) as caught:
        parse_device(answer({"error": "invalid_client", "error_description": SECRET}, 401), (SECRET,))
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("status", [200, 400, 403, 428, 429, 500])
@pytest.mark.parametrize(
    ("error", "expected"), [("authorization_pending", Pending.WAIT), ("slow_down", Pending.SLOW_DOWN)]
)
def test_two_errors_mean_ask_again(error: str, expected: Pending, status: int) -> None:
    """Whatever status they come with."""
    assert pending(answer({"error": error}, status)) is expected


@pytest.mark.parametrize("status", [200, 400, 403, 404])
@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "INVALID_GRANT", "incorrect_device_code", "urn:x"])
def test_an_oauth_error_ends_the_polling(code: str, status: int) -> None:
    """The token response's parser says what it is."""
    assert pending(answer({"error": code}, status)) is None
    assert pending(answer(f"error={code}&error_description=no".encode(), status)) is None


def test_tokens_end_the_polling() -> None:
    """As JSON or as a form."""
    assert pending(answer({"access_token": "x"})) is None
    assert pending(answer(b"access_token=x&scope=&token_type=bearer")) is None


@pytest.mark.parametrize(
    "body",
    [
        *(None, b"<html>", b"[]", {}, {"error": None}, {"error": ["slow_down"]}, {"error": {}}, {"error": ""}),
        *({"error": each} for each in ("Not Found", "Forbidden", "server_error", "temporarily_unavailable")),
        *({"message": each} for each in ("Forbidden", "no healthy upstream")),
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 403, 404, 429, 500, 503])
def test_what_is_not_the_servers_answer_ends_nothing(body: object, status: int) -> None:
    """A page of a firewall, an error of a gateway, an empty body: the person may be about to enter the code."""
    assert pending(answer(body, status)) is Pending.NO_ANSWER


@pytest.mark.parametrize("status", [429, 500, 502])
def test_an_overloaded_server_ends_nothing(status: int) -> None:
    """With these statuses no error and no token counts."""
    for body in ({"error": "invalid_grant"}, {"access_token": "x"}):
        assert pending(answer(body, status)) is Pending.NO_ANSWER


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": 400, "message": "authorization_pending"}, Pending.WAIT),
        (b"error=authorization_pending", Pending.WAIT),
        ({"error": "SLOW_DOWN"}, Pending.SLOW_DOWN),
    ],
)
def test_the_same_words_in_another_form_mean_the_same(body: object, expected: Pending) -> None:
    """Twitch has them in `message`, and GitHub sends a form."""
    assert pending(answer(body, 400)) is expected


@pytest.mark.parametrize(
    ("named", "interval"), [(None, 10), (7, 10), (12, 12), ("12.5", 13), ("soon", 10), (-1, 10), (10**6, 300)]
)
def test_slow_down_adds_five_seconds_or_what_the_server_names(named: object, interval: int) -> None:
    """GitHub names the new interval; it never becomes shorter."""
    assert after_slow_down(5, answer({"error": "slow_down", "interval": named})) == interval


@pytest.mark.parametrize(
    ("interval", "retry_after", "expected"), [(5, None, 10), (40, None, 60), (90, None, 90), (5, 120, 120), (5, 3, 10)]
)
def test_a_lost_answer_doubles_the_interval(interval: int, retry_after: int | None, expected: int) -> None:
    """Up to a minute: the code does not live much longer."""
    assert after_no_answer(interval, retry_after) == expected


@pytest.mark.parametrize("body", [{"error": "expired_token"}, {"status": 400, "message": "invalid device code"}])
def test_an_expired_code_means_signing_in_again(body: object) -> None:
    """That is exit status 4, and a hint."""
    with pytest.raises(LoginRequired, match="expired") as caught:
        pending(answer(body, 400))
    assert "the same command again" in (caught.value.hint or "")


@pytest.mark.parametrize("error", ["access_denied", "authorization_declined"])
def test_a_person_who_says_no_is_believed(error: str) -> None:
    """That is a refusal, not a reason to go on asking."""
    with pytest.raises(Refused, match="refused") as caught:
        pending(answer({"error": error, "error_description": "\x1b[2J"}, 400))
    assert caught.value.error == "access_denied" and "\x1b" not in caught.value.message


@given(answers(*DEVICE, "verification_url"))
def test_any_answer_is_a_record_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the parser fail in another way."""
    with only(TokenctlError):
        found = parse_device(response)
        assert 1 <= found.interval <= LONGEST_INTERVAL and found.expires_at > NOW and found.user_code.isprintable()


@given(answers("error", "error_description", "message", "access_token"))
def test_any_poll_is_pending_final_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the poll fail in another way or repeat a secret."""
    with only(LoginRequired, Refused):
        found = pending(response)
        assert found is not None or response.status not in (429, 500, 503)
