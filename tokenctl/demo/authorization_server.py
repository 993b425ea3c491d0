"""How a session begins at the demo authorization server: with a code, with a device, or by a client for itself.

The methods that take a client and a request answer the endpoint or the grant type that they name.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from typing import Any

from tokenctl.demo.messages import Received
from tokenctl.demo.registry import CLIENTS, DEVICE_CODE, USERS, Client, OAuthError, User
from tokenctl.demo.sessions import Grant, Session, Sessions, digest, granted_scope
from tokenctl.demo.signing import base64url

CODE_LIFETIME = 60  # seconds
DEVICE_CODE_LIFETIME = 600  # seconds
USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, so no words


@dataclass(slots=True, kw_only=True)
class AuthorizationCode:
    """An authorization code, bound to its redirect URI and its PKCE challenge."""

    session: Session
    redirect_uri: str
    code_challenge: str
    expires_at: float  # epoch seconds
    used: bool = False


@dataclass(slots=True, kw_only=True)
class DeviceAuthorization:
    """A device that waits for a person's decision. The grant's subject is the proposed account until then."""

    grant: Grant
    user_code: str
    expires_at: float  # epoch seconds
    interval: int  # seconds; every early poll makes it longer
    polled_at: float | None = None  # epoch seconds
    approved: bool | None = None  # None: nobody has decided

    def approve(self, user: User, now: int) -> None:
        """Give the device what it asked for, as this user. `now` is in epoch seconds."""
        self.grant, self.approved = replace(self.grant, subject=user.subject, auth_time=now), True


class AuthorizationServer:
    """The rules and the state of one server. Not thread-safe: the caller takes one request at a time."""

    device_interval = 5  # seconds

    def __init__(self, sessions: Sessions, clients: tuple[Client, ...] = CLIENTS) -> None:
        self.sessions = sessions
        self.clients = clients
        self._codes: dict[str, AuthorizationCode] = {}  # by digest, as the devices
        self._devices: dict[str, DeviceAuthorization] = {}

    def client(self, client_id: str) -> Client | None:
        return next((client for client in self.clients if client.client_id == client_id), None)

    def new_grant(self, client: Client, subject: str, request: Received) -> Grant:
        """Make what a request asks for. Raises OAuthError when the client may not ask for it."""
        parameters = request.query if request.path == "/authorize" else request.form
        return Grant(
            client_id=client.client_id,
            subject=subject,
            scope=granted_scope(parameters.get("scope", "api"), client.scopes),
            resources=request.resources,
            auth_time=int(self.sessions.clock()),
            nonce=parameters.get("nonce"),
        )

    def issue_code(self, grant: Grant, redirect_uri: str, code_challenge: str) -> str:
        """Make an authorization code for a grant that a person has just approved (RFC 6749 section 4.1.2)."""
        code = secrets.token_urlsafe(32)
        self._codes[digest(code)] = AuthorizationCode(
            session=Session(grant=grant),
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            expires_at=self.sessions.clock() + CODE_LIFETIME,
        )
        return code

    def redeem_code(self, client: Client, request: Received) -> dict[str, Any]:
        """Give tokens for a code, once: a second use ends the session (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""
        verifier, redirect_uri = request.required("code_verifier"), request.required("redirect_uri")
        found = self._codes.get(digest(request.required("code")))
        if found is None or found.session.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "the code is unknown")
        if found.used:
            self.sessions.end(found.session)
            raise OAuthError("invalid_grant", "the code was already used")
        found.used = True
        if found.expires_at <= self.sessions.clock():
            raise OAuthError("invalid_grant", "the code has expired")
        if found.redirect_uri != redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one the code was issued for")
        challenge = base64url(hashlib.sha256(verifier.encode()).digest())
        if not hmac.compare_digest(challenge, found.code_challenge):
            raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge")
        return self.sessions.issue_tokens(found.session, nonce=found.session.grant.nonce)

    def refresh(self, client: Client, request: Received) -> dict[str, Any]:
        """Give tokens for a refresh token (RFC 6749 section 6)."""
        presented, scope = request.required("refresh_token"), request.form.get("scope", "")
        return self.sessions.refresh(client.client_id, presented, scope, request.resources)

    def client_credentials(self, client: Client, request: Received) -> dict[str, Any]:
        """Give tokens to a client for itself (RFC 6749 section 4.4)."""
        grant = self.new_grant(client, client.client_id, request)
        return self.sessions.issue_tokens(Session(grant=grant))

    def start_device(self, client: Client, request: Received) -> dict[str, Any]:
        """Make a device code for the client and a user code for the person (RFC 8628 section 3.2)."""
        if DEVICE_CODE not in client.grant_types:
            raise OAuthError("unauthorized_client", "this client may not use the device flow")
        device_code = secrets.token_urlsafe(32)
        letters = "".join(secrets.choice(USER_CODE_LETTERS) for _ in range(8))
        user_code = f"{letters[:4]}-{letters[4:]}"
        self._devices[digest(device_code)] = DeviceAuthorization(
            grant=self.new_grant(client, USERS[0].subject, request),
            user_code=user_code,
            expires_at=self.sessions.clock() + DEVICE_CODE_LIFETIME,
            interval=self.device_interval,
        )
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": f"{self.sessions.issuer}/device",
            "verification_uri_complete": f"{self.sessions.issuer}/device?user_code={user_code}",
            "expires_in": DEVICE_CODE_LIFETIME,
            "interval": self.device_interval,
        }

    def pending_device(self, user_code: str) -> DeviceAuthorization | None:
        """Return the device that waits with this user code. Case and punctuation do not count."""
        typed = "".join(filter(str.isalnum, user_code)).upper()
        for device in self._devices.values():
            waiting = device.approved is None and device.expires_at > self.sessions.clock()
            if waiting and device.user_code.replace("-", "") == typed:
                return device
        return None

    def poll_device(self, client: Client, request: Received) -> dict[str, Any]:
        """Give tokens for an approved device. Raises OAuthError until then (RFC 8628 section 3.5)."""
        key, now = digest(request.required("device_code")), self.sessions.clock()
        device = self._devices.get(key)
        if device is None or device.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "the device code is unknown or was already used")
        if device.expires_at <= now:
            raise OAuthError("expired_token", "the device code has expired")
        polled_at, device.polled_at = device.polled_at, now
        if polled_at is not None and now - polled_at < device.interval:
            device.interval += 5
            raise OAuthError("slow_down", f"wait {device.interval} seconds between polls")
        if device.approved is None:
            raise OAuthError("authorization_pending", "nobody has decided yet")
        if not device.approved:
            raise OAuthError("access_denied", "the request was denied")
        del self._devices[key]
        return self.sessions.issue_tokens(Session(grant=device.grant))
