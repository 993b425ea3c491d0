"""ID tokens, row by row of OpenID Connect Core section 3.1.3.7: what is accepted, and what never is."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from jwt.algorithms import OKPAlgorithm

from tests.support.id_tokens import key, part, public, signed
from tokenctl.adapters.jwt_verify import ALGORITHMS, verify, verify_signature
from tokenctl.errors import Refused
from tokenctl.oauth.wire import Response

ISSUER = "https://issuer.example"
CLIENT = "a-client"
ACCESS_TOKEN = "an-access-token"


def keys(*members: object) -> Response:
    """Answer as the issuer's `jwks_uri` does."""
    return Response(status=200, received_at=0, body=json.dumps({"keys": members}).encode())


JWKS = keys(public(key("RS256"), kid="one", use="sig", alg="RS256"))


@dataclass(frozen=True)
class FromNow:
    """A time that is counted when the test runs."""

    seconds: float


def claims(**changes: Any) -> dict[str, Any]:
    """Make the claims of a good ID token; None takes one out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": CLIENT, "sub": "ada", "exp": now + 300, "iat": now, "nonce": "the-nonce"}
    timed = {
        name: now + value.seconds if isinstance(value, FromNow) else value for name, value in (good | changes).items()
    }
    return {name: value for name, value in timed.items() if value is not None}


def check(token: str, jwks: Response = JWKS, **options: Any) -> dict[str, Any]:
    """Verify as a sign-in does."""
    expected = {"issuer": ISSUER, "client_id": CLIENT, "nonce": "the-nonce", "access_token": ACCESS_TOKEN}
    return verify(token, jwks, **(expected | options))


def at_hash(algorithm: str, access_token: str = ACCESS_TOKEN) -> str:
    """Compute OpenID Connect Core section 3.1.3.6."""
    name = {"256": "sha256", "384": "sha384", "512": "sha512", "DSA": "sha512", "519": "sha512"}[algorithm[-3:]]
    digest = hashlib.new(name, access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


# -- what is accepted ------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_of_the_list_is_verified(algorithm: str) -> None:
    """A token signed with an allowed algorithm is good, its at_hash included."""
    jwks = keys(public(key(algorithm), kid="one"))
    token = signed(claims(at_hash=at_hash(algorithm)), algorithm)
    assert check(token, jwks)["sub"] == "ada"
    assert check(token, jwks, algorithms=(algorithm,))["sub"] == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [CLIENT]},
        {"aud": CLIENT, "azp": CLIENT},
        {"aud": [CLIENT, "another"], "azp": CLIENT},
        {"aud": [CLIENT, CLIENT]},
        {"exp": FromNow(-30)},
        {"iat": FromNow(30)},
        {"iat": FromNow(0.25), "exp": FromNow(300.5)},
        {"sub": "x" * 255},
        {"at_hash": None},
        {"unknown": {"deep": [1, 2]}},
    ],
)
def test_good_claims_are_accepted(changes: dict[str, Any]) -> None:
    """Audience lists, small clock differences and unknown claims are no reason to refuse."""
    assert check(signed(claims(**changes)))["iss"] == ISSUER


def test_without_a_nonce_sent_none_is_asked_for() -> None:
    """A flow that sends no nonce (device code) accepts a token without one."""
    assert check(signed(claims(nonce=None)), nonce=None)["sub"] == "ada"


# -- claims (rows 50 to 52, 55 to 59) --------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": None}, "issuer"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"iss": ISSUER.upper()}, "issuer"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": None}, "aud"),
        ({"aud": "another"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": CLIENT + "x"}, "aud"),
        ({"aud": {CLIENT: 1}}, "aud"),
        ({"aud": ["another"], "azp": CLIENT}, "aud"),
        ({"aud": [CLIENT, "another"]}, "azp"),
        ({"aud": [CLIENT, 7]}, "azp"),
        ({"aud": [CLIENT, CLIENT, "another"], "azp": ""}, "azp"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"azp": ""}, "azp"),
        ({"azp": [CLIENT]}, "azp"),
        ({"exp": None}, "exp"),
        ({"exp": 0}, "expired"),
        ({"exp": FromNow(-120)}, "expired"),
        ({"exp": "never"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("nan")}, "claims"),
        ({"exp": float("inf")}, "claims"),
        ({"exp": 10**40}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": FromNow(-7 * 86400)}, "iat"),
        ({"iat": FromNow(3600)}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"nbf": FromNow(3600)}, "nbf"),
        ({"nbf": "now"}, "nbf"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "adä"}, "sub"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": ["the-nonce"]}, "nonce"),
        ({"at_hash": at_hash("RS256", "another")}, "at_hash"),
        ({"at_hash": at_hash("RS512")}, "at_hash"),
        ({"at_hash": ""}, "at_hash"),
        ({"at_hash": 1}, "at_hash"),
    ],
)
def test_bad_claims_are_refused(changes: dict[str, Any], reason: str) -> None:
    """A claim that is absent, wrong or of a wrong kind is refused and named."""
    with pytest.raises(Refused, match=reason) as caught:
        check(signed(claims(**changes)))
    assert caught.value.exit_status == 5


@pytest.mark.parametrize("changes", [{"exp": FromNow(-120)}, {"iat": FromNow(3600)}])
def test_who_has_a_wrong_clock_is_sent_to_the_doctor(changes: dict[str, Any]) -> None:
    """The server's operator is the next one to ask, and not the first."""
    with pytest.raises(Refused, match="clock right") as caught:
        check(signed(claims(**changes)))
    assert (caught.value.hint or "").startswith("'tokenctl doctor'")


