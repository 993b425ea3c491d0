"""Sessions and the tokens they issue: rotation, reuse detection, revocation, introspection.

A *session* is one consent and all that grew from it. Refresh tokens are kept as SHA-256 only; whatever
goes wrong with one of them ends its whole session. Time comes from the clock in the settings.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokenctl.demo.registry import Client, Grant, OAuthError, Settings
from tokenctl.demo.signing import SigningKey, base64url


@dataclass(slots=True, kw_only=True)
class Session:
    """One consent, the access tokens issued from it and the one refresh token that is current."""

    grant: Grant
    alive: bool = True
    access_token_ids: list[str] = field(default_factory=list)
    current: str = ""  # digests of refresh tokens
    previous: str = ""
    rotated_at: float = 0
    refresh_expires_at: float = 0


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def granted_scope(requested: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The requested scopes, once each; asking for more than is allowed is refused."""
    scope = tuple(dict.fromkeys(requested.split()))
    if beyond := [name for name in scope if name not in allowed]:
        raise OAuthError("invalid_scope", f"not allowed: {' '.join(beyond)}")
    return scope


class Sessions:
    """Every session of one server. Not thread-safe: the caller holds one lock around each request."""

    def __init__(self, settings: Settings, signing_key: SigningKey) -> None:
        self.settings = settings
        self.signing_key = signing_key
        self.reuse_detections = 0
        self._sessions: list[Session] = []
        self._refresh_tokens: dict[str, Session] = {}  # every one ever issued, by digest
        self._opaque: dict[str, Mapping[str, Any]] = {}
        self._denied: set[str] = set()  # the `jti` of revoked access tokens

    def open_session(self, grant: Grant) -> Session:
        """A new session; it has no tokens yet."""
        self._sessions.append(session := Session(grant=grant))
        return session

    def refresh(self, client_id: str, token: str, scope: str = "", resources: tuple[str, ...] = ()) -> dict[str, Any]:
        """New tokens for a refresh token, which this use retires.

        A retired one ends the session (RFC 9700 section 4.14.2), except that the immediate predecessor
        is good for `reuse_grace` seconds after its rotation: the answer may have been lost.
        """
        key, now = digest(token), self.settings.clock()
        session = self._refresh_tokens.get(key)
        if session is None or session.grant.client_id != client_id or not session.alive:
            raise OAuthError("invalid_grant", "the refresh token is unknown or was revoked")
        in_grace = key == session.previous and now - session.rotated_at <= self.settings.reuse_grace
        if key != session.current and not (self.settings.reuse_grace > 0 and in_grace):
            self.reuse_detections += 1
            self.end(session)
            raise OAuthError("invalid_grant", "the refresh token was used before; session ended")
        if session.refresh_expires_at <= now:
            raise OAuthError("invalid_grant", "the refresh token has expired")
        narrowed = granted_scope(scope, session.grant.scope) or session.grant.scope
        allowed = session.grant.resources
        if any(resource not in allowed for resource in resources):
            raise OAuthError("invalid_target", "the resource is not part of the grant")
        if key == session.current:  # a second use in grace does not prolong the grace
            session.previous, session.rotated_at = key, now
        return self.issue_tokens(session, scope=narrowed, resources=resources or allowed)

    def revoke(self, client_id: str, token: str) -> None:
        """RFC 7009: a refresh token ends its session, an access token only itself."""
        session, claims = self._refresh_tokens.get(digest(token)), self.access_claims(token)
        owner = session.grant.client_id if session else (claims or {}).get("client_id")
        if owner not in (None, client_id):
            raise OAuthError("unauthorized_client", "the token belongs to another client")
        if session:
            self.end(session)
        elif claims:
            self._denied.add(claims["jti"])

    def introspect(self, client: Client, token: str) -> dict[str, Any]:
        """RFC 7662. A public client learns about its own tokens only."""
        found = dict(self.access_claims(token) or {})
        session = self._refresh_tokens.get(digest(token))
        if session and session.alive and session.current == digest(token):
            grant, expires_at = session.grant, int(session.refresh_expires_at)
            if expires_at > self.settings.clock():
                found = {"client_id": grant.client_id, "sub": grant.subject, "exp": expires_at}
                found |= {"scope": " ".join(grant.scope), "iss": self.settings.issuer}
        elif found:
            found["token_type"] = "Bearer"
        if not found or (client.secret is None and found["client_id"] != client.client_id):
            return {"active": False}
        return {"active": True, **found}

    def end_all(self, subject: str | None = None) -> int:
        """End every living session, or those of one subject; how many there were."""
        ended = [s for s in self._sessions if s.alive and subject in (None, s.grant.subject)]
        for session in ended:
            self.end(session)
        return len(ended)

    def expire_access_tokens(self) -> None:
        """Refuse every access token issued so far; sessions and refresh tokens live on."""
        for session in self._sessions:
            self._denied.update(session.access_token_ids)

    def end(self, session: Session) -> None:
        """Nothing of this session is good for anything any more."""
        session.alive = False
        self._denied.update(session.access_token_ids)

    def issue_tokens(
        self,
        session: Session,
        *,
        scope: tuple[str, ...] | None = None,
        resources: tuple[str, ...] | None = None,
        nonce: str | None = None,
    ) -> dict[str, Any]:
        """A token response (RFC 6749 section 5.1); `scope` and `resources` may narrow the grant."""
        grant, now = session.grant, self.settings.clock()
        scope = grant.scope if scope is None else scope
        audience = list(grant.resources if resources is None else resources)
        audience = audience or [f"{self.settings.issuer}/api"]
        token_id = secrets.token_hex(16)
        claims: dict[str, Any] = {
            "iss": self.settings.issuer,
            "sub": grant.subject,
            "aud": audience[0] if len(audience) == 1 else audience,
            "client_id": grant.client_id,
            "scope": " ".join(scope),
            "iat": int(now),
            "exp": int(now) + self.settings.access_token_lifetime,
            "jti": token_id,
        }
        session.access_token_ids.append(token_id)
        if self.settings.opaque_access_tokens:
            access_token = secrets.token_urlsafe(32)
            self._opaque[digest(access_token)] = claims
        else:
            access_token = self.signing_key.sign(claims, {"typ": "at+jwt"})
        response: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.settings.access_token_lifetime,
            "scope": claims["scope"],
        }
        if "offline_access" in grant.scope:
            response["refresh_token"] = refresh_token = secrets.token_urlsafe(48)
            response["refresh_token_expires_in"] = self.settings.refresh_token_lifetime
            session.current = digest(refresh_token)
            session.refresh_expires_at = now + self.settings.refresh_token_lifetime
            self._refresh_tokens[session.current] = session
        if "openid" in scope:
            half = hashlib.sha256(access_token.encode()).digest()[:16]
            about = self.profile(grant.subject)
            about |= {"aud": grant.client_id, "iat": int(now), "auth_time": grant.auth_time}
            about |= {"exp": claims["exp"], "iss": self.settings.issuer, "at_hash": base64url(half)}
            about |= {} if nonce is None else {"nonce": nonce}
            response["id_token"] = self.signing_key.sign(about, {})
        return response

    def profile(self, subject: str) -> dict[str, Any]:
        """The OpenID Connect claims about a subject."""
        for user in self.settings.users:
            if user.subject == subject:
                names = {"name": user.name, "preferred_username": user.username}
                return {"sub": subject, **names, "email": user.email}
        return {"sub": subject}

    def access_claims(self, token: str) -> Mapping[str, Any] | None:
        """The claims of an access token that is ours, unexpired and not revoked."""
        claims = self._opaque.get(digest(token))
        claims = claims or self.signing_key.verify_access_token(token, self.settings.issuer)
        if claims is None or claims["exp"] <= self.settings.clock() or claims["jti"] in self._denied:
            return None
        return claims
