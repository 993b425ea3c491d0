"""Client authentication at the token endpoint (RFC 6749 section 2.3): one function for each method.

A function takes the client_id and either the client secret or a new assertion. It returns the form
parameters and the headers to add. A request uses exactly one method. A sign-in can try several, see `candidates`.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from tokenctl.errors import UsageError
from tokenctl.oauth.wire import Request

if TYPE_CHECKING:
    from tokenctl.oauth.metadata import Metadata

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
    return (), _authorization(_encoded(client_id), _encoded(secret))


def _basic_raw(client_id: str, secret: str) -> FormAndHeaders:
    # Many servers do not decode the two parts.
    return (), _authorization(client_id, secret)


def _encoded(text: str) -> str:
    # A blank becomes %20: every form decoder reads that, and some servers do not read a plus sign as a blank.
    return quote(text, safe="")


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
SENDING_METHODS = ("client_secret_basic", "client_secret_post")
"""Methods that send the secret, as servers name them."""
_PRIVATE_KEY = "-----BEGIN "
"""How a private key in PEM begins (RFC 7468)."""


def candidates(
    metadata: "Metadata", client_id: str, secret: str | None, wanted: str | None = None
) -> tuple[Client, ...]:
    """List the client once for each method that a sign-in tries, the first one first.

    The `wanted` method of the profile stands alone. Else they are the methods that send this secret: first those that the
    server lists (RFC 8414 section 2), then the others, since lists can be wrong. A server that only takes a secret as a key
    never gets the secret itself, and no server gets a private key. Raises UsageError when the wanted method needs a secret
    and there is none, or would send a private key.
    """
    is_key = (secret or "").startswith(_PRIVATE_KEY)
    if is_key and wanted not in (None, "none", "private_key_jwt"):
        raise UsageError(
            f"the client secret is a private key, and {wanted} would send it as a password",
            hint='set token_endpoint_auth_method = "private_key_jwt" in the profile, or give the client\'s own secret',
        )
    if wanted not in (None, "none") and not secret:
        raise UsageError(
            f"{wanted} needs a client secret, and there is none",
            hint="pipe it in with --client-secret-stdin, or set TOKENCTL_CLIENT_SECRET_FILE (a private key: client_key_file)",
        )
    if wanted or not secret:
        names: tuple[str, ...] = (wanted or "none",)
    elif is_key:
        names = ("private_key_jwt",)
    else:
        names = _sending(metadata.token_endpoint_auth_methods_supported or (), client_id, secret)
    return tuple(Client(client_id=client_id, auth_method=name, secret=secret) for name in names)


def _sending(listed: tuple[str, ...], client_id: str, secret: str) -> tuple[str, ...]:
    """Order the methods that send the secret; `client_secret_basic_raw` only where it sends other bytes."""
    offered = [name for name in listed if name in SENDING_METHODS]
    if not offered and "client_secret_jwt" in listed:
        return ("client_secret_jwt",)
    ordered = dict.fromkeys((*offered, *SENDING_METHODS))
    # The user ID of HTTP Basic has no colon (RFC 7617 section 2), so that without the encoding such a client_id cannot be sent.
    differs = (client_id, secret) != (_encoded(client_id), _encoded(secret)) and ":" not in client_id
    raw = ("client_secret_basic_raw",) if differs else ()
    return tuple(each for name in ordered for each in ((name, *raw) if name == "client_secret_basic" else (name,)))


def preferred(clients: tuple[Client, ...], accepted: Client) -> tuple[Client, ...]:
    """Put the client as the server accepted it before the others."""
    return tuple(sorted(clients, key=lambda each: each.auth_method != accepted.auth_method))


def request(endpoint: str, client: Client, *form: tuple[str, str], purpose: str = "") -> Request:
    """Build an authenticated POST to one of the server's endpoints."""
    credential = client.make_assertion() if client.make_assertion is not None else client.secret
    added, headers = METHODS[client.auth_method](client.client_id, credential or "")
    return Request(url=endpoint, form=(*form, *added), headers=headers, purpose=purpose)
