"""Seal and unseal bytes with AES-256-GCM.

The sealed bytes begin with a random nonce. `associated_data` is not among them; `unseal` needs the same value as
`seal`. So sealed bytes cannot be used for another entry.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
"""Bytes."""


class UnsealFailed(ValueError):
    """The key or the associated data is wrong, or a byte was changed."""


def seal(key: bytes, text: bytes, associated_data: bytes) -> bytes:
    """Seal a text with a key of 32 bytes."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, text, associated_data)


def unseal(key: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    """Return the text that `seal` sealed. Raises UnsealFailed."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], associated_data)
    except (InvalidTag, ValueError):  # ValueError: shorter than a nonce
        raise UnsealFailed from None
