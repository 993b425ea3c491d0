"""The authorization code grant: what goes out, and which callbacks count."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import SECRET, only
from tokenctl.errors import Refused, UsageError
from tokenctl.oauth.authorization_code import (
    ENTROPY,
    RESERVED_PARAMETERS,
    UnexpectedCallback,
    UnprovenRefusal,
    authorization_parameters,
    authorization_url,
    begin,
    code_request,
    parse_callback,
)
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.pkce import challenge

ISSUER = "https://login.example.com"
REDIRECT = "http://127.0.0.1:50000/callback"
ATTEMPT = begin(ISSUER, REDIRECT, bytes(range(ENTROPY)), iss_required=False)
STRICT = begin(ISSUER, REDIRECT, bytes(range(ENTROPY)), iss_required=True)


def test_an_attempt_has_three_values_of_their_own() -> None:
    """Verifier, state and nonce have 256 bits each and share none of them."""
    assert len({ATTEMPT.verifier, ATTEMPT.state, ATTEMPT.nonce}) == 3
    assert all(len(each) == 43 for each in (ATTEMPT.verifier, ATTEMPT.state, ATTEMPT.nonce))


@given(st.lists(st.binary(min_size=ENTROPY, max_size=ENTROPY), unique_by=lambda each: each[:32], min_size=2))
def test_attempts_differ_when_their_entropy_does(entropies: list[bytes]) -> None:
    """Two sign-ins never share a challenge."""
    attempts = [begin(ISSUER, REDIRECT, each, iss_required=False) for each in entropies]
    assert len({challenge(each.verifier) for each in attempts}) == len(attempts)


@pytest.mark.parametrize("length", [0, ENTROPY - 1, ENTROPY + 1])
def test_an_attempt_takes_exactly_its_entropy(length: int) -> None:
    """Too little randomness is a mistake of ours, found at once."""
    with pytest.raises(ValueError, match="96"):
        begin(ISSUER, REDIRECT, bytes(length), iss_required=False)


def test_an_attempt_shows_nothing_of_its_secrets() -> None:
    """Neither verifier nor state nor nonce is part of what a traceback prints."""
    assert not any(each in repr(ATTEMPT) for each in (ATTEMPT.verifier, ATTEMPT.state, ATTEMPT.nonce))


def test_the_request_has_every_protection_once() -> None:
    """Response type code, S256, state and nonce are in it, the verifier is not."""
    parameters = authorization_parameters(ATTEMPT, "c", "openid api", ("https://api.example.com", "urn:b"))
    assert parameters == (
        ("response_type", "code"),
        ("client_id", "c"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid api"),
        ("state", ATTEMPT.state),
        ("nonce", ATTEMPT.nonce),
        ("code_challenge", challenge(ATTEMPT.verifier)),
        ("code_challenge_method", "S256"),
        ("resource", "https://api.example.com"),
        ("resource", "urn:b"),
    )
    assert ATTEMPT.verifier not in authorization_url(f"{ISSUER}/authorize", parameters)


@pytest.mark.parametrize(
    ("scope", "has_nonce"), [("openid", True), ("api openid", True), ("api", False), (None, False), ("openidx", False)]
)
def test_a_nonce_goes_with_openid(scope: str | None, has_nonce: bool) -> None:
    """Only an ID token brings it back."""
    found = dict(authorization_parameters(ATTEMPT, "c", scope))
    assert ("nonce" in found) is has_nonce and found.get("scope") == scope


@pytest.mark.parametrize(
    ("scope", "extra", "prompt"),
    [
        ("openid offline_access", (), "consent"),
        ("openid", (), None),
        ("openid offline_access", (("prompt", "login"),), "login"),
        ("openid offline_access", (("prompt", ""),), None),
    ],
)
def test_offline_access_asks_for_consent(scope: str, extra: tuple[tuple[str, str], ...], prompt: str | None) -> None:
    """OpenID Connect Core section 11, unless the profile says otherwise; an empty value leaves it out."""
    assert dict(authorization_parameters(ATTEMPT, "c", scope, (), extra)).get("prompt") == prompt


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_an_extra_parameter_cannot_replace_a_protection(name: str) -> None:
    """Whoever could set one could switch it off."""
    with pytest.raises(UsageError, match=name):
        authorization_parameters(ATTEMPT, "c", "openid", (), (("prompt", "login"), (name, "x")))


@given(st.dictionaries(st.text(min_size=1).filter(lambda each: each not in RESERVED_PARAMETERS), st.text(), max_size=5))
def test_extra_parameters_appear_once_and_encoded(extra: dict[str, str]) -> None:
    """Nothing in them can end a value and begin another parameter."""
    parameters = authorization_parameters(ATTEMPT, "c", "api", (), tuple(extra.items()))
    pairs = parse_qsl(
        urlsplit(authorization_url(f"{ISSUER}/authorize?tenant=1", parameters)).query, keep_blank_values=True
    )
    assert tuple(pairs) == (("tenant", "1"), *parameters)
    assert len({name for name, _ in pairs}) == len(pairs)


def test_a_callback_with_our_state_brings_its_code() -> None:
    """Unknown parameters beside it are ignored."""
    assert parse_callback(ATTEMPT, {"state": ATTEMPT.state, "code": "c", "session_state": "x"}) == "c"
    assert parse_callback(STRICT, {"state": ATTEMPT.state, "code": "c", "iss": ISSUER}) == "c"


@pytest.mark.parametrize(
    "state", [None, "", "x", ATTEMPT.state[:-1], ATTEMPT.state + "x", ATTEMPT.state.lower(), ATTEMPT.nonce, "é"]
)
@pytest.mark.parametrize(
    "rest", [{"code": "c"}, {"error": "access_denied"}, {"code": "c", "iss": "https://evil.example"}, {}]
)
def test_a_callback_with_another_state_decides_nothing(state: str | None, rest: dict[str, str]) -> None:
    """Anybody on this machine can send one, an error too, so the real one is still waited for."""
    with pytest.raises(UnexpectedCallback):
        parse_callback(ATTEMPT, rest | ({} if state is None else {"state": state}))


@pytest.mark.parametrize("rest", [{"code": "c"}, {"error": "access_denied"}])
@pytest.mark.parametrize("iss", [ISSUER + "/", ISSUER.upper(), "https://evil.example", ""])
def test_an_answer_of_another_issuer_is_final(rest: dict[str, str], iss: str) -> None:
    """Two servers were mixed up, and no code is sent to either (RFC 9207)."""
    with pytest.raises(Refused, match="issuer"):
        parse_callback(ATTEMPT, {"state": ATTEMPT.state, "iss": iss, **rest})


@pytest.mark.parametrize("rest", [{"code": "c"}, {"error": "access_denied"}])
def test_an_issuer_that_was_promised_must_be_there(rest: dict[str, str]) -> None:
    """A server that says it sends iss and does not is not that server."""
    with pytest.raises(Refused, match="issuer"):
        parse_callback(STRICT, {"state": STRICT.state, **rest})


def test_an_error_without_the_promised_issuer_is_told() -> None:
    """Some servers promise `iss` and leave it out of errors: the sign-in ends, and not without the server's words."""
    with pytest.raises(Refused, match=r"issuer None, .*; it says: access_denied: no"):
        parse_callback(STRICT, {"state": STRICT.state, "error": "access_denied", "error_description": "no"})


