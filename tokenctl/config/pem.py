"""Private keys in PEM (RFC 7468), in the forms in which CI systems keep a text of several lines."""

import re
from binascii import a2b_base64

BEGIN = "-----BEGIN "
_BLOCK = r"(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----"
_ENCODED = "LS0tLS1CRUdJTi"
"""How each PEM text begins that was encoded with base64; the next character depends on what follows."""


def lines(text: str) -> str | None:
    """Return a PEM text with its lines, each with a plain line end; None when the text is something else.

    It may be one line: its line ends written as a backslash and an n, or lost, or the whole text in base64, which some
    CI systems need so that they can mask it. So a private key is known as such, and is never sent as a password.
    """
    text = text.strip().strip("\ufeff")
    if text.startswith(_ENCODED):
        text = _decoded(text)
    if not text.startswith(BEGIN):
        return None
    blocks = re.findall(_BLOCK, text.replace("\\r", "").replace("\\n", "\n"))
    rows = ((f"{BEGIN}{label}-----", *body.split(), f"-----END {label}-----", "") for label, body in blocks)
    return "".join("\n".join(each) for each in rows) or None


def _decoded(text: str) -> str:
    try:
        return a2b_base64("".join(text.split()), strict_mode=True).decode().strip()
    except ValueError:
        return text
