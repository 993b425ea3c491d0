"""Client authentication at the token endpoint (RFC 6749 section 2.3): one function for each method.

A function takes the client_id and either the client secret or a new assertion. It returns the form
parameters and the headers to add. A request uses exactly one method.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from tokenctl.errors import UsageError
from tokenctl.oauth.metadata import Metadata
from tokenctl.oauth.wire import Request

FormAndHeaders = tuple[tuple[tuple[str, str], ...], dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The client as the server knows it, and how it authenticates."""

    client_id: str
    auth_method: str = "none"
    secret: str | None = field(default=None, repr=False)
    make_assertion: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    """Makes a new assertion for each request: a server can refuse one that it saw before (RFC 7523 section 3)."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client secret, plain and as it is sent: no message can contain either."""
        if not self.secret or self.auth_method in ASSERTION_METHODS:
            return (self.secret,) if self.secret else ()
        _, headers = METHODS[self.auth_method](self.client_id, self.secret)
        return (self.secret, *(value.removeprefix("Basic ") for value in headers.values()))


def _none(client_id: str, secret: str) -> FormAndHeaders:
    return (("client_id", client_id),), {}


def _basic(client_id: str, secret: str) -> FormAndHeaders:
    # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
    return (), _authorization(quote_plus(client_id), quote_plus(secret))


def _basic_raw(client_id: str, secret: str) -> FormAndHeaders:
    # Many servers do not decode the two parts. The profile chooses: trying both would send the secret twice.
    return (), _authorization(client_id, secret)


def _post(client_id: str, secret: str) -> FormAndHeaders:
    return (("client_id", client_id), ("client_secret", secret)), {}


def _authorization(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _assertion(client_id: str, assertion: str) -> FormAndHeaders:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return (("client_id", client_id), ("client_assertion_type", kind), ("client_assertion", assertion)), {}


def _api_key(client_id: str, secret: str) -> FormAndHeaders:
    # In a token API that is not OAuth, the profile says which header or member has the key.
    return (), {}


WORKLOAD = "workload"
"""The method of a client whose assertion is the identity token of its CI job or cluster."""

METHODS: dict[str, Callable[[str, str], FormAndHeaders]] = {
    "none": _none,
    "api_key": _api_key,
    "client_secret_basic": _basic,
    "client_secret_basic_raw": _basic_raw,
    "client_secret_post": _post,
    "client_secret_jwt": _assertion,
    "private_key_jwt": _assertion,
    WORKLOAD: _assertion,
}
ASSERTION_METHODS = ("client_secret_jwt", "private_key_jwt")
"""Methods that send an assertion, and never the secret itself."""


def choose(metadata: Metadata, client_id: str, secret: str | None, wanted: str | None = None) -> Client:
    """Choose the method: the `wanted` one of the profile, else one that the server lists (RFC 8414 section 2).

    The default is `client_secret_basic`. Raises UsageError when the wanted method needs a secret and there is none.
    """
    if wanted not in (None, "none") and not secret:
        raise UsageError(
            f"{wanted} needs a client secret, and there is none",
            hint="pipe it in with --client-secret-stdin, or set TOKENCTL_CLIENT_SECRET_FILE (a private key: client_key_file)",
        )
    if wanted is None and secret:
        listed = metadata.token_endpoint_auth_methods_supported
        wanted = "client_secret_post" if listed and "client_secret_basic" not in listed else "client_secret_basic"
    return Client(client_id=client_id, auth_method=wanted or "none", secret=secret)


def request(endpoint: str, client: Client, *form: tuple[str, str], purpose: str = "") -> Request:
    """Build an authenticated POST to one of the server's endpoints."""
    credential = client.make_assertion() if client.make_assertion is not None else client.secret
    added, headers = METHODS[client.auth_method](client.client_id, credential or "")
    return Request(url=endpoint, form=(*form, *added), headers=headers, purpose=purpose)
