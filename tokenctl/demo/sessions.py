"""Sessions and their tokens: rotation, detection of reuse, revocation, introspection.

A session is one grant and all tokens that were issued for it. A refresh token is kept only as its SHA-256 digest.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenctl.demo.registry import USERS, Client, OAuthError
from tokenctl.demo.signing import SigningKey, base64url

REFRESH_TOKEN_LIFETIME = 7 * 86400  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person, or a client for itself, agreed to: which client may do what, where, and for which subject."""

    client_id: str
    subject: str
    scope: tuple[str, ...]
    resources: tuple[str, ...] = ()
    auth_time: int  # epoch seconds
    nonce: str | None = None


@dataclass(slots=True, kw_only=True)
class Session:
    """One grant, the access tokens issued for it, and the one refresh token that is good now."""

    grant: Grant
    alive: bool = True
    access_token_ids: list[str] = field(default_factory=list)
    current: str = ""  # digest of the refresh token
    refresh_expires_at: float = 0  # epoch seconds


def digest(token: str) -> str:
    """Return the SHA-256 digest that is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def granted_scope(requested: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Split a scope. Raises OAuthError when it asks for more than is allowed (RFC 6749 section 3.3)."""
    scope = tuple(dict.fromkeys(requested.split()))
    if beyond := [name for name in scope if name not in allowed]:
        raise OAuthError("invalid_scope", f"not allowed: {' '.join(beyond)}")
    return scope


class Sessions:
    """All sessions of one server. Access tokens live `access_token_lifetime` seconds; `clock` returns epoch seconds."""

    def __init__(
        self,
        *,
        signing_key: SigningKey | None = None,
        access_token_lifetime: int = 900,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.signing_key = signing_key or SigningKey()
        self.access_token_lifetime = access_token_lifetime
        self.clock = clock
        self.issuer = ""  # known when the server has its port
        self.rotations = 0
        self.reuse_detections = 0
        self._refresh_tokens: dict[str, Session] = {}  # every one that was ever issued, by digest
        self._revoked: set[str] = set()  # the `jti` of access tokens

    def refresh(self, client_id: str, token: str, scope: str = "", resources: tuple[str, ...] = ()) -> dict[str, Any]:
        """Give new tokens for a refresh token (RFC 6749 section 6). A second use ends its session (RFC 9700 section 4.14.2)."""
        key = digest(token)
        session = self._refresh_tokens.get(key)
        if session is None or session.grant.client_id != client_id or not session.alive:
            raise OAuthError("invalid_grant", "the refresh token is unknown or was revoked")
        if key != session.current:
            self.reuse_detections += 1
            self.end(session)
            raise OAuthError("invalid_grant", "the refresh token was used before; the session is ended")
        if session.refresh_expires_at <= self.clock():
            raise OAuthError("invalid_grant", "the refresh token has expired")
        narrowed = granted_scope(scope, session.grant.scope)
        if not set(resources) <= set(session.grant.resources):
            raise OAuthError("invalid_target", "the resource is not part of the grant")
        self.rotations += 1
        return self.issue_tokens(session, narrowed, resources)

    def revoke(self, client_id: str, token: str) -> None:
        """End the session of a refresh token, or an access token alone (RFC 7009 section 2.1)."""
        session, claims = self._refresh_tokens.get(digest(token)), self.access_claims(token)
        owner = session.grant.client_id if session else (claims or {}).get("client_id")
        if owner not in (None, client_id):
            raise OAuthError("unauthorized_client", "the token belongs to another client")
        if session:
            self.end(session)
        elif claims:
            self._revoked.add(claims["jti"])

    def introspect(self, client: Client, token: str) -> dict[str, Any]:
        """Tell what a token is good for (RFC 7662 section 2.2). A public client learns about its own tokens only."""
        session, claims = self._refresh_tokens.get(digest(token)), self.access_claims(token)
        found = {**claims, "token_type": "Bearer"} if claims else {}
        if session and session.alive and session.current == digest(token):
            grant, exp = session.grant, int(session.refresh_expires_at)
            found = {"client_id": grant.client_id, "sub": grant.subject, "scope": " ".join(grant.scope), "exp": exp}
        if not found or found["exp"] <= self.clock() or (not client.secret and found["client_id"] != client.client_id):
            return {"active": False}
        return {"active": True, **found}

    def end(self, session: Session) -> None:
        """End a session: all its tokens are refused from now on."""
        session.alive = False
        self._revoked.update(session.access_token_ids)

    def issue_tokens(
        self, session: Session, scope: tuple[str, ...] = (), resources: tuple[str, ...] = (), nonce: str | None = None
    ) -> dict[str, Any]:
        """Make a token response (RFC 6749 section 5.1). `scope` and `resources` may narrow the grant."""
        grant, now = session.grant, int(self.clock())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": list(resources or grant.resources or (f"{self.issuer}/api",)),
            "client_id": grant.client_id,
            "scope": " ".join(scope or grant.scope),
            "iat": now,
            "exp": now + self.access_token_lifetime,
            "jti": secrets.token_hex(16),
        }
        session.access_token_ids.append(claims["jti"])
        access_token = self.signing_key.sign(claims, typ="at+jwt")
        response = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.access_token_lifetime,
            "scope": claims["scope"],
        }
        if "offline_access" in grant.scope:
            response["refresh_token"] = refresh_token = secrets.token_urlsafe(48)
            response["refresh_token_expires_in"] = REFRESH_TOKEN_LIFETIME
            session.current = digest(refresh_token)
            session.refresh_expires_at = self.clock() + REFRESH_TOKEN_LIFETIME
            self._refresh_tokens[session.current] = session
        if "openid" in claims["scope"].split():
            response["id_token"] = self._new_id_token(grant, claims, access_token, nonce)
        return response

    def access_claims(self, token: str) -> Mapping[str, Any] | None:
        """Return the claims of an access token of this server; None when it has expired or was revoked."""
        claims = self.signing_key.verify_access_token(token)
        if claims is None or claims["iss"] != self.issuer or claims["jti"] in self._revoked:
            return None
        return claims if claims["exp"] > self.clock() else None

    def _new_id_token(self, grant: Grant, access: Mapping[str, Any], access_token: str, nonce: str | None) -> str:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = {name: access[name] for name in ("iss", "sub", "iat", "exp")}
        claims |= {"aud": grant.client_id, "auth_time": grant.auth_time, "at_hash": base64url(half)}
        for user in USERS:
            if user.subject == grant.subject:
                claims |= {"name": user.name, "preferred_username": user.username, "email": user.email}
        return self.signing_key.sign(claims | ({"nonce": nonce} if nonce else {}), typ="JWT")
