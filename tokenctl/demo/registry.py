"""Who and what the demo authorization server knows before the first request: users, clients, settings."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class OAuthError(Exception):
    """A request refused in the words of RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who can sign in. There is no password: it is a demonstration."""

    subject: str
    username: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client; without a secret it is a public one."""

    client_id: str
    name: str
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()  # loopback, written without a port: any port matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What somebody agreed to: who may do what, where, in whose name."""

    client_id: str
    subject: str
    scope: tuple[str, ...]
    resources: tuple[str, ...] = ()
    auth_time: int
    nonce: str | None = None


DEFAULT_USERS = (
    User(subject="user-ada", username="ada", name="Ada Lovelace", email="ada@demo.example"),
    User(subject="user-grace", username="grace", name="Grace Hopper", email="grace@demo.example"),
)
DEFAULT_CLIENTS = (
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


@dataclass(slots=True, kw_only=True)
class Settings:
    """How one server behaves. Not frozen: a test may change its mind while the server runs."""

    issuer: str = ""
    users: tuple[User, ...] = DEFAULT_USERS
    clients: tuple[Client, ...] = DEFAULT_CLIENTS
    api_key: str = field(default="demo-api-key", repr=False)
    access_token_lifetime: int = 900
    refresh_token_lifetime: int = 7 * 86400
    device_interval: int = 5
    reuse_grace: float = 0
    opaque_access_tokens: bool = False
    auto_approve: bool = False
    clock: Callable[[], float] = time.time
