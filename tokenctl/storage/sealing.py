"""Sealing: AES-256-GCM, as bytes in and bytes out. The only module of the storage that knows cryptography.

The nonce is random and stands before the sealed text. What is `bound` is not in there and has to be the
same when it is opened: so nothing can be put in another's place.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
"""Bytes."""


class NotOpened(ValueError):
    """The key is another one, or a byte was changed."""


def seal(key: bytes, text: bytes, bound: bytes) -> bytes:
    """Seal a text with a key of 32 bytes."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, text, bound)


def unseal(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Open what `seal` made. Raises NotOpened."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], bound)
    except (InvalidTag, ValueError):  # ValueError: too short to be anything
        raise NotOpened from None
