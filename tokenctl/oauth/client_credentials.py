"""The client credentials grant (RFC 6749 section 4.4): a machine signs in as itself, without a person."""

from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.wire import Request


def client_credentials_request(
    endpoint: str, client: Client, scope: str | None, resource: tuple[str, ...] = (), audience: str | None = None
) -> Request:
    """Build the token request (RFC 6749 section 4.4.2)."""
    return request(
        endpoint,
        client,
        ("grant_type", "client_credentials"),
        *((("scope", scope),) if scope else ()),
        *(("resource", each) for each in resource),
        *((("audience", audience),) if audience else ()),
    )
