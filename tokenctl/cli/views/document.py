"""The document of `show`: the description of a session, without a secret.

A new version can add members, and never removes one. An unknown value is null.
"""

import json
from typing import Any

from tokenctl.adapters.terminal import clean
from tokenctl.broker.standing import standing
from tokenctl.errors import StoreError, UsageError
from tokenctl.model.event import fingerprint
from tokenctl.model.session import Session
from tokenctl.model.spans import span
from tokenctl.model.store import keyring_name
from tokenctl.oauth.claims import is_jwt
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

SCHEMA = 1


def of_session(runtime: Runtime, vault: Vault, session: Session | None) -> dict[str, Any]:
    """Describe a profile and its session; None means that there is no session."""
    return described(runtime, vault, session, standing(runtime, vault, session, vault.profile.min_ttl).state)


def described(runtime: Runtime, vault: Vault, session: Session | None, state: str) -> dict[str, Any]:
    """Describe a profile and its session, whose state is known already."""
    profile = vault.profile
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "profile": profile.name,
        "state": state,
        "issuer": profile.issuer,
        "client_id": profile.client_id,
        "flow": profile.flow,
        "subject": None,
        "account": None,
        "scope": profile.scope,
        "token_type": None,
        "access_token": None,
        "refresh_token": {"present": False, "fingerprint": None, "expires_at": None, "state": None},
        "store": {"kind": vault.store.kind, "backend": vault.store.backend},
        "generation": None,
        "last_refresh_at": None,
    }
    if session is None:
        return document
    now, known = runtime.time_of(session), _refresh_token_state(vault, session)
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
            "expires_in": session.remaining(now),
        },
        "refresh_token": {
            "present": session.refresh_token is not None,
            "fingerprint": fingerprint(session.refresh_token) if session.refresh_token else None,
            "expires_at": session.refresh_token_expires_at,
            "state": known,
        },
        "generation": session.generation,
        "last_refresh_at": session.refreshed_at,
    }


def _refresh_token_state(vault: Vault, session: Session) -> str | None:
    """Return the refresh token's state in the journal; None without a refresh token."""
    if session.refresh_token is None:
        return None
    try:
        return vault.journal.read(session).state
    except (StoreError, UsageError):  # damaged, or not private
        return "good"  # the next renewal reports the error


def as_text(found: Any) -> str:
    """Write a document as JSON in ASCII, so that no character of a claim can change the terminal."""
    return json.dumps(found, indent=2)


def lines(found: dict[str, Any], prefix: str = "") -> list[str]:
    """Write a document as `name: value` lines for a pipe; nested names are joined with dots."""
    written = []
    for name, value in found.items():
        if isinstance(value, dict):
            written += lines(value, f"{prefix}{clean(str(name))}.")
        elif value is not None and name != "schema":
            written.append(f"{prefix}{clean(str(name))}: {clean(_in_words(value))}")
    return written


def _in_words(value: Any) -> str:
    """Write a value for a person: `yes`, `no` and `none`, and never as Python does."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list) and not any(isinstance(each, list | dict) for each in value):
        return ", ".join(map(_in_words, value)) or "none"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def life(seconds: int | None) -> str:
    """Say how long an access token lives, for a person; None means that nobody knows."""
    return "lives until it is refused" if seconds is None else f"lives {span(seconds)}"


def store_name(kind: str, backend: str) -> str:
    """Return a store's name for a person; `kind` and `backend` are those of the store choice."""
    named = keyring_name(backend)
    return {"file": "an encrypted file", "memory": "memory only", "session": f"{named}, until you log out"}.get(
        kind, named
    )
