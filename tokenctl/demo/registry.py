"""Who is known to the demo authorization server before the first request: users and clients; and its settings."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class OAuthError(Exception):
    """A request is refused, with an error code of RFC 6749 section 5.2 or of one of its extensions."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who can sign in. The demo asks for no password."""

    subject: str
    username: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client. A client without a secret is a public client (RFC 6749 section 2.1)."""

    client_id: str
    name: str
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()  # loopback, without a port: every port matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person, or a client for itself, agreed to: which client may do what, where, and for which subject."""

    client_id: str
    subject: str
    scope: tuple[str, ...]
    resources: tuple[str, ...] = ()
    auth_time: int  # epoch seconds
    nonce: str | None = None


USERS = (
    User(subject="user-ada", username="ada", name="Ada Lovelace", email="ada@demo.example"),
    User(subject="user-grace", username="grace", name="Grace Hopper", email="grace@demo.example"),
)
CLIENTS = (
    Client(
        client_id="tokenctl-demo",
        name="tokenctl",
        grant_types=(AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE),
        scopes=("openid", "profile", "email", "offline_access", "api", "read", "write"),
        redirect_uris=("http://127.0.0.1/callback", "http://[::1]/callback"),
    ),
    Client(
        client_id="tokenctl-demo-ci",
        name="tokenctl in CI",
        grant_types=(CLIENT_CREDENTIALS,),
        scopes=("api", "read", "write"),
        secret="demo-ci-secret",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one server knows and how it behaves. The lifetime is in seconds, the clock in epoch seconds."""

    users: tuple[User, ...] = USERS
    clients: tuple[Client, ...] = CLIENTS
    access_token_lifetime: int = 900
    clock: Callable[[], float] = time.time