def test_a_nonce_that_the_server_lost_is_told_from_a_wrong_one() -> None:
    """Some servers never send the nonce back: the message says that, and how to sign in there without an ID token."""
    with pytest.raises(Refused, match="did not send back the nonce") as caught:
        check(signed(claims(nonce=None)))
    assert "without openid in the scope" in (caught.value.hint or "")
    with pytest.raises(Refused, match="not the one sent"):
        check(signed(claims(nonce="another")))


@pytest.mark.parametrize("name", ["nonce", "at_hash"])
def test_a_claim_that_is_no_text_is_refused(name: str) -> None:
    """A claim that cannot be encoded is refused like any other wrong one."""
    with pytest.raises(Refused):
        check(signed(claims(**{name: "\ud800"})))


def test_a_claim_that_stands_twice_is_refused() -> None:
    """Of two subjects neither is believed."""
    with pytest.raises(Refused):
        check(signed(json.dumps(claims())[:-1].encode() + b', "sub": "grace"}'))


@pytest.mark.parametrize(("seconds", "max_age"), [(0, 0), (-30, 0), (30, 0), (-330, 300), (-300, 300)])
def test_a_sign_in_within_max_age_is_accepted(seconds: int, max_age: int) -> None:
    """As long ago as was asked for, or as far off as two clocks may be."""
    assert check(signed(claims(auth_time=int(time.time()) + seconds)), max_age=max_age)["sub"] == "ada"


@pytest.mark.parametrize(
    "auth_time",
    [
        None,
        FromNow(-420),
        FromNow(-86400),
        FromNow(120),
        FromNow(-0.5),
        "now",
        True,
        0,
        pytest.param(10**400, id="huge"),
        [1],
    ],
)
def test_a_sign_in_that_is_too_long_ago_is_refused(auth_time: object) -> None:
    """With max_age the token must say when the sign-in was, as an integer (OpenID Connect Core section 3.1.3.7)."""
    token = signed(claims(auth_time=auth_time))
    assert check(token)["sub"] == "ada"
    with pytest.raises(Refused, match="auth_time"):
        check(token, max_age=300)


# -- signature and algorithm (rows 53, 54) ---------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_bad_signature_is_refused(algorithm: str) -> None:
    """Neither another key's signature nor a changed payload passes."""
    jwks = keys(public(key(algorithm), kid="one"))
    with pytest.raises(Refused, match="signature"):
        check(signed(claims(), algorithm, key(algorithm, 2)), jwks)
    head, _, signature = signed(claims(), algorithm).split(".")
    with pytest.raises(Refused, match="signature"):
        check(f"{head}.{part(claims(sub='grace'))}.{signature}", jwks)
    with pytest.raises(Refused, match="signature"):
        check(f"{head}.{part(claims())}.", jwks)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", None, "", 7, ["RS256"], "RS256 "])
