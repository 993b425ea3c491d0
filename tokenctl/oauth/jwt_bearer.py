"""The JWT bearer grant (RFC 7523 section 2.1): a JWT of an issuer that the server trusts, for an access token."""

from tokenctl.oauth.client_auth import Client, request
from tokenctl.oauth.wire import Request


def bearer_request(
    endpoint: str, client: Client, assertion: str, scope: str | None, resource: tuple[str, ...] = ()
) -> Request:
    """Build the token request."""
    return request(
        endpoint,
        client,
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion),
        *((("scope", scope),) if scope else ()),
        *(("resource", each) for each in resource),
    )