def test_an_error_with_our_state_is_final() -> None:
    """The code of the server and its words reach the person, even when a code is there as well."""
    with pytest.raises(Refused, match="access_denied: the user said no") as caught:
        parse_callback(
            ATTEMPT,
            {"state": ATTEMPT.state, "error": "access_denied", "error_description": "the user said no", "code": "c"},
        )
    assert caught.value.error == "access_denied"


@pytest.mark.parametrize("rest", [{}, {"state": ""}, {"iss": ISSUER}, {"code": "c"}])
def test_an_error_without_state_is_not_final(rest: dict[str, str]) -> None:
    """Everybody can send it, and some servers do: it is told, and cut."""
    with pytest.raises(UnprovenRefusal, match="access_denied: no") as caught:
        parse_callback(ATTEMPT, {"error": "access_denied", "error_description": "no" * 999, **rest})
    assert len(caught.value.said) < 400


@pytest.mark.parametrize("rest", [{"state": "x"}, {"iss": "https://evil.example"}, {"error": ""}])
def test_an_error_of_somebody_else_is_not_told(rest: dict[str, str]) -> None:
    """With another state or another issuer it belongs to another sign-in."""
    with pytest.raises(UnexpectedCallback) as caught:
        parse_callback(ATTEMPT, {"error": "access_denied", **rest})
    assert not isinstance(caught.value, UnprovenRefusal)


@pytest.mark.parametrize("rest", [{}, {"code": ""}])
def test_a_callback_without_a_code_is_not_ours(rest: dict[str, str]) -> None:
    """It is answered with an error page, and the wait goes on."""
    with pytest.raises(UnexpectedCallback):
        parse_callback(ATTEMPT, {"state": ATTEMPT.state, **rest})


def test_a_long_error_is_cut() -> None:
    """A server does not fill the terminal."""
    with pytest.raises(Refused) as caught:
        parse_callback(ATTEMPT, {"state": ATTEMPT.state, "error": "e" * 9999, "error_description": "d" * 9999})
    assert len(caught.value.message) < 500


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "state": st.sampled_from([ATTEMPT.state, "x"]) | st.text(),
            **dict.fromkeys(("code", "iss", "error", "error_description"), st.text()),
        },
    )
)
def test_any_callback_is_a_code_or_one_of_our_errors(parameters: dict[str, Any]) -> None:
    """A code comes out only with our state, no error, and no other issuer."""
    with only(UnexpectedCallback, Refused):
        assert parse_callback(ATTEMPT, parameters) == parameters["code"]
        assert (
            parameters["state"] == ATTEMPT.state
            and "error" not in parameters
            and parameters.get("iss", ISSUER) == ISSUER
        )


def test_the_code_is_exchanged_with_its_verifier() -> None:
    """The redirect URI is the one of the request, and nothing secret is in the URL."""
    client = Client(client_id="c", auth_method="client_secret_post", secret=SECRET)
    built = code_request(f"{ISSUER}/token", client, ATTEMPT, "code", ("https://api.example.com",))
    assert (built.method, built.url) == ("POST", f"{ISSUER}/token")
    assert built.form == (
        ("grant_type", "authorization_code"),
        ("code", "code"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", ATTEMPT.verifier),
        ("resource", "https://api.example.com"),
        ("client_id", "c"),
        ("client_secret", SECRET),
    )
