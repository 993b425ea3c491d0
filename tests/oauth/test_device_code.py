"""The device authorization grant."""

import json

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


def test_googles_name_for_the_page_is_understood() -> None:
    """Its first version says verification_url."""
    assert (
        device(verification_uri=None, verification_url="https://b.example/x").verification_uri == "https://b.example/x"
    )


NONSENSE: tuple[object, ...] = (None, -1, "-1", "soon", "", True, [5], {}, 10**400, "9" * 400)


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        *((5, 5), ("9", 9), (2.9, 2), (0, 1), (0.1, 1), (10**6, LONGEST_INTERVAL)),
        *((wrong, DEFAULT_INTERVAL) for wrong in NONSENSE),
    ],
)
def test_the_interval_is_sensible(interval: object, seconds: int) -> None:
    """Five seconds where it is absent or nonsense, never none at all, and never so long that a code expires unseen."""
    assert device(interval=interval).interval == seconds


@pytest.mark.parametrize(
    ("expires_in", "seconds"), [(600, 600), ("600", 600), (0, 1), *((wrong, 300) for wrong in NONSENSE)]
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


@pytest.mark.parametrize(
    "body",
    [None, b"<html>", b"[]", {}, {"access_token": "x"}, {"error": None}, {"error": ["slow_down"]}, {"error": {}}]
    + [{"error": each} for each in ("invalid_request", "invalid_grant", "SLOW_DOWN", "slow_down ", "")],
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_every_other_answer_ends_the_polling(body: object, status: int) -> None:
    """The token response's parser says what it is."""
    assert pending(answer(body, status)) is None


def test_an_expired_code_means_signing_in_again() -> None:
    """That is exit status 4, and a hint."""
    with pytest.raises(LoginRequired, match="expired") as caught:
        pending(answer({"error": "expired_token"}, 400))
    assert "the same command again" in (caught.value.hint or "")


def test_a_person_who_says_no_is_believed() -> None:
    """That is a refusal, not a reason to go on asking."""
    with pytest.raises(Refused, match="refused") as caught:
        pending(answer({"error": "access_denied", "error_description": "\x1b[2J"}, 400))
    assert caught.value.error == "access_denied" and "\x1b" not in caught.value.message


@given(answers(*DEVICE, "verification_url"))
def test_any_answer_is_a_record_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the parser fail in another way."""
    with only(TokenctlError):
        found = parse_device(response)
        assert 1 <= found.interval <= LONGEST_INTERVAL and found.expires_at > NOW and found.user_code.isprintable()


@given(answers("error", "error_description"))
def test_any_poll_is_pending_final_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the poll fail in another way or repeat a secret."""
    with only(LoginRequired, Refused):
        found = pending(response)
        assert found is None or found.value in json.loads(response.body.decode("utf-8-sig"))["error"]
