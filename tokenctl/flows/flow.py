"""A flow: one way to begin a session, and all that differs from the others while the session lives."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tokenctl.errors import TokenctlError
from tokenctl.model.profile import Profile
from tokenctl.model.renewal_job import RenewalJob
from tokenctl.model.session import Session
from tokenctl.oauth.client_auth import Client
from tokenctl.oauth.token_response import TokenSet
from tokenctl.oauth.wire import Request, Response
from tokenctl.runtime import Runtime
from tokenctl.storage.vault import Vault

if TYPE_CHECKING:
    from tokenctl.oauth.metadata import Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretKind:
    """The secret that a client of the flow has: its `TOKENCTL_*` variable, its name, and the option that reads it."""

    variable: str
    name: str
    option: str


CLIENT_SECRET = SecretKind(variable="CLIENT_SECRET", name="client secret", option="--client-secret-stdin")
API_KEY = SecretKind(variable="API_KEY", name="API key", option="--api-key-stdin")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in that can start: who asks, at which server, as which client, and by which flow. `timeout` is seconds.

    `clients` is the client once for each client authentication that may be tried, the first one first.
    """

    runtime: Runtime
    profile: Profile
    server: "Metadata"
    clients: tuple[Client, ...]
    token_endpoint: str
    flow: "Flow"
    no_browser: bool
    timeout: int

    @property
    def client(self) -> Client:
        """The client; its `auth_method` is only the first one to try."""
        return self.clients[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The tokens of a sign-in, not verified yet, and the nonce and `max_age` that the ID token must match.

    `client` is the client as the server accepted it. `max_age` is the maximum age of the sign-in in seconds.
    `identity_token` is what a job presented.
    """

    tokens: TokenSet
    client: Client
    nonce: str | None = None
    max_age: int | None = None
    identity_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server's reply to a renewal says.

    `refresh_token` is the new refresh token, even if the rest of the reply is invalid: the old one no longer works
    then. `tokens` is the token response, or the error.
    """

    refresh_token: str | None = field(repr=False)
    tokens: TokenSet | TokenctlError


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One row of the table of flows. No member has a default, so that no flow gets another one's by mistake."""

    name: str
    secret: SecretKind
    by_machine: bool
    """Whether the flow needs no person, so that its sessions can begin again; `session.MACHINE_FLOWS` says the same."""
    by_platform: bool
    """Whether the platform that a job runs on gives the client its identity, so that no secret is needed."""
    needs_client_id: bool
    """Whether the profile must name the client: a token API that is not OAuth may know none."""
    check_profile: Callable[[Profile], object]
    """Checks that the profile says what a sign-in needs, before a server is asked. Raises UsageError."""
    narrows: bool
    """Whether the server may give tokens with fewer rights than the session's."""
    begins_at: str | None
    """The endpoint that the flow needs beside the token endpoint, as the metadata names it."""
    clients: "Callable[[Runtime, Profile, Metadata, str | None], tuple[Client, ...]]"
    """Makes the client of a sign-in, once for each client authentication to try, the first one first.

    The last argument is the client's secret. Raises UsageError.
    """
    sign_in: Callable[[SignIn], AbstractContextManager[Arrived]]
    """Gets the first tokens. When the block ends, the person's browser shows whether the sign-in succeeded."""
    check_renewable: Callable[[RenewalJob], None]
    """Checks that the session can be renewed at all. Raises LoginRequired."""
    renewal_request: Callable[[Runtime, RenewalJob, Client], Request]
    """Builds the request for new tokens, at the endpoint pinned at login."""
    read: Callable[[RenewalJob, Response, tuple[str, ...]], Answer]
    """Reads the reply. The last argument lists secrets that messages must not contain."""
    revoke: Callable[[Runtime, Vault, Session], bool]
    """Ends the session at the server, and tells whether anything was revoked. Raises Refused or Unreachable."""
