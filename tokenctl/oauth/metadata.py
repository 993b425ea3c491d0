"""Authorization server metadata: the URLs to ask, and the checks of the answer.

OpenID Connect Discovery 1.0 section 4 appends its well-known path to the issuer. RFC 8414 section 3 puts its
path between the host and the issuer's path. The issuer in the document must be exactly the issuer that was asked
for. Otherwise one server could pretend to be another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from tokenctl.errors import Refused
from tokenctl.oauth.wire import JSON, Request, Response, json_object, safe_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The members of a server's metadata that tokenctl uses (RFC 8414 section 2)."""

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
    """Build the two requests that can find the metadata: first OpenID Connect's, then RFC 8414's."""
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        Request(url=f"{origin}{path}/.well-known/openid-configuration", purpose="reading the metadata"),
        Request(url=f"{origin}/.well-known/oauth-authorization-server{path}", purpose="reading the metadata"),
    )


def parse(response: Response, issuer: str) -> Metadata:
    """Read a metadata document.

    Raises ValueError when this is no metadata document (the other URL can have one). Raises Refused when the
    document breaks a rule: another issuer, an endpoint without https, no PKCE method S256.
    """
    if response.status != 200:
        raise ValueError("there is none")
    document = json_object(response.body)
    if "issuer" not in document:
        raise ValueError("it names no issuer")
    if document["issuer"] != issuer:
        raise Refused(
            f"the metadata is of issuer {document['issuer']!r:.200}, not of {issuer!r}",
            hint="write the issuer exactly as the server does, with or without a slash at the end",
        )
    return from_members(document)


def from_members(document: JSON | Mapping[str, str]) -> Metadata:
    """Make the record from the members that tokenctl knows, and check each. Raises Refused."""
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
        raise Refused("the server does not offer PKCE with S256, and tokenctl uses nothing weaker")
    return found


def require_endpoint(endpoint: str | None, what: str, issuer: str) -> str:
    """Return the endpoint. Raises Refused, with the words `what` for it, when the server has none."""
    if endpoint is None:
        raise Refused(f"{issuer} has no {what}", hint="choose another --flow, or name the endpoint in the profile")
    return endpoint
