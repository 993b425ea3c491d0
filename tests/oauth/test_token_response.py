"""The one parser of token responses."""

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given

from tests.support.responses import NOW, SECRET, TOKENS, answer, answers, only
from tokenctl.errors import LoginRequired, Refused, TokenctlError, Unreachable
from tokenctl.model.session import DEFAULT_LIFETIME
from tokenctl.oauth.answers import LONGEST_LIFETIME
from tokenctl.oauth.error_response import CLIENT, redacted
from tokenctl.oauth.token_response import LONGEST_TOKEN, TokenSet, parse, rotated
from tokenctl.oauth.wire import Response


def tokens(**members: Any) -> TokenSet:
    """Parse a decent answer with these members in it."""
    return parse(answer({**TOKENS, **members}), (SECRET,))


def jwt(**claims: Any) -> str:
    """An access token that happens to be a JWT."""
    parts = (
        base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in ({"alg": "x"}, claims)
    )
    return ".".join((*parts, "c2ln"))


def test_a_full_answer_becomes_a_token_set() -> None:
    """Every standard member is taken, and unknown ones are ignored."""
    found = tokens(refresh_token="rt", id_token="a.b.c", scope="api  openid", refresh_expires_in=600, x={"y": 1})
    assert found == TokenSet(
        access_token="at",
        token_type="Bearer",
        obtained_at=NOW,
        expires_at=NOW + 900,
        refresh_token="rt",
        refresh_token_expires_at=NOW + 600,
        id_token="a.b.c",
        scope="api openid",
    )


def test_a_token_set_shows_no_token() -> None:
    """What is printed of a record holds no secret."""
    assert SECRET not in repr(tokens(access_token=SECRET, refresh_token=SECRET, id_token=SECRET))


@pytest.mark.parametrize(
    "token_type", ["Bearer", "bEARER", "BEARER", "bearer ", " Bearer\n", None, "", " ", "bot", "user", "BearerToken"]
)
def test_a_token_that_is_used_as_bearer_is_bearer(token_type: str) -> None:
    """However the server writes it, or when it leaves it out, the header says Bearer."""
    assert tokens(token_type=token_type).token_type == "Bearer"


@pytest.mark.parametrize(
    "token_type",
    ["mac", "DPoP", "dpop ", "PoP", "N_A", "token", "Bear er", "Bearer,", 7, 0, False, [], ["Bearer"], {"Bearer": 1}],
)
def test_another_token_type_is_refused(token_type: object) -> None:
    """A token that cannot be used as Bearer is not kept (RFC 6749 section 7.1)."""
    with pytest.raises(Refused, match="token_type") as caught:
        tokens(token_type=token_type)
    assert "bearer tokens" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("token_type", "why"), [("DPoP", "bound to a key"), ("mac", "signature"), ("N_A", "no access")]
)
def test_the_refusal_says_why_bearer_will_not_do(token_type: str, why: str) -> None:
    """Whoever set the server up so meets the reason."""
    with pytest.raises(Refused, match=why):
        tokens(token_type=token_type)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded; charset=utf-8", "text/plain", ""])
def test_a_form_is_a_token_response(content_type: str) -> None:
    """GitHub answers with a form unless it is asked for JSON, and some servers always do."""
    body = b"access_token=gho_a%2Bb&scope=repo%2Cgist&token_type=bearer&expires_in=28800&refresh_token=ghr_c"
    found = parse(answer(body, 200, content_type))
    assert (found.access_token, found.scope, found.token_type) == ("gho_a+b", "repo gist", "Bearer")
    assert (found.expires_at, found.refresh_token) == (NOW + 28800, "ghr_c")
    assert rotated(answer(body, 200, content_type)) == "ghr_c"


@pytest.mark.parametrize("status", [200, 400])
def test_a_form_is_an_error_response(status: int) -> None:
    """GitHub sends errors with 200: the error counts, not the status."""
    body = b"error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect+or+expired.&error_uri=x"
    with pytest.raises(LoginRequired, match=r"bad_refresh_token: The refresh token passed is incorrect"):
        parse(answer(body, status, "application/x-www-form-urlencoded"))
    assert rotated(answer(body, status)) is None


@pytest.mark.parametrize(
    "body",
    [b"access_token=a&access_token=b", b"access_token=a&error=&error=x", b"access_token=a%00b", b"access_token=%ff"],
)
def test_a_form_that_says_two_words_is_refused(body: bytes) -> None:
    """As in JSON, no member may come twice, and no token has other characters than a token's."""
    with pytest.raises(Refused):
        parse(answer(body, 200, "application/x-www-form-urlencoded"))


