"""A platform that runs jobs: the identity tokens that it signs, and what a server must know of it."""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK = dict(json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))) | {"kid": "platform", "use": "sig", "alg": "RS256"}
PLATFORM = "https://platform.example"
AUDIENCE = "https://as.example"


def identity(**changes: object) -> str:
    """What the platform gives a job."""
    now = int(time.time())
    claims = {"iss": PLATFORM, "sub": "repo:ada/engine", "aud": AUDIENCE, "iat": now, "exp": now + 300, "jti": str(now)}
    return jwt.encode(claims | changes, KEY, algorithm="RS256", headers={"kid": "platform"})


def platform() -> dict[str, Any]:
    """What the certified server knows of the platform."""
    return {"issuer": PLATFORM, "audience": AUDIENCE, "jwks": {"keys": [JWK]}}
