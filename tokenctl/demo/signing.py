"""The server's one RSA key: it signs tokens, verifies them, and is published as a key set."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


def base64url(raw: bytes) -> str:
    """Encode as base64url without padding, as JOSE and PKCE do (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_key() -> rsa.RSAPrivateKey:
    """Make an RSA key of 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningKey:
    """An RSA key for RS256; `key_id` is its `kid`."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self.private = private
        self.key_id = secrets.token_hex(8)

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Make a JWT with exactly these claims. `typ` tells an access token (`at+jwt`, RFC 9068) from an ID token."""
        return jwt.encode(dict(claims), self.private, "RS256", headers={"kid": self.key_id, "typ": typ})

    def verify_access_token(self, token: str, issuer: str) -> dict[str, Any] | None:
        """Return the claims of an access token that this key signed, else None. The caller checks expiry and audience."""
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

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a key set (RFC 7517 section 5)."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"keys": [{**public, "use": "sig", "alg": "RS256", "kid": self.key_id}]}
