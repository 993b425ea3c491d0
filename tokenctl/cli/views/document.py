"""The `show` document: what there is to say of a session, without a secret in it.

Fields are only ever added; unknown values are null.
"""

import hashlib
import json
from typing import Any

from tokenctl.errors import StoreError, UsageError
from tokenctl.flows import MACHINE
from tokenctl.model.profile import Profile
from tokenctl.model.session import Session
from tokenctl.oauth.claims import is_jwt
from tokenctl.runtime import Runtime
from tokenctl.storage import Store

SCHEMA = 1


def of_session(runtime: Runtime, profile: Profile, store: Store, session: Session | None) -> dict[str, Any]:
    """Describe a profile and its session, or that there is none."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "profile": profile.name,
        "state": state(runtime, profile, session),
        "issuer": profile.issuer,
        "client_id": profile.client_id,
        "flow": profile.flow,
        "subject": None,
        "account": None,
        "scope": profile.scope,
        "token_type": None,
        "access_token": None,
        "refresh_token": {"present": False, "fingerprint": None, "expires_at": None, "state": None},
        "store": {"kind": store.kind, "backend": store.backend},
        "generation": None,
        "last_refresh_at": None,
    }
    if session is None:
        return document
    return document | {
        "issuer": session.issuer,
        "client_id": session.client_id,
        "flow": session.flow,
        "subject": session.subject,
        "account": session.account,
        "scope": session.scope,
        "token_type": session.token_type,
        "access_token": {
            "fingerprint": fingerprint(session.access_token),
            "format": "jwt" if is_jwt(session.access_token) else "opaque",
            "obtained_at": session.obtained_at,
            "expires_at": session.expires_at,
            "expires_in": session.remaining(runtime.time_of(session)),
        },
        "refresh_token": {
            "present": session.refresh_token is not None,
            "fingerprint": fingerprint(session.refresh_token) if session.refresh_token else None,
            "expires_at": session.refresh_token_expires_at,
            "state": refresh_token_state(runtime, profile, session),
        },
        "generation": session.generation,
        "last_refresh_at": session.refreshed_at,
    }


def state(runtime: Runtime, profile: Profile, session: Session | None) -> str:
    """Name the session's state: fresh, stale, expired, login_required or logged_out."""
    if session is None:
        return "logged_out"
    now = runtime.time_of(session)
    if session.fresh(now, profile.min_ttl):
        return "fresh"
    if not session.expired(now):
        return "stale"
    renewable = session.flow in MACHINE or refresh_token_state(runtime, profile, session) == "good"
    return "expired" if renewable else "login_required"


def refresh_token_state(runtime: Runtime, profile: Profile, session: Session) -> str | None:
    """Name what is known of the refresh token, if there is one: good, dead, or in_doubt (presented, and not answered)."""
    if session.refresh_token is None:
        return None
    try:
        entry = None if profile.store == "memory" else runtime.journal(profile).read(session)
    except (StoreError, UsageError):  # damaged, or not private
        entry = None  # whoever renews will say so
    if entry is None or not (entry.dead or entry.in_doubt):
        return "good"
    return "dead" if entry.dead else "in_doubt"


def fingerprint(token: str) -> str:
    """Name a token without showing any of it: `sha256:` and the first 8 hex digits of its SHA-256."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()[:8]


def as_text(found: Any) -> str:
    """Write a document as JSON, in ASCII: no character of a claim can do harm on a terminal."""
    return json.dumps(found, indent=2)


def span(seconds: int) -> str:
    """Write a number of seconds as a person would: `45 s`, `14 m 20 s`, `6 h 3 m`, `7 d`."""
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number or len(parts) == 1) or "0 s"


_PLACES = {
    "keyring.backends.SecretService.Keyring": "the Secret Service keyring",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    "keyring.backends.macOS.Keyring": "the macOS keychain",
    "keyring.backends.Windows.WinVaultKeyring": "the Windows Credential Manager",
}


def place(store: Store) -> str:
    """Name a store as a person would."""
    return place_name(store.kind, store.backend)


def place_name(kind: str, backend: str) -> str:
    """Name a store, given as the document has it, as a person would."""
    named = _PLACES.get(backend, backend)
    return {"file": "an encrypted file", "memory": "memory only", "session": f"{named}, until you log out"}.get(
        kind, named
    )
