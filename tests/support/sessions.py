"""A session to keep, for the tests of what keeps it."""

import base64

from tokenctl.model.session import Session

SECRET = "s3cr3t-refresh-token"
ID = "0123456789abcdef"
SEAL_KEY = base64.b64encode(bytes(range(32))).decode()


def session(generation: int = 1, **members: object) -> Session:
    """A session; give it a generation to tell it from others."""
    return Session(
        **{  # type: ignore[arg-type]
            "id": ID,
            "issuer": "https://a.example",
            "client_id": "c",
            "flow": "browser",
            "token_endpoint": "https://a.example/token",
            "access_token": "at",
            "refresh_token": SECRET,
            "obtained_at": 1_700_000_000,
            "expires_at": 1_700_000_900,
            "seal_key": SEAL_KEY,
            "generation": generation,
            **members,
        }
    )


def end_of(session: Session) -> int:
    """When the access token ends, where that is known."""
    assert session.expires_at is not None
    return session.expires_at
