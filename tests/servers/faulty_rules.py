"""The demo's rules with the liberties that servers take: a grace period, opaque access tokens, sessions that end."""

import secrets
from collections.abc import Mapping
from typing import Any

from tokenctl.demo.authorization_server import AuthorizationServer
from tokenctl.demo.registry import Client, Grant, OAuthError, Settings
from tokenctl.demo.sessions import Session, Sessions, digest
from tokenctl.demo.signing import SigningKey


class FaultySessions(Sessions):
    """Sessions that a test can end, and whose tokens it can change."""

    def __init__(self, settings: Settings, signing_key: SigningKey) -> None:
        super().__init__(settings, signing_key)
        self.reuse_grace: float = 0  # seconds
        self.opaque_access_tokens = False
        self._sessions: list[Session] = []
        self._retired: dict[int, tuple[str, float]] = {}  # id of a session -> its previous refresh token, since when
        self._opaque: dict[str, Mapping[str, Any]] = {}  # by digest

    def open_session(self, grant: Grant) -> Session:
        self._sessions.append(session := super().open_session(grant))
        return session

    def refresh(self, client_id: str, token: str, scope: str = "", resources: tuple[str, ...] = ()) -> dict[str, Any]:
        """Give new tokens; within `reuse_grace` seconds for the immediate predecessor too: the answer may have been lost."""
        key, now = digest(token), self.settings.clock()
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
        ended = [each for each in self._sessions if each.alive and subject in (None, each.grant.subject)]
        for session in ended:
            self.end(session)
        return len(ended)

    def expire_access_tokens(self) -> None:
        """Refuse every access token issued so far; sessions and refresh tokens live on."""
        for session in self._sessions:
            self._revoked.update(session.access_token_ids)

    def encode_access_token(self, claims: Mapping[str, Any]) -> str:
        if not self.opaque_access_tokens:
            return super().encode_access_token(claims)
        token = secrets.token_urlsafe(32)
        self._opaque[digest(token)] = claims
        return token

    def decode_access_token(self, token: str) -> Mapping[str, Any] | None:
        return self._opaque.get(digest(token)) or super().decode_access_token(token)


class FaultyRules(AuthorizationServer):
    """The demo's rules with another interval between the polls of a device, in seconds."""

    def __init__(self, sessions: Sessions, device_interval: int) -> None:
        super().__init__(sessions)
        self._device_interval = device_interval

    def start_device(self, client: Client, scope: tuple[str, ...], resources: tuple[str, ...]) -> dict[str, Any]:
        answer = super().start_device(client, scope, resources)
        self._devices[digest(answer["device_code"])].interval = self._device_interval
        return answer | {"interval": self._device_interval}