def test_an_unsigned_token_is_refused(name: object) -> None:
    """`alg` none in any spelling, absent or of a wrong kind is refused, whatever the metadata lists."""
    header = {"kid": "one"} if name is None else {"alg": name, "kid": "one"}
    for signature in ("", part(b"x" * 256)):
        token = f"{part(header)}.{part(claims())}.{signature}"
        with pytest.raises(Refused, match="not allowed"):
            check(token)
        with pytest.raises(Refused, match="not allowed"):
            check(token, algorithms=(str(name), "RS256"))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_shared_secret(algorithm: str) -> None:
    """A token with an HMAC over the public key's text, or over an `oct` key, is refused (algorithm confusion)."""
    pem = (
        key("RS256")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    secret = b"s" * 64
    body = f"{part({'alg': algorithm, 'kid': 'one'})}.{part(claims())}"
    jwks = keys(public(key("RS256"), kid="one"), {"kty": "oct", "k": part(secret), "kid": "one", "alg": algorithm})
    for shared in (pem, secret):
        mac = hmac.new(shared, body.encode(), f"sha{algorithm[2:]}").digest()
        with pytest.raises(Refused, match="not allowed"):
            check(f"{body}.{part(mac)}", jwks, algorithms=(algorithm, "RS256"))


def test_only_what_the_metadata_lists_is_allowed() -> None:
    """The metadata narrows our list and never widens it."""
    token = signed(claims(), "ES256")
    jwks = keys(public(key("ES256"), kid="one"))
    with pytest.raises(Refused, match="not allowed"):
        check(token, jwks, algorithms=("RS256",))
    with pytest.raises(Refused, match="not allowed"):
        check(token, jwks, algorithms=())


@pytest.mark.parametrize("in_token", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("elsewhere", ["EdDSA", "Ed25519"])
def test_one_algorithm_may_have_two_names(in_token: str, elsewhere: str) -> None:
    """RFC 9864 renames EdDSA with its usual curve: metadata, keys and tokens of one server may differ."""
    jwks = keys(public(key("Ed25519"), kid="one", alg=elsewhere))
    token = signed(claims(at_hash=at_hash("Ed25519")), in_token, key("Ed25519"))
    assert check(token, jwks, algorithms=("RS256", elsewhere))["sub"] == "ada"
    with pytest.raises(Refused, match="not allowed"):
        check(token, jwks, algorithms=("RS256",))
    with pytest.raises(Refused, match="signature"):
        check(token, keys(public(key("Ed25519", 2), kid="one", alg=elsewhere)))


def test_the_new_name_is_for_its_own_curve() -> None:
    """EdDSA has a second curve, and Ed25519 names the first."""
    private = Ed448PrivateKey.generate()
    jwk = {**OKPAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "one"}
    body = f"{part({'alg': 'Ed25519', 'kid': 'one'})}.{part(claims())}"
    with pytest.raises(Refused, match="signature"):
        check(f"{body}.{part(private.sign(body.encode()))}", keys(jwk))


def test_a_key_for_another_algorithm_or_use_is_not_tried() -> None:
    """What a JWK says it is for is what it is used for."""
    token = signed(claims())
    for members in ({"alg": "PS256"}, {"use": "enc"}):
        with pytest.raises(Refused, match="signature"):
            check(token, keys(public(key("RS256"), kid="one", **members)))


# -- keys (rows 10, 60, 61) ------------------------------------------------------------------------


def test_without_a_kid_the_only_key_is_used() -> None:
    """A token without `kid` is verified by the one key there is."""
    token = signed(claims(), kid=None)
    assert check(token)["sub"] == "ada"
    assert check(token, keys(public(key("RS256"))))["sub"] == "ada"


def test_without_a_kid_every_fitting_key_is_tried() -> None:
    """Among several keys, also of other kinds, the right one is found."""
    others = [
        public(key("ES256"), kid="two"),
        public(key("RS256", 2), kid="three"),
        {"kty": "unknown"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        "no key at all",
    ]
    assert check(signed(claims(), kid=None), keys(*others, public(key("RS256"), kid="four")))["sub"] == "ada"
    with pytest.raises(Refused, match="signature"):
        check(signed(claims(), kid=None), keys(*others))


def test_a_kid_names_its_key() -> None:
    """A key with another `kid` is not tried, even if it would fit."""
    with pytest.raises(Refused, match="signature"):
        check(signed(claims(), kid="another"))
    with pytest.raises(Refused, match="signature"):
        check(signed(claims(), kid=None), keys(public(key("RS256", 2), kid="one")))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_is_never_used(name: str) -> None:
    """Keys and addresses of keys in the token's own header are ignored (CVE-2026-27962)."""
    evil = key("RS256", 2)
    brought: Any = {"jwk": public(evil), "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/", "x5c": ["AA=="]}[
        name
    ]
    with pytest.raises(Refused, match="signature"):
        check(signed(claims(), "RS256", evil, **{name: brought}))
    assert check(signed(claims(), "RS256", None, **{name: brought}))["sub"] == "ada"


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=404, received_at=0, body=JWKS.body),
        Response(status=200, received_at=0, body=b"<html>", content_type="text/html"),
        Response(status=200, received_at=0, body=b""),
        Response(status=200, received_at=0, body=b"[]"),
        Response(status=200, received_at=0, body=b"{}"),
        Response(status=200, received_at=0, body=b'{"keys": []}'),
        Response(status=200, received_at=0, body=b'{"keys": 7}'),
        Response(status=200, received_at=0, body=b'{"keys": null}'),
        Response(status=200, received_at=0, body=b'{"keys": {"kty": "RSA"}}'),
        Response(status=200, received_at=0, body=b"[" * 100_000),
    ],
)
def test_without_keys_nothing_is_verified(answer: Response) -> None:
    """A `jwks_uri` that answers something else makes every token unacceptable."""
    with pytest.raises(Refused):
        check(signed(claims()), answer)