@pytest.mark.parametrize("client_error", ["invalid_client", "incorrect_client_credentials", "bad_client_secret"])
def test_a_wrong_secret_says_what_to_check(client_error: str) -> None:
    """Whatever the server calls it, the next step is the same."""
    with pytest.raises(Refused, match=client_error) as caught:
        parse(answer({"error": client_error}))
    assert "client secret" in (caught.value.hint or "")
    with pytest.raises(Refused, match="does not accept the client's credentials"):
        parse(answer({"error": client_error}), presented=CLIENT)


def test_words_without_a_token_are_the_servers_error() -> None:
    """A success that holds no token is none: its words say what happened."""
    with pytest.raises(LoginRequired, match="Invalid refresh token"):
        parse(answer({"status": 400, "message": "Invalid refresh token"}))
    with pytest.raises(Refused, match="try again tomorrow"):
        parse(answer({"message": "try again tomorrow"}))


def test_a_deep_token_type_is_refused_at_every_depth() -> None:
    """Saying what was wrong never needs more stack than reading it did."""
    for depth in range(1, 1100):
        body = b'{"access_token": "at", "token_type": %s%s}' % (b"[" * depth, b"]" * depth)
        with pytest.raises(Refused):
            parse(answer(body))


def test_a_secret_in_the_token_type_is_not_repeated() -> None:
    """Whatever member a server echoes a secret in, the message does not."""
    with pytest.raises(Refused) as caught:
        tokens(token_type=SECRET)
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (900, 900),
        ("900", 900),
        (900.9, 900),
        ("900.9", 900),
        (" 3600", 3600),
        ("3599.5", 3599),
        ("\t900 \r\n", 900),
        (0.9, 1),
        (LONGEST_LIFETIME, LONGEST_LIFETIME),
    ],
)
def test_a_sensible_lifetime_counts_from_the_request(expires_in: object, seconds: int) -> None:
    """Numbers, with a fraction and as text too, are seconds since the request was sent, and not since the answer came."""
    late = replace(answer({**TOKENS, "expires_in": expires_in}), sent_at=NOW - 7000, boot_id="b", booted_at_ms=5)
    found = parse(late)
    assert (found.obtained_at, found.expires_at) == (NOW - 7000, NOW - 7000 + seconds)
    assert (found.boot_id, found.booted_at_ms) == ("b", 5)
    assert type(found.expires_at) is int


@pytest.mark.parametrize("expires_in", [0, "0", 0.0, None, "", " "])
def test_a_lifetime_that_is_none_is_absent(expires_in: object) -> None:
    """Zero is "unknown" to the servers that send it; a session without a way to renew then has no end."""
    found = tokens(expires_in=expires_in)
    assert found.expires_at is None
    assert found.times(renewable=False)["expires_at"] is None
    assert found.times(renewable=True)["expires_at"] == NOW + DEFAULT_LIFETIME


@pytest.mark.parametrize(
    "expires_in",
    [
        *("-1", "-0.5", "NaN", "Infinity", "-Infinity", "1e999", "1e300", "9" * 400, "9" * 5000, "true", "false"),
        *('"soon"', '"-1"', '".5"', '"9 00"', '"1e3"', '"²"', '"٣"', '"' + "9" * 400 + '"', "[900]", "{}"),
        str(LONGEST_LIFETIME + 1),
    ],
)
def test_a_senseless_lifetime_is_refused(expires_in: str) -> None:
    """A negative, absurd or wordy lifetime would mean refreshing for ever, or never."""
    with pytest.raises(Refused) as caught:
        parse(answer(b'{"access_token": "at", "token_type": "Bearer", "expires_in": %s}' % expires_in.encode()))
    assert len(caught.value.message) < 150


@pytest.mark.parametrize(
    ("exp", "expected"),
    [
        (NOW + 700, NOW + 700),
        (NOW + 700.9, NOW + 700),
        (NOW + 0.5, NOW + 1),
        *(
            (exp, None)
            for exp in (NOW, NOW - 1, 0, -1, NOW + 2 * LONGEST_LIFETIME, "soon", None, True, [1], 10**400, "")
        ),
    ],
)
def test_without_expires_in_the_tokens_own_exp_counts(exp: object, expected: int | None) -> None:
    """The JWT says itself when it ends, where that is possible at all."""
    assert parse(answer({"access_token": jwt(exp=exp), "token_type": "Bearer"})).expires_at == expected


@pytest.mark.parametrize("ahead", [-(10**7), -300, 0, 300, 10**7])
@pytest.mark.parametrize(("expires_in", "exp", "life"), [(900, 300, 300), (300, 900, 300), (None, 300, 300)])
def test_the_earlier_end_counts_by_the_servers_clock(ahead: int, expires_in: int | None, exp: int, life: int) -> None:
    """A JWT's `exp` is compared with the server's own `Date`: a wrong clock on this machine changes nothing."""
    token = jwt(exp=NOW + ahead + exp)
    response = answer({"access_token": token, "token_type": "Bearer", "expires_in": expires_in})
    assert parse(replace(response, date=NOW + ahead)).expires_at == NOW + life


