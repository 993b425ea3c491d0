"""Client assertions: a JWT with which a client authenticates (RFC 7523 section 2.2). `jwt_verify` verifies ID tokens.

Each assertion lives for a minute and has its own `jti`, so that nobody can use it a second time.
"""

import contextlib
import json

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import OKPAlgorithm

from tokenctl.errors import UsageError

LIFETIME = 60
"""Seconds. RFC 7523 section 3 lets a server refuse an `exp` that is far away."""
SHORTEST_SECRET = 32
"""Bytes (RFC 7518 section 3.2)."""
_SIGNATURES = jwt.PyJWS()
with contextlib.suppress(ValueError):  # a later PyJWT knows the name itself
    _SIGNATURES.register_algorithm("Ed25519", OKPAlgorithm())  # RFC 9864: EdDSA with this curve
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def client_assertion(
    client_id: str,
    audience: str,
    key: str,
    *,
    symmetric: bool,
    now: int,
    jti: str,
    algorithm: str | None = None,
    key_id: str | None = None,
) -> str:
    """Make an assertion. `key` is a private key in PEM, or with `symmetric` the client secret. `now` is epoch seconds.

    Raises UsageError when the key cannot be used; the message never quotes the key.
    """
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + LIFETIME, "jti": jti}
    try:
        if symmetric and len(key.encode()) < SHORTEST_SECRET:
            raise ValueError
        default = "HS256" if symmetric else _algorithm_of(key)  # also checks the key's size
        chosen = default if symmetric else algorithm or default
        if chosen == "Ed25519" and default != "EdDSA":
            raise ValueError
        payload = json.dumps(claims, separators=(",", ":")).encode()
        return _SIGNATURES.encode(payload, key, algorithm=chosen, headers={"kid": key_id} if key_id else None)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, NotImplementedError, UnsupportedAlgorithm):
        pass
    raise UsageError(
        "the client's key cannot be used to sign",
        hint=f"a client secret of {SHORTEST_SECRET} bytes or more is needed"
        if symmetric
        else "it must be an unencrypted private key in PEM: RSA, EC (P-256, P-384, P-521) or Ed25519, of the type that assertion_algorithm needs",
    )


def _algorithm_of(key: str) -> str:
    found = load_pem_private_key(key.encode(), password=None)
    if isinstance(found, RSAPrivateKey) and found.key_size >= 2048:
        return "RS256"
    if isinstance(found, EllipticCurvePrivateKey):
        return _CURVES[found.curve.name]  # KeyError: JWS does not have this curve
    if isinstance(found, Ed25519PrivateKey):
        return "EdDSA"
    raise ValueError
