"""Authorization server metadata: the URLs to ask, and the checks of the answer.

OpenID Connect Discovery 1.0 section 4 appends its well-known path to the issuer. RFC 8414 section 3 puts its
path between the host and the issuer's path. Servers mix the two rules. The issuer in the document must be exactly the
issuer that was asked for. Otherwise one server could pretend to be another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from tokenctl.errors import Refused
from tokenctl.oauth.issuers import other_issuer_hint
from tokenctl.oauth.wire import JSON, Request, Response, json_object, safe_url

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


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
    scopes_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False


ENDPOINTS = tuple(each.name for each in fields(Metadata) if each.name.endswith(("_endpoint", "_uri")))


def requests(issuer: str) -> tuple[Request, ...]:
    """Build the requests that can find the metadata: two, or four for an issuer with a path.

    OpenID Connect's comes first, then RFC 8414's; then each document where the other one's rule puts it.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    urls = (
        f"{origin}{path}{OPENID}",
        f"{origin}{OAUTH}{path}",
        f"{origin}{OPENID}{path}",
        f"{origin}{path}{OAUTH}",
    )
    return tuple(Request(url=url, purpose="reading the metadata") for url in dict.fromkeys(urls))


def is_openid(request: Request) -> bool:
    """Tell whether a request for metadata asks for OpenID Connect's document; else it asks for RFC 8414's."""
    return OPENID in request.url


class OtherIssuer(Refused):
    """A metadata document is of another issuer."""


def read(response: Response, issuer: str) -> JSON:
    """Read a metadata document of the issuer.

    Raises ValueError when this is no metadata document, and OtherIssuer. Another address can have the right one then.
    """
    if response.status != 200:
        raise ValueError("there is none")
    document = json_object(response.body)
    if "issuer" not in document:
        raise ValueError("it names no issuer")
    if document["issuer"] != issuer:
        raise OtherIssuer(
            f"the metadata is of issuer {document['issuer']!r:.200}, not of {issuer!r}",
            hint=other_issuer_hint(issuer, document["issuer"]),
        )
    return document


def completed(document: JSON, other: JSON) -> Metadata:
    """Add what the document lacks from the other document of the same issuer. Raises Refused; see `from_members`."""
    return from_members({**other, **{name: value for name, value in document.items() if value not in (None, "")}})


def from_members(document: JSON | Mapping[str, str]) -> Metadata:
    """Make the record from the members that tokenctl knows, and check each; one that is null or empty is absent.

    Raises Refused for an endpoint without https, and a list of PKCE methods without S256.
    """
    members: dict[str, object] = {"issuer": document["issuer"]}
    for name in ENDPOINTS:
        if document.get(name) not in (None, ""):
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
        setting = what.replace(" ", "_")
        raise Refused(
            f"{issuer} has no {what}",
            hint=f"choose another --flow, or set {setting} in the profile if the server has one",
        )
    return endpoint
