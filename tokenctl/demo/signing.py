"""The server's one RSA key: what it signs, what it recognises, what it publishes of itself."""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa


def base64url(raw: bytes) -> str:
    """Base64url without padding, as JOSE and PKCE write it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_key() -> rsa.RSAPrivateKey:
    """A fresh RSA key of 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningKey:
    """An RSA key under its RFC 7638 thumbprint."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self.private = private

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """A JWT with exactly these claims; `header` may replace even `kid` and `alg`."""
        full = {"alg": "RS256", "kid": self.key_id, **header}
        key = "" if full["alg"] == "none" else self.private
        return jwt.encode(dict(claims), key, full["alg"], headers=full)

    def verify_access_token(self, token: str, issuer: str) -> dict[str, Any] | None:
        """The claims of an access token signed here; expiry and audience are the caller's to judge."""
        try:
            # An ID token carries the same signature; only `typ` tells the two apart.
            if jwt.get_unverified_header(token).get("typ") != "at+jwt":
                return None
            return jwt.decode(
                token,
                self.private.public_key(),
                algorithms=["RS256"],
                issuer=issuer,
                options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.InvalidTokenError:
            return None

    @cached_property
    def key_id(self) -> str:
        """The thumbprint that names the key in `kid`."""
        members = json.dumps(self._public, separators=(",", ":"), sort_keys=True)
        return base64url(hashlib.sha256(members.encode()).digest())

    def jwks(self) -> dict[str, Any]:
        """The public half as a key set (RFC 7517)."""
        return {"keys": [{**self._public, "use": "sig", "alg": "RS256", "kid": self.key_id}]}

    @cached_property
    def _public(self) -> dict[str, str]:
        numbers = self.private.public_key().public_numbers()
        n, e = (base64url(part.to_bytes((part.bit_length() + 7) // 8)) for part in (numbers.n, numbers.e))
        return {"kty": "RSA", "n": n, "e": e}
