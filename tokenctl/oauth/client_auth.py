"""How a client proves who it is at the token endpoint (RFC 6749 section 2.3): one function a method.

A function takes the client's id and its secret, or an assertion made for this request alone, and answers
what to add to the form and to the headers. Exactly one of them is used for a request.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from tokenctl.errors import UsageError
from tokenctl.oauth.metadata import Metadata
from tokenctl.oauth.wire import Request

Added = tuple[tuple[tuple[str, str], ...], dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who we are to the server, and how we prove it."""

    client_id: str
    auth_method: str = "none"
    secret: str | None = field(default=None, repr=False)
    prove: Callable[[], str] | None = field(default=None, repr=False, compare=False)
    """Makes an assertion, a new one each time: a server takes none twice (RFC 7523 section 3)."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not come back in a message: the secret, and how it goes over the wire."""
        if not self.secret or self.auth_method in ASSERTED:
            return (self.secret,) if self.secret else ()
        _, headers = METHODS[self.auth_method](self.client_id, self.secret)
        return (self.secret, *(value.removeprefix("Basic ") for value in headers.values()))


def _none(client_id: str, secret: str) -> Added:
    return (("client_id", client_id),), {}


def _basic(client_id: str, secret: str) -> Added:
    # RFC 6749 section 2.3.1: form-encode both before they are joined.
    return (), _authorization(quote_plus(client_id), quote_plus(secret))


def _basic_raw(client_id: str, secret: str) -> Added:
    # Many servers forgot the encoding; guessing would present the secret twice, so the profile says.
    return (), _authorization(client_id, secret)


def _post(client_id: str, secret: str) -> Added:
    return (("client_id", client_id), ("client_secret", secret)), {}


def _authorization(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _assertion(client_id: str, assertion: str) -> Added:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return (("client_id", client_id), ("client_assertion_type", kind), ("client_assertion", assertion)), {}


def _own(client_id: str, secret: str) -> Added:
    # A token API that is not OAuth: its profile says where the key goes.
    return (), {}


WORKLOAD = "workload"
"""The method of a client whose assertion is the identity that its platform gives it."""

METHODS: dict[str, Callable[[str, str], Added]] = {
    "none": _none,
    "api_key": _own,
    "client_secret_basic": _basic,
    "client_secret_basic_raw": _basic_raw,
    "client_secret_post": _post,
    "client_secret_jwt": _assertion,
    "private_key_jwt": _assertion,
    WORKLOAD: _assertion,
}
ASSERTED = ("client_secret_jwt", "private_key_jwt")
"""Methods that present an assertion, and never the secret itself."""


def choose(metadata: Metadata, client_id: str, secret: str | None, wanted: str | None = None) -> Client:
    """Pick the method: what the profile says, else what the server lists (RFC 8414 section 2).

    A server that lists nothing means `client_secret_basic`. Raises UsageError when the method asked
    for needs a secret and there is none.
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


def request(endpoint: str, client: Client, *form: tuple[str, str]) -> Request:
    """Build an authenticated POST to one of the server's endpoints."""
    proof = client.prove() if client.prove is not None else client.secret
    added, headers = METHODS[client.auth_method](client.client_id, proof or "")
    return Request(url=endpoint, form=(*form, *added), headers=headers)
