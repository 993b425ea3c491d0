"""An authorization server in memory, for simulated time: it rotates refresh tokens and detects that one is used twice.

It is a function from a request to a response, without a socket. A person who signs in by a code approves at once.
"""

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tokenctl.errors import Unreachable
from tokenctl.oauth.wire import Request, Response

ISSUER = "https://login.example.com"
CLIENT = "life"
IDLE = 7 * 86400
"""Seconds that a refresh token lives; its successor begins anew."""
GRACE = 60
"""Seconds in which the refresh token before the last one is still taken: its successor can have been lost."""
KEY = ec.generate_private_key(ec.SECP256R1())
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(kw_only=True)
class Grant:
    """What a sign-in gave: the numbers of its refresh tokens go up, and only the newest one is good."""

    subject: str
    scope: str
    issued_at: float
    began_at: float
    number: int = 1
    ended: bool = False
    why: str = ""
    """What the server says of its end. Most servers say nothing."""


@dataclass(kw_only=True)
class RotatingServer:
    """The server, and what it can be made to do. `time` is the world's, in epoch seconds."""

    time: Callable[[], float]
    let_pass: Callable[[float], None]
    """Lets seconds pass: a request takes some."""
    lifetime: int = 15 * 60
    """Seconds that an access token lives."""
    tells_expiry: bool = True
    """Whether the answer says how long the refresh token lives."""
    tells_time: bool = True
    """Whether the answer has a `Date`."""
    renews: bool = True
    """Whether a sign-in brings a refresh token."""
    rotates: bool = True
    longest: float = inf
    """Seconds after a sign-in until the session ends, however often it was renewed; no answer tells it."""
    skew: float = 0.0
    """Seconds that the server's clock is ahead of the world's."""
    person: str = "alice"
    """Who signs in next."""
    down: bool = False
    busy: bool = False
    lose: int = 0
    """How many answers of the token endpoint are lost from now on, after the server did its work."""
    takes: float = 0.2
    answers_as: str | None = None
    """Whose tokens the next renewals bring, where they are not those of the person who signed in."""
    token_path: str = "/token"
    key_id: str = "key-1"
    grants: dict[str, Grant] = field(default_factory=dict)
    meanwhile: Callable[[], object] | None = None
    """What happens once, while the next request is on its way."""

    def send(self, request: Request, received_at: Callable[[], float]) -> Response:
        """Answer a request. `received_at` reads the clock of the machine that asks. Raises Unreachable."""
        if self.down:
            raise Unreachable("the connection was refused")
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        self.let_pass(self.takes / 2)
        status, document = (503, {}) if self.busy else self._answer(request)
        self.let_pass(self.takes / 2)
        if self.lose > 0 and request.url.endswith(self.token_path):
            self.lose -= 1
            raise Unreachable("the connection broke", sent=True)
        return Response(
            status=status,
            received_at=int(received_at()),
            date=int(self.time() + self.skew) if self.tells_time else None,
            body=json.dumps(document).encode(),
            content_type="application/json",
            retry_after=60 if self.busy else None,
        )

    def end_all(self, why: str = "") -> None:
        """End every grant."""
        for grant in self.grants.values():
            grant.ended, grant.why = True, why

    def use(self, refresh_token: str) -> None:
        """Present a refresh token from another machine, as a thief does."""
        assert self._refreshed({"refresh_token": refresh_token})[0] == 200

    def _answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        form, path = dict(request.form or ()), request.url.removeprefix(ISSUER)
        if path == self.token_path:
            return self._begun() if form["grant_type"] == DEVICE else self._refreshed(form)
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._metadata()
            case "/device":
                codes = {"device_code": "d", "user_code": "ABCD", "verification_uri": f"{ISSUER}/code", "interval": 1}
                return 200, codes
            case "/keys":
                return 200, {"keys": [json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))]}
            case "/revoke":
                name = form["token"].split(".")[0]
                if name in self.grants:
                    self.grants[name].ended = True
                return 200, {}
        return 404, {}

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "token_endpoint": ISSUER + self.token_path,
            "device_authorization_endpoint": f"{ISSUER}/device",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "jwks_uri": f"{ISSUER}/keys",
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["none"],
        }

    def _begun(self) -> tuple[int, dict[str, Any]]:
        name = secrets.token_hex(8)
        grant = Grant(
            subject=self.person, scope="openid offline_access api mail", issued_at=self.time(), began_at=self.time()
        )
        self.grants[name] = grant
        return 200, self._tokens(name, grant, grant.scope) | {"id_token": self._id_token(grant.subject)}

    def _refreshed(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        name, _, number = form["refresh_token"].partition(".")
        grant = self.grants[name]
        idle = self.time() - grant.issued_at
        if grant.ended or idle > IDLE or self.time() - grant.began_at > self.longest:
            return 400, {"error": "invalid_grant", **({"error_description": grant.why} if grant.why else {})}
        if int(number) != grant.number and not (int(number) == grant.number - 1 and idle <= GRACE):
            grant.ended = True
            return 400, {"error": "invalid_grant"}
        grant.number += self.rotates
        grant.issued_at = self.time()
        tokens = self._tokens(name, grant, form.get("scope", grant.scope))
        return 200, tokens | ({"id_token": self._id_token(self.answers_as)} if self.answers_as else {})

    def _tokens(self, name: str, grant: Grant, scope: str) -> dict[str, Any]:
        now = int(self.time() + self.skew)
        claims = {
            "iss": ISSUER,
            "sub": grant.subject,
            "aud": "api",
            "iat": now,
            "exp": now + self.lifetime,
            "scope": scope,
        }
        parts = ({"alg": "ES256", "kid": self.key_id}, claims)
        encoded = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts)
        return {
            "access_token": ".".join((*encoded, secrets.token_hex(8))),
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "scope": scope,
            **({"refresh_token": f"{name}.{grant.number}"} if self.renews else {}),
            **({"refresh_expires_in": IDLE} if self.tells_expiry else {}),
        }

    def _id_token(self, subject: str) -> str:
        now = int(time.time())  # the library that verifies it knows no other clock
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": subject, "iat": now, "exp": now + 300}
        return jwt.encode(claims, KEY, "ES256")