def test_a_short_rsa_key_is_refused() -> None:
    """A key that can be factored proves nothing (RFC 7518 section 3.3)."""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(Refused):
        check(signed(claims(), private=short), keys(public(short, kid="one")))


# -- form (row 62) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [["exp"], ["b64"], ["http://example.com/x"], [], None, "x"])
def test_a_critical_extension_is_refused(value: object) -> None:
    """A header that demands what we do not know is refused (RFC 7515 section 4.1.11)."""
    with pytest.raises(Refused, match="extensions"):
        check(f"{part({'alg': 'RS256', 'kid': 'one', 'crit': value})}.{part(claims())}.{part(b'x')}")
    if value is not None:
        with pytest.raises(Refused, match="extensions"):
            check(signed(claims(), crit=value))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "opaque",
        "a.b",
        "a.b.c",
        "...",
        "a.b.c.d.e",
        f"{part([])}.{part({})}.x",
        f"{part(b'[' * 50_000)}.{part({})}.x",
        f"{part({'alg': 'RS256'})}.{part(b'no json')}.x",
        f"{part({'alg': 'RS256', 'zip': 'DEF', 'enc': 'A128GCM'})}.{part({})}.x.y.z",
        "é.é.é",
        "x" * 300_000,
    ],
)
def test_what_is_no_signed_jwt_is_refused(token: str) -> None:
    """A token of another form is refused without a crash."""
    with pytest.raises(Refused):
        check(token)


@pytest.mark.parametrize("payload", [[], "text", 7, None])
def test_a_payload_that_is_no_object_is_refused(payload: object) -> None:
    """A good signature over something else than claims is worth nothing."""
    with pytest.raises(Refused):
        check(signed(payload))


def test_the_signature_alone_says_nothing_of_the_claims() -> None:
    """`show --verify` tells who signed an expired token of another audience, and no more."""
    assert verify_signature(signed({"exp": 0, "aud": "another"}), JWKS) == {"exp": 0, "aud": "another"}
    with pytest.raises(Refused):
        verify_signature(signed({}, "RS256", key("RS256", 2)), JWKS)


def test_a_refusal_holds_nothing_of_the_token() -> None:
    """No message quotes the token or the nonce."""
    token = signed(claims(nonce="PRIVATE"))
    with pytest.raises(Refused) as caught:
        check(token)
    assert "PRIVATE" not in caught.value.message and token.split(".")[2] not in caught.value.message
