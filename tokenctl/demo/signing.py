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


class SigningKey:
    """An RSA key for RS256, a new one unless one is given; `key_id` is its `kid`."""

    def __init__(self, private: rsa.RSAPrivateKey | None = None) -> None:
        self.private = private or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = secrets.token_hex(8)

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """Make a JWT with exactly these claims. `typ` tells an access token (`at+jwt`, RFC 9068) from an ID token."""
        return jwt.encode(dict(claims), self.private, "RS256", headers={"kid": self.key_id, "typ": typ})

    def verify_access_token(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of an access token that this key signed, else None. The caller checks expiry and audience."""
        key = self.private.public_key()
        try:
            decoded = jwt.decode_complete(
                token, key, ["RS256"], {"verify_exp": False, "verify_iat": False, "verify_aud": False}
            )
        except jwt.InvalidTokenError:
            return None
        # An ID token carries the same signature; only `typ` tells the two apart.
        claims: dict[str, Any] = decoded["payload"]
        return claims if decoded["header"].get("typ") == "at+jwt" else None

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a key set (RFC 7517 section 5)."""
        public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {"keys": [{**public, "use": "sig", "alg": "RS256", "kid": self.key_id}]}
