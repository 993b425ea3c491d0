"""Proof Key for Code Exchange (RFC 7636), method S256 only."""

import base64
import hashlib


def unreserved(entropy: bytes) -> str:
    """Encode random bytes in unreserved characters (RFC 3986 section 2.3): 32 bytes give 43 characters."""
    return base64.urlsafe_b64encode(entropy).rstrip(b"=").decode()


def challenge(verifier: str) -> str:
    """Compute the code challenge of a code verifier (RFC 7636 section 4.2)."""
    return unreserved(hashlib.sha256(verifier.encode()).digest())
