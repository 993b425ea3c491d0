"""Authorization server metadata: where to ask for it, and what it may say.

OpenID Connect Discovery 1.0 section 4 appends its well-known path to the issuer, RFC 8414 section 3
puts its own between host and path. The issuer in the document must be the one asked for, to the
character; otherwise one server could speak in another's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from tokenctl.errors import Refused
from tokenctl.oauth.wire import JSON, Request, Response, json_object, safe_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What we know of a server, named as in RFC 8414 section 2."""

    issuer: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    introspection_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    jwks_uri: str | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False


ENDPOINTS = tuple(each.name for each in fields(Metadata) if each.name.endswith(("_endpoint", "_uri")))


def requests(issuer: str) -> tuple[Request, Request]:
    """Build the two requests that may find the metadata: OpenID's first, then RFC 8414's."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        Request(url=f"{origin}{path}/.well-known/openid-configuration"),
        Request(url=f"{origin}/.well-known/oauth-authorization-server{path}"),
    )


def parse(response: Response, issuer: str) -> Metadata:
    """Read a metadata document.

    Raises ValueError when this is no metadata at all (the other path may have some), Refused when it
    is and breaks a rule: another issuer, an endpoint that is not https, S256 not among the methods.
    """
    if response.status != 200:
        raise ValueError("there is none")
    document = json_object(response.body)
    if "issuer" not in document:
        raise ValueError("it names no issuer")
    if document["issuer"] != issuer:
        raise Refused(
            f"the metadata is of issuer {document['issuer']!r:.200}, not of {issuer!r}",
            hint="write the issuer just as the server does, to the last slash",
        )
    return from_members(document)


def from_members(document: JSON | Mapping[str, str]) -> Metadata:
    """Make the record of the members we know, each checked. Raises Refused."""
    members: dict[str, object] = {"issuer": document["issuer"]}
    for name in ENDPOINTS:
        if document.get(name) is not None:
            members[name] = safe_url(document[name], f"{name} of the server")
    for name in (each.name for each in fields(Metadata) if each.name.endswith("_supported") and each.default is None):
        values = document.get(name)
        if isinstance(values, list):
            members[name] = tuple(each for each in values if isinstance(each, str))
    for name in ("authorization_response_iss_parameter_supported", "require_pushed_authorization_requests"):
        members[name] = document.get(name) is True
    found = Metadata(**members)  # type: ignore[arg-type]
    methods = found.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise Refused("the server offers no PKCE with S256, and tokenctl signs in with nothing weaker")
    return found


def need(endpoint: str | None, what: str, issuer: str) -> str:
    """Return an endpoint, or say that the server has none. Raises Refused."""
    if endpoint is None:
        raise Refused(f"{issuer} has no {what}", hint="choose another --flow, or name the endpoint in the profile")
    return endpoint
