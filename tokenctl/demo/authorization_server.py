"""How a session begins at the demo authorization server: with an authorization code or with a device code.

Nothing here knows HTTP: `endpoints` and `consent` read requests and call these rules.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any, Self

from tokenctl.demo.registry import Client, Grant, OAuthError, Settings, User
from tokenctl.demo.sessions import Session, Sessions, digest
from tokenctl.demo.signing import SigningKey, base64url, new_key

CODE_LIFETIME = 60  # seconds
DEVICE_CODE_LIFETIME = 600  # seconds
DEVICE_INTERVAL = 5  # seconds
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """An authorization code that was not used yet, bound to its redirect URI and its PKCE challenge."""

    grant: Grant
    redirect_uri: str
    code_challenge: str
    expires_at: float  # epoch seconds


@dataclass(slots=True, kw_only=True)
class DeviceAuthorization:
    """A device that waits for a person's decision. Each poll and the decision change it. Times are epoch seconds."""

    client_id: str
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    user_code: str
    expires_at: float
    interval: int = DEVICE_INTERVAL  # seconds; every early poll makes it longer
    polled_at: float | None = None
    decision: User | bool | None = (
        None  # the user who approved; False: denied; True: approved, and the tokens are given
    )


class AuthorizationServer:
    """The rules and the state of one server. Not thread-safe: the caller takes one request at a time."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self._codes: dict[str, AuthorizationCode] = {}
        self._used_codes: dict[str, Session | None] = {}
        self._devices: dict[str, DeviceAuthorization] = {}

    @classmethod
    def new(cls, settings: Settings = Settings()) -> Self:  # noqa: B008  a frozen record
        """Make a server without sessions, with a new signing key."""
        return cls(Sessions(settings, SigningKey(new_key())))

    @property
    def settings(self) -> Settings:
        """Who is known, how long tokens live, and the clock."""
        return self.sessions.settings

    @property
    def issuer(self) -> str:
        """The issuer identifier (RFC 8414 section 2); empty until the server has a port."""
        return self.sessions.issuer

    def client(self, client_id: str) -> Client | None:
        """Return the client with this ID."""
        return next((client for client in self.settings.clients if client.client_id == client_id), None)

    def user(self, username: str | None = None) -> User:
        """Return the user with this name, or the first user when no name is given. Raises OAuthError."""
        for user in self.settings.users:
            if username in (None, "", user.username):
                return user
        raise OAuthError("access_denied", "there is no such user")

    def issue_code(self, grant: Grant, redirect_uri: str, code_challenge: str) -> str:
        """Make an authorization code for a grant that a person has just approved (RFC 6749 section 4.1.2)."""
        code = secrets.token_urlsafe(32)
        self._codes[digest(code)] = AuthorizationCode(
            grant=grant,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            expires_at=self.settings.clock() + CODE_LIFETIME,
        )
        return code

    def redeem_code(self, client: Client, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Give tokens for a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6). Raises OAuthError.

        A code works once. A second use ends the session that the first one began.
        """
        key = digest(code)
        if (session := self._used_codes.get(key)) is not None:
            self.sessions.end(session)
        found = self._codes.get(key)
        if found is None or found.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "the code is unknown or was already used")
        del self._codes[key]
        self._used_codes[key] = None
        if found.expires_at <= self.settings.clock():
            raise OAuthError("invalid_grant", "the code has expired")
        if found.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one the code was issued for")
        challenge = base64url(hashlib.sha256(verifier.encode()).digest())
        if not hmac.compare_digest(challenge, found.code_challenge):
            raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge")
        self._used_codes[key] = session = self.sessions.open_session(found.grant)
        return self.sessions.issue_tokens(session, nonce=found.grant.nonce)

    def start_device(self, client: Client, scope: tuple[str, ...], resources: tuple[str, ...]) -> dict[str, Any]:
        """Make a device code for the client and a user code for the person (RFC 8628 section 3.2)."""
        device_code = secrets.token_urlsafe(32)
        letters = [secrets.choice(USER_CODE_LETTERS) for _ in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        self._devices[digest(device_code)] = DeviceAuthorization(
            client_id=client.client_id,
            scope=scope,
            resources=resources,
            user_code=user_code,
            expires_at=self.settings.clock() + DEVICE_CODE_LIFETIME,
        )
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": f"{self.issuer}/device",
            "verification_uri_complete": f"{self.issuer}/device?user_code={user_code}",
            "expires_in": DEVICE_CODE_LIFETIME,
            "interval": DEVICE_INTERVAL,
        }

    def pending_device(self, user_code: str) -> DeviceAuthorization | None:
        """Return the device that waits with this user code. Case and punctuation do not count."""
        typed = "".join(filter(str.isalnum, user_code)).upper()
        for device in self._devices.values():
            waiting = device.decision is None and device.expires_at > self.settings.clock()
            if waiting and device.user_code.replace("-", "") == typed:
                return device
        return None

    def decide_device(self, user_code: str, decision: User | None) -> None:
        """Approve a waiting device for a user; None denies it. Raises OAuthError when none waits with this code."""
        device = self.pending_device(user_code)
        if device is None:
            raise OAuthError("invalid_request", "no device is waiting with this code")
        device.decision = decision or False

    def poll_device(self, client: Client, device_code: str) -> dict[str, Any]:
        """Give tokens for an approved device. Raises OAuthError until then (RFC 8628 section 3.5)."""
        device, now = self._devices.get(digest(device_code)), self.settings.clock()
        if device is None or device.client_id != client.client_id or device.decision is True:
            raise OAuthError("invalid_grant", "the device code is unknown or was already used")
        if device.expires_at <= now:
            raise OAuthError("expired_token", "the device code has expired")
        polled_at, device.polled_at = device.polled_at, now
        if polled_at is not None and now - polled_at < device.interval:
            device.interval += 5
            raise OAuthError("slow_down", f"wait {device.interval} seconds between polls")
        if device.decision is None:
            raise OAuthError("authorization_pending", "nobody has decided yet")
        if not isinstance(device.decision, User):
            raise OAuthError("access_denied", "the request was denied")
        grant = Grant(
            client_id=client.client_id,
            subject=device.decision.subject,
            scope=device.scope,
            resources=device.resources,
            auth_time=int(now),
        )
        device.decision = True
        return self.sessions.issue_tokens(self.sessions.open_session(grant))
