"""Who is known to the demo authorization server before the first request: users and clients."""

from dataclasses import dataclass, field

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class OAuthError(Exception):
    """A request is refused, with an error code of RFC 6749 section 5.2 or of one of its extensions."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status
        self.document = {"error": error, "error_description": description}


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


USERS = (
    User(subject="user-ada", username="ada", name="Ada Lovelace", email="ada@demo.example"),
    User(subject="user-grace", username="grace", name="Grace Hopper", email="grace@demo.example"),
)
CLIENTS = (
    Client(
        client_id="tokenctl-demo",
        name="tokenctl",
        grant_types=("authorization_code", "refresh_token", DEVICE_CODE),
        scopes=("openid", "profile", "email", "offline_access", "api", "read", "write"),
        redirect_uris=("http://127.0.0.1/callback", "http://[::1]/callback"),
    ),
    Client(
        client_id="tokenctl-demo-ci",
        name="tokenctl in CI",
        grant_types=("client_credentials",),
        scopes=("api", "read", "write"),
        secret="demo-ci-secret",
    ),
)


def user_named(username: str | None) -> User:
    """Return the user with this name, or the first user when no name is given. Raises OAuthError."""
    for user in USERS:
        if not username or username == user.username:
            return user
    raise OAuthError("access_denied", "there is no such user")
