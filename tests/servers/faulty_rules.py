"""The demo's rules with the liberties that servers take: a grace period, opaque access tokens, sessions that end."""

import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from tokenctl.demo.registry import OAuthError
from tokenctl.demo.sessions import Session, Sessions, digest
from tokenctl.demo.signing import SigningKey


class FaultyKey(SigningKey):
    """A key whose access tokens can be opaque: then only this server can read them."""

    def __init__(self, private: rsa.RSAPrivateKey | None, *, opaque_access_tokens: bool) -> None:
        super().__init__(private)
        self.opaque_access_tokens = opaque_access_tokens
        self._opaque: dict[str, Mapping[str, Any]] = {}  # by digest

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        if not self.opaque_access_tokens or typ != "at+jwt":
            return super().sign(claims, typ=typ)
        token = secrets.token_urlsafe(32)
        self._opaque[digest(token)] = claims
        return token

    def verify_access_token(self, token: str) -> Mapping[str, Any] | None:
        return self._opaque.get(digest(token)) or super().verify_access_token(token)


class FaultySessions(Sessions):
    """Sessions that a test can end, and whose tokens it can change."""

    def __init__(self, *, reuse_grace: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.reuse_grace = reuse_grace  # seconds
        self.ends_older_access_tokens = False
        self._sessions: dict[int, Session] = {}  # by id
        self._retired: dict[int, tuple[str, float]] = {}  # id of a session -> its previous refresh token, since when

    def issue_tokens(self, session: Session, *limits: Any, **more: Any) -> dict[str, Any]:
        self._sessions[id(session)] = session
        if self.ends_older_access_tokens:
            self._revoked.update(session.access_token_ids)
        return super().issue_tokens(session, *limits, **more)

    def refresh(self, client_id: str, token: str, scope: str = "", resources: tuple[str, ...] = ()) -> dict[str, Any]:
        """Give new tokens; within `reuse_grace` seconds for the immediate predecessor too: the answer may have been lost."""
        key, now = digest(token), self.clock()
        session = self._refresh_tokens.get(key)
        if session is None:
            return super().refresh(client_id, token, scope, resources)
        current, (previous, retired_at) = session.current, self._retired.get(id(session), ("", 0.0))
        again = key == previous and self.reuse_grace > 0 and now - retired_at <= self.reuse_grace
        if again:
            session.current = key
        try:
            answer = super().refresh(client_id, token, scope, resources)
        except OAuthError:
            session.current = current
            raise
        if not again:  # a second use in grace does not prolong the grace
            self._retired[id(session)] = (key, now)
        return answer

    def end_all(self, subject: str | None = None) -> int:
        """End every living session, or those of one subject; how many there were."""
        ended = [each for each in self._sessions.values() if each.alive and subject in (None, each.grant.subject)]
        for session in ended:
            self.end(session)
        return len(ended)

    def expire_access_tokens(self) -> None:
        """Refuse every access token issued so far; sessions and refresh tokens live on."""
        for session in self._sessions.values():
            self._revoked.update(session.access_token_ids)
