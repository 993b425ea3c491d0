"""ID tokens made by hand, with keys of every kind."""

import base64
import json
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@cache
def key(kind: str, number: int = 1) -> Private:
    """Make a private key for an algorithm once; `number` tells several apart."""
    if kind[:2] in ("RS", "PS"):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}[kind])


def public(private: Private, **members: Any) -> dict[str, Any]:
    """Write the public half as a JWK."""
    if isinstance(private, rsa.RSAPrivateKey):
        return {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), **members}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return {**ECAlgorithm.to_jwk(private.public_key(), as_dict=True), **members}
    return {**OKPAlgorithm.to_jwk(private.public_key(), as_dict=True), **members}


def signed(payload: object, algorithm: str = "RS256", private: Private | None = None, **header: Any) -> str:
    """Sign claims, or whatever; `kid` is `one` unless the header says otherwise, and None leaves it out."""
    full = {name: value for name, value in {"alg": algorithm, "kid": "one", **header}.items() if value is not None}
    body = f"{part(full)}.{part(payload)}"
    name = "EdDSA" if algorithm == "Ed25519" else algorithm
    signature = jwt.get_algorithm_by_name(name).sign(body.encode(), private or key(algorithm))
    return f"{body}.{part(signature)}"


def part(document: object) -> str:
    """Encode one part of a JWT."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