@pytest.mark.parametrize(
    ("issued", "date", "waited", "life"),
    [
        (0, 0, 0, 900),
        (0, 1, 0, 900),  # both are whole seconds
        (0, 6, 7, 900),  # the server took its time
        (0, 7200, 7201, 900),  # this machine slept until the answer was read
        (0, 600, 2, 300),  # a token that the server had given before
        (5, 0, 2, 905),  # a server whose clocks do not agree: its `Date` counts
        (0, None, 0, 900),
    ],
)
def test_a_token_that_was_issued_for_this_request_has_its_whole_life(
    issued: int, date: int | None, waited: int, life: int
) -> None:
    """Then `iat` is exact, and the time that the answer needed is no part of the server's clock."""
    server = NOW + 10**6
    response = answer({"access_token": jwt(iat=server + issued, exp=server + issued + 900)})
    response = replace(response, sent_at=NOW - waited, date=None if date is None else server + date)
    assert parse(response).expires_at == NOW - waited + life


@pytest.mark.parametrize("name", ["refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"])
@pytest.mark.parametrize("value", [3600, "3600", " 3600", "3600.5"])
def test_the_life_of_a_refresh_token_is_read_where_it_is_told(name: str, value: object) -> None:
    """No standard names the member, so GitHub, Keycloak and Intuit call it as they like."""
    assert tokens(refresh_token="rt", **{name: value}).refresh_token_expires_at == NOW + 3600


@pytest.mark.parametrize("value", [-1, "soon", True, [], 10**400, None, 0])
def test_a_senseless_refresh_lifetime_is_unknown(value: object) -> None:
    """It is not standard and only shown, so it fails nothing; zero means never to who sends it."""
    assert tokens(refresh_token="rt", refresh_token_expires_in=value).refresh_token_expires_at is None


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "id_token"])
@pytest.mark.parametrize(
    "value",
    [
        *(
            f"{SECRET}\r\nX: y",
            f"{SECRET}\n",
            f"\t{SECRET}",
            f"{SECRET} b",
            f"{SECRET}\0",
            f"{SECRET}\x7f",
            f"{SECRET}é",
        ),
        [SECRET],
        {"a": SECRET},
        7,
        True,
        "x" * (LONGEST_TOKEN + 1),
    ],
)
def test_a_token_that_could_forge_a_header_or_a_line_is_refused(name: str, value: object) -> None:
    """Visible ASCII only (RFC 6749 appendix A), and the message does not show what came."""
    with pytest.raises(Refused, match=name) as caught:
        tokens(**{name: value})
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("value", ["", None])
def test_an_answer_without_an_access_token_is_refused(value: object) -> None:
    """An empty token is none; an empty refresh or ID token is merely absent."""
    with pytest.raises(Refused, match="without access_token"):
        tokens(access_token=value)
    found = tokens(refresh_token=value, id_token=value)
    assert found.refresh_token is None and found.id_token is None


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_invalid_grant_means_signing_in_again(status: int) -> None:
    """Whatever the status, that error is about the grant itself."""
    with pytest.raises(LoginRequired, match="invalid_grant") as caught:
        parse(answer({"error": "invalid_grant", "error_description": "Token is not active"}, status))
    assert "Token is not active" in caught.value.message and caught.value.exit_status == 4


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
@pytest.mark.parametrize(
    "error",
    [
        *("invalid_client", "unauthorized_client", "invalid_request", "invalid_scope", "invalid_target"),
        *("unsupported_grant_type", "access_denied", "something_of_their_own"),
    ],
)
def test_every_other_oauth_error_is_a_refusal(error: str, status: int) -> None:
    """The code is kept, and nothing about the sign-in is decided."""
    with pytest.raises(Refused, match=error) as caught:
        parse(answer({"error": error, **TOKENS}, status))
    assert (caught.value.error, caught.value.exit_status) == (error, 5)


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("error", [None, ""])
def test_an_error_of_null_is_none(error: object, status: int) -> None:
    """Some servers send the member beside tokens."""
    assert parse(answer({"error": error, **TOKENS}, status)).access_token == TOKENS["access_token"]


