"""The claims of a JWT, not verified.

They can be shown, and `exp` can say when a token expires. No security decision rests on them:
`adapters/jwt_verify.py` verifies. Decoding alone needs neither PyJWT nor cryptography, so it is fast.
"""

import base64
import binascii
from typing import Any

from tokenctl.oauth.wire import json_object


def unverified_claims(token: str) -> dict[str, Any]:
    """Decode a JWT's payload; empty for an opaque or broken token."""
    return _part(token, 1)


def unverified_header(token: str) -> dict[str, Any]:
    """Decode a JWT's header; empty for an opaque or broken token."""
    return _part(token, 0)


def is_jwt(token: str) -> bool:
    """Tell whether a token looks like a signed JWT (RFC 7519): three parts, the first one a header with `alg`."""
    return "alg" in unverified_header(token)


def account_name(claims: dict[str, Any]) -> str | None:
    """Choose a name for the account that a person knows: user name, e-mail address, name or subject."""
    for name in ("preferred_username", "email", "name", "sub"):
        if isinstance(claims.get(name), str) and claims[name]:
            return str(claims[name])
    return None


def _part(token: str, position: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return dict(json_object(base64.urlsafe_b64decode(parts[position] + "=" * (-len(parts[position]) % 4))))
    except (ValueError, binascii.Error):
        return {}
