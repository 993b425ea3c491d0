"""ID token verification with PyJWT: every step of OpenID Connect Core section 3.1.3.7.

The signature is checked with a key of the issuer's JWKS, and the algorithm with the list below and the server's
list. Then `iss`, `aud`, `azp`, `exp`, `iat`, `sub`, `nonce`, `auth_time` if the request had `max_age`, and
`at_hash` if the token has one.
"""

import base64
import contextlib
import hashlib
import time
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm

from tokenctl.errors import Refused
from tokenctl.oauth.claims import unverified_claims, unverified_header
from tokenctl.oauth.wire import Response, describe, json_object, overloaded, try_later

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Never `none`. Never HS*: its key would be one of the JWKS, which is public."""
_OLDER_NAME = {"Ed25519": "EdDSA"}
"""RFC 9864 names the curve: a server may use one name in its tokens, and the other in its metadata and keys."""
_SIGNATURES = jwt.PyJWS()
"""Verifies signatures, and leaves the claims to this file."""
with contextlib.suppress(ValueError):  # a later PyJWT knows the name itself
    _SIGNATURES.register_algorithm("Ed25519", OKPAlgorithm())
LEEWAY = 60
"""Seconds that the clocks of server and client can differ."""
SHORTEST_RSA = 2048
"""Bits (RFC 7518 section 3.3)."""
MAX_TOKEN_AGE = 86400
"""Seconds since `iat`, at most."""


def verify(
    token: str,
    jwks: Response,
    *,
    issuer: str,
    client_id: str,
    algorithms: tuple[str, ...] | None = None,
    nonce: str | None = None,
    max_age: int | None = None,
    access_token: str | None = None,
) -> dict[str, Any]:
    """Verify an ID token and return its claims.

    `jwks` is the response of the issuer's `jwks_uri`, `algorithms` is the list in its metadata. With `nonce` the
    token must have that nonce. With `max_age` (seconds) the sign-in must not be longer ago. Raises Refused when any
    check fails, Unreachable when the server cannot send its keys now.
    """
    claims = verify_signature(token, jwks, algorithms)
    _check_claims(claims, issuer, client_id)
    if nonce is not None and claims.get("nonce") is None:
        raise _without_nonce()
    if nonce is not None and not _equal(claims["nonce"], nonce):
        raise _not_acceptable("its nonce is not the one sent with this sign-in")
    if max_age is not None:
        _check_age(claims, max_age)
    if access_token is not None and claims.get("at_hash") is not None:
        algorithm = unverified_header(token)["alg"]
        if not _equal(claims["at_hash"], _at_hash(access_token, algorithm)):
            raise _not_acceptable("its at_hash does not belong to the access token")
    return claims


def verify_signature(
    token: str, jwks: Response, algorithms: tuple[str, ...] | None = None, what: str = "ID token"
) -> dict[str, Any]:
    """Verify only the signature of a JWT, and return its claims; `what` names the token. Raises as `verify` does."""
    header = unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or (algorithms is not None and _older(algorithm) not in map(_older, algorithms)):
        raise _not_acceptable(f"it is signed with {algorithm!r:.20}, which is not allowed", what)
    if "crit" in header:
        raise _not_acceptable("its header demands extensions that tokenctl does not know", what)
    for key in _keys(jwks, header.get("kid"), algorithm, what):
        try:
            _SIGNATURES.decode(token, key.key, algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        claims = unverified_claims(token)  # our strict parser: PyJWT accepts a duplicate member
        if not claims:
            raise _not_acceptable("its claims cannot be read", what)
        return claims
    raise _not_acceptable("no key of the issuer made its signature", what)


def _keys(jwks: Response, kid: object, algorithm: str, what: str) -> list[jwt.PyJWK]:
    if overloaded(jwks):
        raise try_later(jwks, "the server's jwks_uri")
    try:
        listed = json_object(jwks.body)["keys"] if jwks.status == 200 else None
        members = [each for each in listed or () if isinstance(each, dict)]
    except (ValueError, KeyError, TypeError):
        raise _not_acceptable(f"the issuer's keys cannot be read ({describe(jwks)})", what) from None
    found = []
    for each in members:
        # Without a kid every key of the right type is tried. Keys in the token's own header are never used.
        if (
            (kid is not None and (each.get("kid") or kid) != kid)
            or (each.get("use") or "sig") != "sig"
            or _older(each.get("alg") or algorithm) != _older(algorithm)
        ):
            continue
        try:
            key = jwt.PyJWK(each, algorithm=_older(algorithm))
            if _is_fit(key.key, algorithm):
                found.append(key)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue  # a broken key, or one for another algorithm
    return found


def _is_fit(key: Any, algorithm: str) -> bool:
    if algorithm == "Ed25519":  # EdDSA has another curve too
        return isinstance(key, Ed25519PublicKey)
    return algorithm[:2] not in ("RS", "PS") or key.key_size >= SHORTEST_RSA


def _older(algorithm: Any) -> Any:
    """Return the older name of an algorithm that has two, and everything else as it is."""
    return _OLDER_NAME.get(algorithm, algorithm) if isinstance(algorithm, str) else algorithm


def _check_claims(claims: Mapping[str, Any], issuer: str, client_id: str) -> None:
    now = time.time()
    if claims.get("iss") != issuer:
        raise _not_acceptable(f"its issuer is {claims.get('iss')!r:.200}, not {issuer!r}")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise _not_acceptable("it is meant for another client (aud)")
    others = any(each != client_id for each in audiences)
    if (others or claims.get("azp") is not None) and claims.get("azp") != client_id:
        raise _not_acceptable("it was issued to another client (azp)")
    if _number(claims, "exp") <= now - LEEWAY:
        raise _not_acceptable("it has expired (is this machine's clock right?)", hint=_CLOCK)
    if not now - MAX_TOKEN_AGE <= _number(claims, "iat") <= now + LEEWAY:
        raise _not_acceptable("its time of issue (iat) is not now (is this machine's clock right?)", hint=_CLOCK)
    if claims.get("nbf") is not None and _number(claims, "nbf") > now + LEEWAY:
        raise _not_acceptable("it is not valid yet (nbf)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > 255 or not subject.isascii():
        raise _not_acceptable("it names no subject (sub)")


def _check_age(claims: Mapping[str, Any], max_age: int) -> None:
    signed_in_at = claims.get("auth_time")
    if type(signed_in_at) is not int:
        raise _not_acceptable("it does not say when the sign-in was (auth_time), and max_age was asked for")
    if not -LEEWAY <= int(time.time()) - signed_in_at <= max_age + LEEWAY:
        raise _not_acceptable(f"the sign-in was not within the last {max_age} s (auth_time), and max_age asks for that")


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise _not_acceptable(f"it has no usable {name}")
    return float(value)


def _equal(found: object, expected: str) -> bool:
    return isinstance(found, str) and found.isascii() and compare_digest(found, expected)


def _at_hash(access_token: str, algorithm: str) -> str:
    # Ed25519 uses SHA-512 inside, so at_hash uses it too.
    bits = "512" if _older(algorithm) == "EdDSA" else algorithm[2:]
    digest = hashlib.new(f"sha{bits}", access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _without_nonce() -> Refused:
    # Some servers lose it on their own page of consent, and some never send one. PKCE protects a sign-in without ID token.
    return Refused(
        "the ID token is not acceptable: the server did not send back the nonce of this sign-in",
        hint="if this happens again, tell the server's operator; without openid in the scope, no ID token is needed",
    )


_OPERATOR = "if this happens again, tell the server's operator"
_CLOCK = "'tokenctl doctor' compares this machine's clock with the server's; if they agree, tell the server's operator"


def _not_acceptable(reason: str, what: str = "ID token", *, hint: str = _OPERATOR) -> Refused:
    return Refused(f"the {what} is not acceptable: {reason}", hint=hint)