@pytest.mark.parametrize("error", [7, ["invalid_grant"], {"code": "invalid_grant"}, True])
@pytest.mark.parametrize("status", [200, 400])
def test_an_error_that_is_no_text_is_a_refusal_without_reason(error: object, status: int) -> None:
    """Tokens beside it are not used."""
    with pytest.raises(Refused, match="without a reason") as caught:
        parse(answer({"error": error, **TOKENS}, status))
    assert caught.value.error is None


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404])
def test_tokens_count_only_with_a_success(status: int) -> None:
    """Another status is an answer about something else."""
    with pytest.raises(Refused):
        parse(answer(TOKENS, status))


@pytest.mark.parametrize("body", [None, b"<html>no</html>", b"error", b"[]", b'"x"', b'{"a": 1, "a": 2}'])
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404])
def test_an_answer_that_cannot_be_read_is_a_refusal(body: bytes | None, status: int) -> None:
    """An empty body or a page says nothing about the grant, and is described, not quoted."""
    with pytest.raises(Refused, match=str(status)) as caught:
        parse(answer(body, status, "text/html"))
    assert "<" not in caught.value.message and caught.value.error is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        b"<html>",
        {},
        {"error": "server_error"},
        {"error": "temporarily_unavailable"},
        {"error": "slow_down"},
        {"error": "invalid_grant", "error_description": "refresh token is invalid"},
        {"error": "login_required"},
        TOKENS,
    ],
)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_overloaded_server_decides_nothing(document: object, status: int) -> None:
    """The same request may work later, and the server's wait is told."""
    with pytest.raises(Unreachable) as caught:
        parse(answer(document, status, retry_after=17))
    assert caught.value.exit_status == 6 and caught.value.sent and "17 s" in (caught.value.hint or "")


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
def test_known_secrets_are_redacted_from_the_servers_words(error: str) -> None:
    """A server that quotes the request does not bring it to the terminal."""
    with pytest.raises(TokenctlError) as caught:
        parse(answer({"error": error, "error_description": f"token {SECRET}, secret pw"}, 400), (SECRET, "pw", ""))
    assert "token ***, secret ***" in caught.value.message


def test_a_secret_as_the_error_is_redacted() -> None:
    """The code is the server's own text too."""
    with pytest.raises(Refused) as caught:
        parse(answer({"error": f"bad {SECRET}"}, 400), (SECRET,))
    assert SECRET not in caught.value.message


def test_a_secret_at_the_cut_is_redacted_first() -> None:
    """Cutting a long description does not leave half a secret that is no longer recognised."""
    with pytest.raises(Refused) as caught:
        parse(answer({"error": "x", "error_description": "y" * 290 + SECRET}, 400), (SECRET,))
    assert SECRET[:5] not in caught.value.message and len(caught.value.message) < 400


def test_a_secret_within_a_secret_leaves_nothing() -> None:
    """The longest is taken out first."""
    assert redacted("<abc-def>", ("abc", "abc-def")) == "<***>"


@pytest.mark.parametrize("secret", ["a", "the", "id", "client", "grant"])
def test_a_short_secret_leaves_the_message_readable(secret: str) -> None:
    """As a part of other words it is no secret, and an error code is still one."""
    said = "whether invalid_client identified invalid_grants another"
    assert redacted(said, (secret,)) == said


@pytest.mark.parametrize(
    "secret", ["a", "the", "pw", "s3cret", "x-y", "-x", "x-", "a b", "\N{LATIN SMALL LETTER E WITH ACUTE}x"]
)
@pytest.mark.parametrize(
    "said",
    [
        "{}",
        "secret {} refused",
        "({})",
        "client_secret={}&x=1",
        "%22client_secret%22%3A%22{}%22",
        "'{}'",
        "{}.",
        "id:{}",
        "=[{}]",
    ],
)
def test_a_short_secret_is_never_told(secret: str, said: str) -> None:
    """Wherever a server quotes it, plain or percent-encoded, nothing of it is left."""
    for form in (secret, quote(secret, safe=""), quote_plus(secret)):
        assert redacted(said.format(form), (secret,)) == said.format("***")


@given(answers("access_token", "refresh_token", "id_token", "expires_in", "scope", "error", "error_description"))
def test_any_answer_is_a_token_set_or_one_of_our_errors(response: Response) -> None:
    """No answer makes the parser fail in another way or repeat a secret."""
    with only(TokenctlError):
        found = parse(response, (SECRET,))
        assert found.expires_at is None or NOW <= found.expires_at <= NOW + LONGEST_LIFETIME
        assert found.access_token.isprintable()


@given(answers("access_token", "expires_in", "scope").map(lambda found: found.body))
def test_any_200_is_taken_or_refused(body: bytes) -> None:
    """With a usable type and status, what is left is a token set or a refusal, never a passing failure."""
    with only(Refused, LoginRequired):
        parse(answer(body[:-1] + b', "token_type": "bearer"}'), (SECRET,))
