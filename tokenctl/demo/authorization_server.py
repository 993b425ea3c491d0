"""How a session begins at the demo authorization server: authorization codes and device codes.

No HTTP here: `endpoints` reads requests and calls these rules.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from tokenctl.demo.registry import Client, Grant, OAuthError, Settings, User
from tokenctl.demo.sessions import Session, Sessions, digest
from tokenctl.demo.signing import SigningKey, base64url

CODE_LIFETIME = 60
DEVICE_CODE_LIFETIME = 600
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code on its way through the browser, bound to its redirect URI and its PKCE challenge."""

    grant: Grant
    redirect_uri: str
    code_challenge: str
    expires_at: float


@dataclass(slots=True, kw_only=True)
class DeviceAuthorization:
    """A device waiting for a person; it changes with every poll and with the decision."""

    client_id: str
    scope: tuple[str, ...]
    resources: tuple[str, ...]
    user_code: str
    interval: float
    expires_at: float
    polled_at: float | None = None
    decision: User | bool | None = None  # a user approved, False is a refusal, True means redeemed


class AuthorizationServer:
    """The whole state of one server. Not thread-safe: the caller holds one lock around each request."""

    def __init__(self, settings: Settings, signing_key: SigningKey) -> None:
        self.settings = settings
        self.signing_key = signing_key
        self.sessions = Sessions(settings, signing_key)
        self._codes: dict[str, AuthorizationCode] = {}
        self._spent_codes: dict[str, Session | None] = {}
        self._devices: dict[str, DeviceAuthorization] = {}

    def client(self, client_id: str) -> Client | None:
        """The client registered under this name."""
        return next((client for client in self.settings.clients if client.client_id == client_id), None)

    def user(self, username: str | None = None) -> User:
        """The user with this name; the first one when no name is given."""
        for user in self.settings.users:
            if username in (None, "", user.username):
                return user
        raise OAuthError("access_denied", "there is no such user")

    # -- authorization code (RFC 6749 section 4.1, RFC 7636) ------------------------------------

    def issue_code(self, grant: Grant, redirect_uri: str, code_challenge: str) -> str:
        """A code for a grant a person has just made."""
        code = secrets.token_urlsafe(32)
        self._codes[digest(code)] = AuthorizationCode(
            grant=grant,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            expires_at=self.settings.clock() + CODE_LIFETIME,
        )
        return code

    def redeem_code(self, client: Client, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Tokens for a code. A code works once; seen again, it takes its session with it."""
        key = digest(code)
        if (replayed := self._spent_codes.get(key)) is not None:
            self.sessions.end(replayed)
        found = self._codes.get(key)
        if found is None or found.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "the code is unknown or was already used")
        del self._codes[key]
        self._spent_codes[key] = None
        if found.expires_at <= self.settings.clock():
            raise OAuthError("invalid_grant", "the code has expired")
        if found.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one the code was issued for")
        challenge = base64url(hashlib.sha256(verifier.encode()).digest())
        if not hmac.compare_digest(challenge, found.code_challenge):
            raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge")
        session = self.sessions.open_session(found.grant)
        self._spent_codes[key] = session
        return self.sessions.issue_tokens(session, nonce=found.grant.nonce)

    # -- device code (RFC 8628) ---------------------------------------------------------------

    def start_device(self, client: Client, scope: tuple[str, ...], resources: tuple[str, ...]) -> dict[str, Any]:
        """A device code for the client and a user code for the person."""
        device_code = secrets.token_urlsafe(32)
        letters = [secrets.choice(USER_CODE_LETTERS) for _ in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        self._devices[digest(device_code)] = DeviceAuthorization(
            client_id=client.client_id,
            scope=scope,
            resources=resources,
            user_code=user_code,
            interval=self.settings.device_interval,
            expires_at=self.settings.clock() + DEVICE_CODE_LIFETIME,
        )
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": f"{self.settings.issuer}/device",
            "verification_uri_complete": f"{self.settings.issuer}/device?user_code={user_code}",
            "expires_in": DEVICE_CODE_LIFETIME,
            "interval": self.settings.device_interval,
        }

    def pending_device(self, user_code: str) -> DeviceAuthorization | None:
        """The undecided device with this user code, however a person typed it."""
        typed = "".join(filter(str.isalnum, user_code)).upper()
        for device in self._devices.values():
            waiting = device.decision is None and device.expires_at > self.settings.clock()
            if waiting and device.user_code.replace("-", "") == typed:
                return device
        return None

    def decide_device(self, user_code: str, decision: User | None) -> None:
        """Approve a waiting device in a user's name; None refuses it."""
        device = self.pending_device(user_code)
        if device is None:
            raise OAuthError("invalid_request", "no device is waiting with this code")
        device.decision = decision or False

    def poll_device(self, client: Client, device_code: str) -> dict[str, Any]:
        """Tokens for an approved device; until then the reason to keep waiting, or to stop."""
        device, now = self._devices.get(digest(device_code)), self.settings.clock()
        if device is None or device.client_id != client.client_id or device.decision is True:
            raise OAuthError("invalid_grant", "the device code is unknown or was already used")
        if device.expires_at <= now:
            raise OAuthError("expired_token", "the device code has expired")
        polled_at, device.polled_at = device.polled_at, now
        if polled_at is not None and now - polled_at < device.interval:
            device.interval += 5
            raise OAuthError("slow_down", f"wait {device.interval:g} seconds between polls")
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
