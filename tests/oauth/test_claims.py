"""The claims of a JWT, unverified, for the eye."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.responses import values
from tokenctl.oauth.claims import account_name, is_jwt, unverified_claims, unverified_header


def part(document: object) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def jwt(claims: object, header: object = {"alg": "RS256"}) -> str:
    """A JWT with a signature that nobody checks here."""
    return f"{part(header)}.{part(claims)}.c2ln"


def test_claims_and_header_are_read() -> None:
    """A JWT shows what is in it, whatever the length of its parts."""
    for sub in ("a", "ab", "abc", "abcd", "ünï"):
        assert unverified_claims(jwt({"sub": sub})) == {"sub": sub}
    assert unverified_header(jwt({})) == {"alg": "RS256"}
    assert is_jwt(jwt({}))


@pytest.mark.parametrize(
    "token",
    [
        *(
            "",
            "opaque",
            "a.b",
            "..",
            "a.b.c",
            "a.b.c.d",
            ".e30.",
            "é.é.é",
            "!.!.!",
            "e30.e30.e30",
            f"{part({})}.{part({})}.",
        ),
        *(jwt([1]), jwt("x"), jwt({}, header=[1]).replace(part({}), part(7)), f"{part({'typ': 'JWT'})}.{part([])}.x"),
    ],
)
def test_an_opaque_or_broken_token_has_no_claims(token: str) -> None:
    """What is no JWT is opaque, and never an error."""
    assert unverified_claims(token) == {}


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", jwt({}, header={}), jwt({}, header=[]), "e30.e30.e30"])
def test_only_a_header_with_alg_makes_a_jwt(token: str) -> None:
    """Three dots are no JWT."""
    assert not is_jwt(token)


@pytest.mark.parametrize("claims", [b'{"sub": "a", "sub": "b"}', b'{"sub": NaN}', b"[" * 100_000, b"\xff"])
def test_claims_that_two_readers_read_differently_are_none(claims: bytes) -> None:
    """The strict reader's rules hold for claims too."""
    assert unverified_claims(f"e30.{base64.urlsafe_b64encode(claims).decode()}.") == {}


@given(st.text() | st.builds(lambda a, b: f"{part(a)}.{part(b)}.", values, values))
def test_any_text_has_claims_or_none(token: str) -> None:
    """No token makes the reader fail."""
    assert isinstance(unverified_claims(token), dict) and isinstance(is_jwt(token), bool)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "ada", "email": "a@b.c", "name": "Ada", "sub": "1"}, "ada"),
        ({"email": "a@b.c", "name": "Ada", "sub": "1"}, "a@b.c"),
        ({"name": "Ada", "sub": "1"}, "Ada"),
        ({"preferred_username": "", "email": 7, "name": ["x"], "sub": "1"}, "1"),
        ({"sub": 1}, None),
        ({}, None),
    ],
)
def test_an_account_is_called_by_its_best_name(claims: dict[str, object], name: str | None) -> None:
    """The first text among user name, address, name and subject."""
    assert account_name(claims) == name
